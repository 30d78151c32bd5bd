//! Names that people write, and what each must come to.

use super::*;

fn wish(name: &str) -> Option<Wish> {
    match meaning(name) {
        Meaning::Wish(wish) => Some(wish),
        Meaning::Column(_) | Meaning::Nothing => None,
    }
}

/// Every spelling of a list, as people join and separate words.
fn spellings(words: &str) -> Vec<String> {
    let words: Vec<&str> = words.split(' ').collect();
    let capital = |word: &&str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    let capitals: Vec<String> = words.iter().map(capital).collect();
    ["_", "-", " ", ".", "", "\u{200b}_"]
        .iter()
        .flat_map(|between| {
            let small = words.join(between);
            [capitals.join(between), small.to_uppercase(), small]
        })
        .chain([
            format!("--{}", words.join("-")),
            format!("\u{feff}{} ", words.join("_")),
        ])
        .collect()
}

#[test]
fn what_asks_something_of_s3_is_never_nothing() {
    for (names, asked) in [
        (
            &[
                "sse",
                "s3 sse",
                "aws sse",
                "server side encryption",
                "x amz server side encryption",
                "encryption",
                "encrypt",
                "encrypted",
                "encryption type",
                "sse type",
                "encryption algorithm",
                "object encryption",
                "default encryption",
            ][..],
            ENCRYPTION,
        ),
        (
            &[
                "kms key",
                "kms key arn",
                "sse kms key id",
                "sse kms key",
                "kms id",
                "encryption key",
                "x amz server side encryption aws kms key id",
                "cmk",
                "aws kms key",
                "s3 kms key id",
                "encryption key id",
            ],
            KEY,
        ),
        (
            &[
                "sse customer key",
                "sse customer algorithm",
                "x amz server side encryption customer key",
                "sse c",
                "ssekms encryption context",
                "bucket key enabled",
            ],
            OTHER_ENCRYPTION,
        ),
        (
            &[
                "acl",
                "s3 acl",
                "x amz acl",
                "object acl",
                "aws acl",
                "grant read",
                "grant full control",
                "predefined acl",
                "grants",
            ],
            ACL,
        ),
        (
            &[
                "x amz storage class",
                "s3 storage class",
                "storage tier",
                "storage class name",
                "s3 class",
            ],
            STORAGE_CLASS,
        ),
        (
            &[
                "x amz tagging",
                "x amz meta sample",
                "x amz object lock mode",
            ],
            HEADER,
        ),
        (
            &["properties", "extra args", "export properties"],
            PROPERTIES,
        ),
        (
            &[
                "no overwrite",
                "overwrite existing",
                "allow overwrite",
                "can overwrite",
                "no clobber",
                "clobber",
                "replace",
                "if exists",
                "ignore existing",
                "force",
                "overwriting",
            ],
            OVERWRITE,
        ),
        (
            &[
                "dest",
                "dest key",
                "destination key",
                "target",
                "target path",
                "dst path",
                "new path",
                "new name",
                "s3 key",
                "s3 path",
                "s3 uri",
                "s3 url",
                "object key",
                "output path",
                "export path",
                "copy to",
                "to path",
                "bucket key",
                "upload path",
                "remote path",
                "rename to",
                "key name",
                "file name new",
                "path to",
            ],
            DESTINATION,
        ),
        (
            &[
                "bucket",
                "bucket name",
                "volume id",
                "target bucket",
                "destination volume",
                "s3 bucket",
            ],
            VOLUME,
        ),
        (
            &["prefix", "s3 prefix", "key prefix", "dest prefix"],
            PREFIX,
        ),
    ] {
        for spelling in names.iter().flat_map(|name| spellings(name)) {
            assert_eq!(wish(&spelling), Some(asked), "{spelling:?}");
        }
    }
}

#[test]
fn slips_are_told_from_other_words() {
    for (slip, asked) in [
        ("sse_algoritm", ENCRYPTION),
        ("SSE Algorythm", ENCRYPTION),
        ("encrytpion", ENCRYPTION),
        ("kms-key-ids", KEY),
        ("canned_alc", ACL),
        ("storage_clas", STORAGE_CLASS),
        ("aws_storage_classs", STORAGE_CLASS),
        ("locaton", DESTINATION),
        ("lcoation", DESTINATION),
        ("Locations", DESTINATION),
        ("destinaton", DESTINATION),
        ("taget", DESTINATION),
        ("overwirte", OVERWRITE),
        ("over write", OVERWRITE),
    ] {
        let found = meaning(slip);
        let taken = matches!(found, Meaning::Column(_));
        assert!(taken || found == Meaning::Wish(asked), "{slip}: {found:?}");
    }
}

#[test]
fn harmless_columns_are_welcome() {
    for name in [
        "",
        "size",
        "comment",
        "notes",
        "storage",
        "class",
        "sample_id",
        "centre",
        "algorithm",
        "md5",
        "type",
        "assessment",
        "session",
        "oracle",
        "patient key",
        "monkey",
        "frontier",
        "tier",
        "rotation",
        "ligation",
        "annotation",
        "estimation",
        "grant number",
        "target capture kit",
        "target_bed",
        "output_type",
        "href",
        "secondary_files",
        "created_on",
        "modified_on",
        "origin",
        "tags",
        "url",
        "parent",
        "storage.type",
        "storage.hosted_on_locations",
        "access",
        "Reads",
        "url of sample",
        "experimental strategy",
        "row",
        "Unnamed: 0",
        "case id",
        "sample volume",
        "volume",
        "Kids First ID",
        "platform",
        "library",
        "toil",
        "date",
        "ETag",
        "description",
        "inscription",
        "data category",
        "release",
        "allocation",
        "vacation",
    ] {
        assert_eq!(meaning(name), Meaning::Nothing, "{name}");
    }
}

#[test]
fn our_own_names_are_taken_in_any_spelling() {
    for (words, column) in [
        ("file id", Column::Id),
        ("sse algorithm", Column::SseAlgorithm),
        ("sse aws kms key id", Column::KmsKey),
        ("aws canned acl", Column::CannedAcl),
        ("storage class", Column::StorageClass),
        ("overwrite", Column::Overwrite),
        ("location", Column::Location),
        ("origin task", Column::Task),
        ("bucket where aliased", Column::AliasBucket),
        ("location on bucket", Column::AliasLocation),
    ] {
        for spelling in spellings(words) {
            assert_eq!(
                meaning(&spelling),
                Meaning::Column(column.clone()),
                "{spelling:?}"
            );
        }
    }
    let field = Column::Metadata("kms_key".to_owned());
    assert_eq!(meaning("metadata.kms_key"), Meaning::Column(field));
}
