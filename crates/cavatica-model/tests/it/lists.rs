//! Lists that people in the field bring along, and what would have gone wrong with them without a word.

use cavatica_model::Layout;
use cavatica_model::file::FileRef;
use cavatica_model::manifest::{self, Foreign, Manifest, ManifestError, Row, RowError, Severity};

const ID: &str = "567890abc8a5639cc6722063";
const OTHER: &str = "567890abc8a5639cc6722064";

fn rows(text: &str) -> Vec<Result<Row, RowError>> {
    Manifest::open("files.csv", text.as_bytes())
        .unwrap_or_else(|error| panic!("{error}"))
        .collect()
}

fn only(text: &str) -> Result<Row, RowError> {
    let mut rows = rows(text);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

fn refused(text: &[u8]) -> ManifestError {
    Manifest::open("files.csv", text).expect_err("the header is bad")
}

/// Severity, name and line of every finding.
fn found(text: &str) -> Vec<(Severity, &'static str, u64)> {
    let mut found = Vec::new();
    manifest::check(
        "files.csv",
        || Ok(text.as_bytes()),
        &Layout::default(),
        |finding| {
            found.push((finding.severity, finding.name, finding.line));
        },
    )
    .unwrap_or_else(|error| panic!("{error}"));
    found
}

/// The names of a bad row's faults with their columns.
fn faults(row: Result<Row, RowError>) -> Vec<(&'static str, Option<usize>)> {
    let error = row.expect_err("a bad row");
    error
        .problems
        .iter()
        .map(|problem| (problem.fault.name(), problem.position))
        .collect()
}

#[test]
fn what_asks_for_something_in_other_words_refuses_the_manifest() {
    let error =
        refused(format!("file_id,location,SSE,KMS Key\n{ID},m/x,aws:kms,my-key\n").as_bytes());
    let ManifestError::Unclear { columns, .. } = &error else {
        panic!("{error:?}");
    };
    let told: Vec<_> = columns
        .iter()
        .map(|column| (column.position, column.instead))
        .collect();
    assert_eq!(
        told,
        [
            (3, "name the column `sse_algorithm`"),
            (4, "name the column `sse_aws_kms_key_id`")
        ]
    );
    let json = "file_id,properties\n";
    assert!(matches!(
        refused(json.as_bytes()),
        ManifestError::Unclear { .. }
    ));
    let row = only(&format!(
        "{{\"file_id\": \"{ID}\", \"properties\": null, \"metadata\": null}}\n"
    ));
    assert!(row.is_ok(), "{row:?}");
    for header in [
        "file_id\tlocaton",
        "file_id,dest_key",
        "\u{feff}file_id,x\u{200b}-amz-acl",
    ] {
        let error = refused(format!("{header}\n").as_bytes());
        assert!(matches!(error, ManifestError::Unclear { .. }), "{error}");
    }
    // In JSON each row speaks for itself, in `properties` too, even where they are a text.
    for keys in [
        "\"ServerSideEncryption\": \"AES256\"",
        "\"target\": \"m/x\"",
        "\"properties\": {\"ACL\": \"private\"}",
        "\"properties\": \"{\\\"sse_algorithm\\\": \\\"AES256\\\"}\"",
    ] {
        only(&format!("{{\"file_id\": \"{ID}\", {keys}}}\n")).expect_err(keys);
    }
}

#[test]
fn a_list_from_the_field_is_taken_with_its_facts_about_aliases() {
    let text = format!(
        "file id,file name,path,bucket where aliased,location on bucket\n\
         {ID},a.bam,run1/a.bam,None,None\n\
         {OTHER},b.bam,run1,lab-bucket,old/b.bam\n"
    );
    let rows = rows(&text);
    assert_eq!(rows[0].as_ref().expect("a row").alias, None);
    let alias = rows[1]
        .as_ref()
        .expect("a row")
        .alias
        .clone()
        .expect("an alias");
    assert_eq!(
        (alias.bucket.as_deref(), alias.location.as_deref()),
        (Some("lab-bucket"), Some("old/b.bam"))
    );
    assert_eq!(found(&text), [(Severity::Warning, "alias", 3)]);
}

#[test]
fn a_key_twice_is_refused_in_json_as_in_a_header() {
    for keys in [
        "\"location\": \"m/x\", \"location\": \"m/y\"",
        "\"location\": \"m/x\", \"key\": \"m/y\"",
        "\"properties\": {\"sse_algorithm\": \"AES256\", \"sse_algorithm\": \"aws:kms\"}",
        "\"sse_algorithm\": \"AES256\", \"properties\": {\"sse_algorithm\": null}",
        "\"metadata\": {\"sample\": \"a\", \"sample\": \"b\"}",
        "\"metadata\": {\"sample\": \"a\"}, \"metadata.sample\": \"b\"",
        "\"properties\": {\"sse_algorithm\": \"AES256\"}, \"Properties\": {\"storage_class\": \"GLACIER\"}",
    ] {
        let row = only(&format!("{{\"file_id\": \"{ID}\", {keys}}}\n"));
        assert_eq!(faults(row), [("twice", None)], "{keys}");
    }
}

#[test]
fn what_only_the_platform_knows_is_no_error() {
    for text in [
        format!("file_id\n{ID}\n"),
        format!("file_id,name\n{ID},a.bam\n"),
        format!("file_id,name,path\n{ID},a.bam,\n"),
    ] {
        assert_eq!(found(&text), [(Severity::Note, "not-judged", 2)], "{text}");
    }
    // A file that is looked for by its path lies in the project's root if no folder is named.
    for text in [
        "project,name\nme/p,a.bam\n",
        "project,path\nme/p,/a.bam\n",
        "project,name,path\nme/p,a.bam,\n",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn a_file_is_named_by_its_project_and_path_in_one_cell() {
    let row = only("file\tlocation\nme/p:run1/a: 1.bam\tm/x\n").expect("a row");
    assert_eq!(
        row.file().as_ref().map(FileRef::to_string).as_deref(),
        Some("me/p:run1/a: 1.bam")
    );
    assert_eq!(
        (row.path.as_deref(), row.name.as_deref()),
        (Some("run1"), Some("a: 1.bam"))
    );
    let row = only("{\"file\": \"me/p:a.bam\"}\n").expect("a row");
    assert_eq!(
        row.location(&Layout::default())
            .expect("a location")
            .as_str(),
        "a.bam"
    );
    // What other cells say must be the same.
    assert!(only("file,name\nme/p:run1/a.bam,a.bam\n").is_ok());
    assert_eq!(
        faults(only("file,name\nme/p:run1/a.bam,b.bam\n")),
        [("contradicts", None)]
    );
    assert_eq!(faults(only("file\nme/p:../a.bam\n")), [("id", Some(1))]);
}

#[test]
fn a_row_that_is_there_twice_has_the_same_word_as_in_a_plan() {
    let twice = |row: &str| format!("file,location\n{row}\n{row}\n");
    for row in [format!("{ID},m/x"), "me/p:a.bam,m/x".to_owned()] {
        assert_eq!(
            found(&twice(&row)),
            [(Severity::Warning, "listed-twice", 2)],
            "{row}"
        );
    }
    // Two files at one location are another matter.
    let text = format!("file,location\n{ID},m/x\n{OTHER},m/x\n{OTHER},m/x\n");
    assert_eq!(
        found(&text),
        [
            (Severity::Error, "same-location", 2),
            (Severity::Warning, "listed-twice", 3)
        ]
    );
}

#[test]
fn a_report_is_no_manifest() {
    let columns = "file_id,name,path,key,export_id,state,attempts";
    let json: String = columns
        .split(',')
        .map(|name| format!("\"{name}\": \"\","))
        .collect();
    for text in [
        format!("{columns}\n"),
        format!("{}\n", columns.replace(',', "\t")),
        format!("{{{}}}\n", json.trim_end_matches(',')),
    ] {
        assert!(
            matches!(refused(text.as_bytes()), ManifestError::OwnReport { .. }),
            "{text}"
        );
    }
}

#[test]
fn a_shifted_cell_is_named_and_blanks_are_nothing() {
    assert_eq!(
        faults(only(&format!("file_id,location,,\n{ID},,,m/x.txt\n"))),
        [("no-header", Some(4))]
    );
    assert_eq!(
        faults(only(&format!("file_id\tlocation\t\n{ID}\t\tm/x\n"))),
        [("no-header", Some(3))]
    );
    for text in [
        format!("file_id,location,,\n{ID},m/x, ,\u{a0}\n"),
        format!("file_id,location\n{ID},m/x,\u{a0},\n"),
        format!("\"\",\"file_id\",\"location\"\n\"1\",\"{ID}\",\"m/x\"\n"),
        format!(",file_id,location\n0,{ID},m/x\n"),
    ] {
        let row = only(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            row.location.as_ref().map(|location| location.as_str()),
            Some("m/x"),
            "{text}"
        );
    }
    // Only numbers are counted rows.
    assert_eq!(
        faults(only(&format!(",file_id\nm/x,{ID}\n"))),
        [("no-header", Some(1))]
    );
}

#[test]
fn what_nobody_sees_is_shown_and_never_counts() {
    for hidden in ['\u{200b}', '\u{feff}', '\u{ad}', '\u{202e}', '\u{2028}'] {
        let shown = hidden.escape_unicode().to_string();
        // Headers are known without it.
        let text = format!("file{hidden}_id,loca{hidden}tion\n{ID},m/x\n");
        assert_eq!(found(&text), [], "{shown}");
        // An id with it isn't the platform's.
        let error =
            only(&format!("file_id\n567890abc8a5{hidden}639cc6722063\n")).expect_err("a bad id");
        let told = error.to_string();
        assert!(
            told.contains(&shown) && told.contains(&format!("write `{ID}`")),
            "{told}"
        );
        // A location with it is warned of, and so is its twin.
        let text = format!("file_id,location\n{ID},m/x\n{OTHER},m/{hidden}x\n");
        assert_eq!(
            found(&text),
            [
                (Severity::Warning, "invisible-character", 3),
                (Severity::Warning, "twin-locations", 2)
            ],
            "{shown}"
        );
        // A cell with nothing else is empty.
        assert_eq!(
            only(&format!("file_id,location\n{ID},{hidden}\n"))
                .expect("a row")
                .location,
            None
        );
    }
}

#[test]
fn numbers_that_excel_made_of_ids_are_refused() {
    for id in [
        "5.67891E+23",
        "5,67891E+23",
        "6e+23",
        "567891000000000000000000",
    ] {
        let error = only(&format!("file_id\tlocation\n{id}\tm/x\n")).expect_err("a bad id");
        assert_eq!(error.problems[0].fault.name(), "excel-number");
        assert!(error.to_string().contains("Excel"), "{error}");
    }
    for id in [ID, "567891234567891234567891", "5e12"] {
        only(&format!("file_id\tlocation\n{id}\tm/x\n")).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn marks_for_nothing_are_no_locations() {
    for mark in ["NA", "None", "nan", "#N/A", "#REF!", "NULL"] {
        assert_eq!(
            faults(only(&format!("file_id,location\n{ID},{mark}\n"))),
            [("not-available", Some(2))]
        );
        // A task isn't needed.
        let row = only(&format!("file_id,task\n{ID},{mark}\n")).expect("a row");
        assert_eq!(row.task, None);
    }
}

#[test]
fn what_is_written_in_another_way_is_named() {
    let pretty = format!("{{\n  \"file_id\": \"{ID}\"\n}}\n");
    let array = format!("\n[\n{{\"file_id\": \"{ID}\"}}]\n");
    for (bytes, expected) in [
        (&b"\x1f\x8b\x08\0\0\n\0"[..], Foreign::Gzip),
        (b"\x28\xb5\x2f\xfd\x04", Foreign::Zstd),
        (b"\xff\xfe\0\0f\0\0\0", Foreign::Utf32),
        (pretty.as_bytes(), Foreign::PrettyJson),
        (array.as_bytes(), Foreign::JsonArray),
    ] {
        // However little of it comes at a time.
        for error in [
            refused(bytes),
            Manifest::open("files.csv", Slow(bytes)).expect_err("no manifest"),
        ] {
            assert!(
                matches!(error, ManifestError::Foreign { what, .. } if what == expected),
                "{error}"
            );
        }
    }
    // A first line without anything in it is no header.
    let rows = rows(&format!(
        "\n,,\n\r\nfile_id,location\n{ID},m/x\n{ID},../x\n"
    ));
    assert_eq!(rows[0].as_ref().expect("a row").line, 5);
    let error = refused(format!("\n\nfile_id,SSE\n{ID},AES256\n").as_bytes());
    assert!(error.to_string().contains("line 3"), "{error}");
}

/// A pipe whose writer is slow.
#[derive(Debug)]
struct Slow<'a>(&'a [u8]);

impl std::io::Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let now = self.0.len().min(5).min(buffer.len());
        buffer[..now].copy_from_slice(&self.0[..now]);
        self.0 = &self.0[now..];
        Ok(now)
    }
}

#[test]
fn a_location_that_is_the_folder_of_another_is_warned_of() {
    let text = format!("file_id,location\n{ID},m/x\n{OTHER},M/X/y.txt\n");
    assert_eq!(found(&text), [(Severity::Warning, "nested-locations", 2)]);
}
