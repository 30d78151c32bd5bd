//! JSON schemas of what a service takes and answers, so that it documents itself. Behind the feature `schemars1`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::destination::MAX_KEY_BYTES;
use crate::export::{CannedAcl, SseAlgorithm, StorageClass};
use crate::finding::{Findings, Rejected};
use crate::wire::OpenName;
use crate::{
    ExportId, ExportMode, ExportProperties, ExportRequest, FileId, Location, ProjectId, TaskId,
    VolumeId,
};

macro_rules! schema {
    ($($Type:ty, $name:literal => |$generator:ident| $schema:expr;)+) => {$(
        impl JsonSchema for $Type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

/// Known names; others are kept, and objected to where they would be sent.
fn names<K: OpenName>() -> Vec<&'static str> {
    K::ALL.iter().map(|known| known.name()).collect()
}

/// A value that may be absent, or null.
fn one_of_or_null<K: OpenName>(description: &str) -> Schema {
    let names = names::<K>().into_iter().map(Some).chain([None]);
    json_schema!({"description": description, "enum": names.collect::<Vec<_>>()})
}

schema! {
    FileId, "FileId" => |_generator| json_schema!({
        "type": "string", "description": "A project file's id.", "examples": ["567890abc8a5639cc6722063"],
    });
    VolumeId, "VolumeId" => |_generator| json_schema!({
        "type": "string", "description": "A volume, `owner/name`.", "pattern": "^[^/]+/[^/]+$",
    });
    ProjectId, "ProjectId" => |_generator| json_schema!({
        "type": "string", "description": "A project, `owner/short-name`.", "pattern": "^[^/]+/[^/]+$",
    });
    ExportId, "ExportId" => |_generator| json_schema!({
        "type": "string", "description": "An export job's id.",
    });
    TaskId, "TaskId" => |_generator| json_schema!({
        "type": "string", "description": "A task's id.",
    });
    Location, "Location" => |_generator| json_schema!({
        "type": "string",
        "description": "A key relative to the volume, without empty, `.` and `..` segments.",
        "minLength": 1,
        "maxLength": MAX_KEY_BYTES,
        "examples": ["run1/output.vcf"],
    });
    ExportMode, "ExportMode" => |_generator| json_schema!({
        "description": "What becomes of the platform's copy: it is deleted (`move`) or kept (`copy`).",
        "enum": names::<ExportMode>(),
    });
    ExportProperties, "ExportProperties" => |_generator| json_schema!({
        "type": "object",
        "description": "What to ask of S3; what is absent is left to the volume.",
        "additionalProperties": false,
        "properties": {
            "sse_algorithm": one_of_or_null::<SseAlgorithm>("Server-side encryption; null asks for none."),
            "sse_aws_kms_key_id": {
                "type": ["string", "null"], "description": "The KMS key, only with `aws:kms`.",
            },
            "aws_canned_acl": one_of_or_null::<CannedAcl>("The ACL to apply; null applies none."),
            "aws_storage_class": one_of_or_null::<StorageClass>("The storage class."),
        },
    });
    ExportRequest, "ExportRequest" => |generator| json_schema!({
        "type": "object",
        "description": "The export of one file to a volume.",
        "additionalProperties": false,
        "required": ["source", "destination"],
        "properties": {
            "source": {
                "type": "object",
                "additionalProperties": false,
                "required": ["file"],
                "properties": {"file": generator.subschema_for::<FileId>()},
            },
            "destination": {
                "type": "object",
                "additionalProperties": false,
                "required": ["volume", "location"],
                "properties": {
                    "volume": generator.subschema_for::<VolumeId>(),
                    "location": generator.subschema_for::<Location>(),
                },
            },
            "overwrite": {
                "type": ["boolean", "null"],
                "description": "Whether an object that is already there may be deleted; absent means no.",
            },
            "properties": {
                "anyOf": [generator.subschema_for::<ExportProperties>(), {"type": "null"}],
            },
        },
    });
    Findings, "Findings" => |_generator| findings();
    Rejected, "Rejected" => |_generator| findings();
}

fn findings() -> Schema {
    let finding = serde_json::json!({
        "type": "object",
        "required": ["name", "message", "advice", "where"],
        "properties": {
            "name": {"type": "string", "description": "A stable name."},
            "message": {"type": "string", "description": "A sentence for people."},
            "advice": {"type": "string", "description": "What to do about it."},
            "where": {"type": "string", "description": "The key of the request that it is about."},
        },
    });
    json_schema!({
        "type": "object",
        "description": "What speaks against an export.",
        "required": ["objections", "warnings"],
        "properties": {
            "objections": {"type": "array", "items": finding, "description": "What must not be sent."},
            "warnings": {"type": "array", "items": finding, "description": "What one should know."},
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{File, Volume};

    /// Whether a value has the keys that a schema describes: all that it requires, and no others.
    fn fits(value: &Value, schema: &Value, root: &Value) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.trim_start_matches("#/$defs/");
            return fits(value, &root["$defs"][name], root);
        }
        if let Some(schema) = schema["anyOf"].as_array().and_then(|any| any.first()) {
            return fits(value, schema, root);
        }
        if let Some(known) = schema["enum"].as_array() {
            assert!(known.contains(value), "{value} in {schema}");
        }
        if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
            items.iter().for_each(|item| fits(item, schema, root));
        }
        let Some(object) = value.as_object() else {
            return assert!(!schema["properties"].is_object(), "{value} in {schema}");
        };
        let properties = schema["properties"].as_object().expect("an object");
        for (key, part) in object {
            fits(part, properties.get(key).expect(key), root);
        }
        for key in schema["required"].as_array().into_iter().flatten() {
            assert!(object.contains_key(key.as_str().expect("a key")), "{key}");
        }
    }

    #[test]
    fn the_schemas_describe_what_is_read_and_written() {
        let file: File = serde_json::from_value(json!({"id": "f1", "type": "folder"})).unwrap();
        let volume: Volume =
            serde_json::from_value(json!({"id": "o/v", "access_mode": "RO"})).unwrap();
        let whole = json!({
            "source": {"file": "f1"},
            "destination": {"volume": "o/v", "location": "a.vcf"},
            "overwrite": true,
            "properties": {
                "sse_algorithm": "aws:kms", "sse_aws_kms_key_id": "k", "aws_canned_acl": null,
                "aws_storage_class": "STANDARD",
            },
        });
        let request: ExportRequest = serde_json::from_value(whole.clone()).unwrap();
        let schema = schemars::schema_for!(ExportRequest).to_value();
        fits(&whole, &schema, &schema);
        fits(&serde_json::to_value(&request).unwrap(), &schema, &schema);
        // Every key that a request has a field for.
        let properties = schema["$defs"]["ExportProperties"]["properties"]
            .as_object()
            .unwrap();
        assert_eq!(
            properties.len(),
            whole["properties"].as_object().unwrap().len()
        );
        assert_eq!(
            schema["properties"].as_object().unwrap().len(),
            whole.as_object().unwrap().len()
        );

        let rejected = request.check(&file, &volume).unwrap_err();
        let schema = schemars::schema_for!(Rejected).to_value();
        fits(&serde_json::to_value(&rejected).unwrap(), &schema, &schema);
    }
}
