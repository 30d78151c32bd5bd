//! Manifests: as people write them, and every way in which they go wrong.

use cavatica_model::destination::Template;
use cavatica_model::export::{SseAlgorithm, StorageClass};
use cavatica_model::manifest::{
    self, Finding, Format, Manifest, ManifestError, Overwrite, Row, RowError, Severity,
};
use cavatica_model::{Layout, Tri};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies;

const ID: &str = "567890abc8a5639cc6722063";

fn rows(text: &[u8]) -> Vec<Result<Row, RowError>> {
    Manifest::open("files.csv", text)
        .expect("the header is good")
        .collect()
}

fn good(text: &str) -> Vec<Row> {
    let rows = rows(text.as_bytes()).into_iter();
    rows.map(|row| row.unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

/// The messages of all bad rows, and the lines of the good ones.
fn judged(text: &str) -> (Vec<String>, Vec<u64>) {
    let (mut bad, mut good) = (Vec::new(), Vec::new());
    for row in rows(text.as_bytes()) {
        match row {
            Ok(row) => good.push(row.line),
            Err(error) => bad.push(error.to_string()),
        }
    }
    (bad, good)
}

fn refused(text: &[u8]) -> String {
    let error: ManifestError = Manifest::open("files.csv", text).expect_err("the header is bad");
    error.to_string()
}

fn checked(text: &str, layout: &Layout) -> (manifest::Summary, Vec<Finding>) {
    let mut findings = Vec::new();
    let summary = manifest::check(
        "files.csv",
        || Ok(text.as_bytes()),
        layout,
        |finding| findings.push(finding),
    )
    .expect("the header is good");
    (summary, findings)
}

#[test]
fn the_same_rows_in_every_format() {
    let csv = format!(
        "\u{feff}File ID,file_name,LOCATION,overwrite,extra\r\n{ID},\"a, \"\"b\"\".vcf\",run1/a.vcf,,x\r\n\r\n{ID},c.vcf,,TRUE,\r\n"
    );
    let tsv = format!(
        "extra\toverwrite\tlocation\tname\tid\nx\t\trun1/a.vcf\t\"a, \"\"b\"\".vcf\"\t{ID}\n\ty\t\tc.vcf\t{ID}"
    );
    let tsv = tsv.replace("\ty\t", "\tyes\t");
    let json = format!(
        "{{\"id\": \"{ID}\", \"name\": \"a, \\\"b\\\".vcf\", \"location\": \"run1/a.vcf\", \"overwrite\": null, \"extra\": 1}}\n\n{{\"File-ID\": \"{ID}\", \"name\": \"c.vcf\", \"overwrite\": true}}\n"
    );
    let without_line = |text: &str| {
        let mut rows = good(text);
        rows.iter_mut().for_each(|row| row.line = 0);
        rows
    };
    let expected = without_line(&csv);
    assert_eq!(expected.len(), 2);
    assert_eq!(expected[0].name.as_deref(), Some("a, \"b\".vcf"));
    assert_eq!(expected[0].overwrite, None);
    assert_eq!(expected[1].overwrite, Some(Overwrite::Allow));
    assert_eq!(expected[1].location, None);
    assert_eq!(without_line(&tsv), expected);
    assert_eq!(without_line(&json), expected);
    assert_eq!(good(&csv)[1].line, 4);

    for (text, format) in [
        (&csv, Format::Csv),
        (&tsv, Format::Tsv),
        (&json, Format::JsonLines),
    ] {
        let mut manifest = Manifest::open("files", text.as_bytes()).expect("the header is good");
        assert_eq!(manifest.format(), format);
        assert_eq!(manifest.by_ref().count(), 2);
        assert_eq!(manifest.ignored_columns(), ["extra"]);
    }
}

#[test]
fn properties_are_unsaid_none_or_a_value() {
    let csv = format!(
        "id,sse_algorithm,sse_aws_kms_key_Id,canned_acl,storage class\n{ID},aws:kms,k-1,none,\n{ID},,,,GLACIER\n"
    );
    let json = format!(
        "{{\"id\": \"{ID}\", \"properties\": {{\"sse_algorithm\": \"aws:kms\", \"sse_aws_kms_key_id\": \"k-1\", \"aws_canned_acl\": null}}}}\n{{\"id\": \"{ID}\", \"aws_storage_class\": \"GLACIER\"}}"
    );
    for text in [csv, json] {
        let rows = good(&text);
        let first = &rows[0].properties;
        assert_eq!(first.sse_algorithm, Tri::Value(SseAlgorithm::AwsKms.into()));
        assert_eq!(first.sse_aws_kms_key_id, Tri::Value("k-1".to_owned()));
        assert_eq!(
            (&first.aws_canned_acl, &first.aws_storage_class),
            (&Tri::Null, &Tri::Absent)
        );
        let second = &rows[1].properties;
        assert_eq!(second.sse_algorithm, Tri::Absent);
        assert_eq!(
            second.aws_storage_class,
            Tri::Value(StorageClass::Glacier.into())
        );
    }
}

#[test]
fn the_path_may_have_the_name_at_its_end() {
    let place = |header: &str, cells: &str| {
        let row = good(&format!("id,{header}\n{ID},{cells}\n")).remove(0);
        row.location(&Layout::default())
            .map(|location| location.to_string())
    };
    for (header, cells) in [
        ("path,name", "run1/bam,a.bam"),
        ("path,name", "/run1/bam/,a.bam"),
        ("path,name", "run1/bam/a.bam,a.bam"),
        ("path", "/run1/bam/a.bam"),
    ] {
        assert_eq!(
            place(header, cells),
            Ok("run1/bam/a.bam".to_owned()),
            "{cells}"
        );
    }
    assert_eq!(place("path,name", "/,a.bam"), Ok("a.bam".to_owned()));
    // Not known isn't the same as none.
    assert!(place("path,name", ",a.bam").is_err());
}

#[test]
fn a_file_can_be_meant_by_project_and_name() {
    let rows = good("project,name\nrfranklin/cohort-7,a.bam\n");
    assert_eq!(rows[0].id, None);
    assert_eq!(
        rows[0].project.as_ref().map(|project| project.as_str()),
        Some("rfranklin/cohort-7")
    );
    let (bad, _) = judged("project,name\nrfranklin/cohort-7,\n");
    assert_eq!(
        bad,
        ["files.csv line 2: `name` is empty; expected a file name without `/`"]
    );
    let (bad, lines) =
        judged("{\"name\": \"a.bam\"}\n{\"project\": \"o/p\", \"name\": \"a.bam\"}\n");
    assert_eq!(
        bad,
        [
            "files.csv line 1: `file_id` is empty; expected a file id such as `567890abc8a5639cc6722063`"
        ]
    );
    assert_eq!(lines, [2]);
}

#[test]
fn metadata_columns_serve_templates() {
    let row = good(&format!("id,name,metadata.sample_id\n{ID},a.bam,NA12878\n")).remove(0);
    let template = "{metadata.sample_id}/{name}".parse();
    let layout = Layout::new(
        "p/".parse().expect("a prefix"),
        template.expect("a template"),
    );
    assert_eq!(
        row.location(&layout).expect("a location").as_str(),
        "p/NA12878/a.bam"
    );
}

#[test]
fn a_named_location_lies_under_the_prefix_too() {
    let row = good(&format!("id,location\n{ID},x/a.bam\n")).remove(0);
    let mut layout = Layout::default();
    layout.prefix = "archive".parse().expect("a prefix");
    assert_eq!(
        row.location(&layout).expect("a location").as_str(),
        "archive/x/a.bam"
    );
}

/// The manifest that the program's users bring along, with every fault on a line of its own.
#[test]
fn every_bad_row_is_named_with_its_column() {
    let text = format!(
        "\u{feff}file id,name,location,overwrite\r\n\
         {ID},a.vcf,run1/a.vcf,false\r\n\
         {ID},\"b.vcf,run1/b.vcf,\r\n\
         {ID},c.vcf,../c.vcf,\r\n\
         ,d.vcf,run1/d.vcf,\r\n\
         {ID},e.vcf,run1/a.vcf\r\n\
         {ID},f.vcf,run1\\f.vcf,maybe\r\n\
         {ID},\"g\"x,run1/g.vcf,\r\n\
         https://cavatica.sbgenomics.com/u/o/p/files/{ID}/,h/h.vcf,s3://bucket/h.vcf,\r\n\
         {ID},i.vcf,run1/i.vcf,,,\r\n"
    );
    let (bad, lines) = judged(&text);
    assert_eq!(lines, [2, 10]);
    let expected = [
        "line 3: column 2 `name` opens a quote that is never closed; expected a quoted cell to end with a quote, and quotes in it to be doubled",
        "line 4: column 3 `location` is `../c.vcf`: it has a part `.` or `..`; expected a key relative to the volume, such as `run1/output.vcf`",
        "line 5: column 1 `file id` is empty; expected a file id such as `567890abc8a5639cc6722063`",
        "line 6: there are 3 cells, but the header has 4; expected a cell for each column; cells that hold a separator must be quoted",
        "line 7: column 3 `location` is `run1\\f.vcf`: it looks like a Windows path; expected a key relative to the volume, such as `run1/output.vcf` (write `run1/f.vcf`); column 4 `overwrite` is `maybe`: it is neither true nor false; expected `true` or `false`",
        "line 8: column 2 `name` has text after its closing quote; expected a quoted cell to end with a quote, and quotes in it to be doubled",
        "line 9: column 1 `file id` is `https://cavatica.sbgenomics.com/u/o/p/files/567890abc8a5639cc6722063/`: it has a `/`; expected a file id such as `567890abc8a5639cc6722063` (a web address was pasted; the file id in it is `567890abc8a5639cc6722063`); column 2 `name` is `h/h.vcf`: a name has no `/`; folders go into the column `path`; expected a file name without `/`; column 3 `location` is `s3://bucket/h.vcf`: it has an empty part (`//`); expected a key relative to the volume, such as `run1/output.vcf` (leave out `s3://` and the bucket: the volume stands for them)",
    ];
    let expected: Vec<String> = expected
        .iter()
        .map(|message| format!("files.csv {message}"))
        .collect();
    assert_eq!(bad, expected);
}

#[test]
fn rows_without_anything_in_them_are_skipped() {
    let rows = good(&format!("id,location\n\n,\n  ,  \r\n{ID},a.vcf\n,,,\n"));
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [5]);
}

#[test]
fn a_quoted_cell_may_hold_line_breaks() {
    let text = format!(
        "id,notes,location\n{ID},\"first\nsecond, \"\"third\"\"\n\",a.vcf\n{ID},\"x\",b.vcf\n"
    );
    let rows = good(&text);
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(
        rows[0].location.as_ref().map(|location| location.as_str()),
        Some("a.vcf")
    );
}

#[test]
fn a_quoted_cell_with_line_breaks_must_make_a_whole_row() {
    let (bad, lines) = judged(&format!("id,name,location\n{ID},\"a\nb\"\n{ID},c,c.vcf\n"));
    assert_eq!(lines, [4]);
    assert_eq!(bad.len(), 2);
    assert!(
        bad[0].starts_with("files.csv line 2: column 2 `name` opens a quote that is never closed"),
        "{}",
        bad[0]
    );
    assert!(
        bad[1].starts_with("files.csv line 3: there are 1 cells"),
        "{}",
        bad[1]
    );
}

#[test]
fn a_stray_quote_costs_one_row_however_long_the_file() {
    let mut text = format!("id,location\n{ID},\"a.vcf\n");
    for number in 0..1000 {
        text.push_str(&format!("{ID},{number}.vcf\n"));
    }
    let (bad, lines) = judged(&text);
    assert_eq!((bad.len(), lines.len()), (1, 1000));
    // And where every row has one.
    let text = format!("id,location\n{}", format!("{ID},\"a.vcf\n").repeat(1000));
    assert_eq!(judged(&text).0.len(), 1000);
}

#[test]
fn a_line_without_end_is_one_bad_row() {
    let text = format!("id,location\n{ID},{}\n{ID},b.vcf\n", "a".repeat(3 << 20));
    let (bad, lines) = judged(&text);
    assert_eq!(
        bad,
        ["files.csv line 2: the line is longer than a mebibyte; expected a row"]
    );
    assert_eq!(lines, [3]);
}

#[test]
fn text_that_is_not_utf8_is_named() {
    let rows = rows(
        b"id,location\n567890abc8a5639cc6722063,caf\xe9.vcf\n567890abc8a5639cc6722063,b.vcf\n",
    );
    let error = rows[0].as_ref().expect_err("Latin-1 isn't UTF-8");
    assert_eq!(
        error.to_string(),
        "files.csv line 2: column 2 `location` is not UTF-8; expected UTF-8; save the file again in that encoding"
    );
    assert!(rows[1].is_ok());
}

#[test]
fn a_bad_header_says_what_is_wrong() {
    assert_eq!(
        refused(b""),
        "files.csv is empty; expected a header such as `file_id,location`"
    );
    assert_eq!(
        refused(b"file_id;location\n"),
        "files.csv line 1: columns seem to be separated by semicolons; expected commas or tabs"
    );
    assert_eq!(
        refused(b"567890abc8a5639cc6722063,a.vcf\n"),
        "files.csv line 1 looks like a row; expected a header such as `file_id,location` before it"
    );
    assert_eq!(
        refused(b"name,key\n"),
        "files.csv line 1: no column tells which file is meant; expected `file_id` (or `id`), or `project` with `path` or `name`, but found `name`, `key`"
    );
    assert_eq!(
        refused(b"id,key,Location\n"),
        "files.csv line 1: columns 2 and 3 both mean `location`"
    );
    assert_eq!(
        refused(b"\xff\xfei\0d\0"),
        "files.csv is text in UTF-16, as some spreadsheets write it; expected CSV, TSV or JSON lines in UTF-8"
    );
    assert_eq!(
        refused(b"i\0d\0,\0"),
        "files.csv is text in UTF-16, as some spreadsheets write it; expected CSV, TSV or JSON lines in UTF-8"
    );
    assert_eq!(
        refused(b"PK\x03\x04\x14\0"),
        "files.csv is a zip archive; expected CSV, TSV or JSON lines in UTF-8"
    );
    assert_eq!(
        refused(b"id,name\r1,a\r"),
        "files.csv: lines end in carriage returns alone; save it again with ordinary line ends"
    );
    assert_eq!(
        refused(b"id,\"name\n"),
        "files.csv line 1: column 2 opens a quote that is never closed; expected a quoted cell to end with a quote, and quotes in it to be doubled"
    );
}

#[test]
fn json_lines_say_what_is_wrong() {
    let (bad, lines) = judged(&format!(
        "{{\"id\": \"{ID}\"}}\n[1]\n{{\"id\": 5}}\n{{\"id\": \"{ID}\", \"file_id\": \"{ID}\"}}\n{{\"id\": null}}\n{{\"id\"\n"
    ));
    assert_eq!(lines, [1]);
    let begins: Vec<&str> = bad
        .iter()
        .map(|message| message.split(';').next().unwrap_or_default())
        .collect();
    assert_eq!(
        begins,
        [
            "files.csv line 2: the line is no JSON object: invalid type: sequence, expected a map",
            "files.csv line 3: `id` is a number",
            "files.csv line 4: `file_id` is given twice",
            "files.csv line 5: `id` is empty",
            "files.csv line 6: the line is no JSON object: EOF while parsing an object at character 5",
        ]
    );
}

#[test]
fn what_is_asked_of_s3_in_json_is_never_passed_over() {
    let (bad, lines) = judged(&format!(
        "{{\"id\": \"{ID}\", \"properties\": {{\"canned_acl\": \"private\"}}, \"comment\": 1}}\n\
         {{\"id\": \"{ID}\", \"properties\": {{\"acl\": \"private\"}}}}\n\
         {{\"id\": \"{ID}\", \"canned_alc\": \"private\"}}\n"
    ));
    assert_eq!(lines, [1]);
    let expected = "`sse_algorithm`, `sse_aws_kms_key_id`, `aws_canned_acl` or `aws_storage_class`";
    assert_eq!(
        bad,
        [
            format!(
                "files.csv line 2: `acl` means nothing; expected {expected} (it could ask for an ACL)"
            ),
            "files.csv line 3: `canned_alc` could ask for an ACL; expected another name, or none (call it `aws_canned_acl`)".to_owned(),
        ]
    );
}

#[test]
fn an_input_that_breaks_off_ends_with_an_error() {
    struct Broken(bool);
    impl std::io::Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("the disk is gone"));
            }
            buffer[..3].copy_from_slice(b"id\n");
            Ok(3)
        }
    }
    let rows: Vec<_> = Manifest::open("files.csv", Broken(false))
        .expect("the header is there")
        .collect();
    assert_eq!(rows.len(), 1);
    let error = rows[0].as_ref().expect_err("nothing more can be read");
    assert!(
        error.to_string().starts_with(
            "files.csv line 2: the manifest can't be read any further: the disk is gone"
        )
    );
}

#[test]
fn a_check_finds_what_single_rows_cannot_show() {
    let text = format!(
        "id,location,comment\n{ID},a.vcf,\n567890abc8a5639cc6722064,b.vcf,\n567890abc8a5639cc6722065,a.vcf,\n{ID},A.vcf,\nname-not-id, c.vcf,\n"
    );
    let (summary, findings) = checked(&text, &Layout::default());
    let told: Vec<_> = findings
        .iter()
        .map(|finding| (finding.line, finding.name, finding.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                6,
                "odd-file-id",
                "`name-not-id` doesn't look like a file id, 24 hex digits"
            ),
            (
                6,
                "outer-space",
                "location ` c.vcf` begins or ends with a space"
            ),
            (
                1,
                "ignored-column",
                "column `comment` means nothing here and is ignored"
            ),
            (
                2,
                "same-location",
                "location `a.vcf` stands on lines 2 and 4"
            ),
            (
                2,
                "listed-twice",
                "file `567890abc8a5639cc6722063` stands on lines 2 and 5: it is sent once"
            ),
        ]
    );
    assert_eq!(
        (
            summary.rows,
            summary.bad_rows,
            summary.errors,
            summary.warnings
        ),
        (5, 0, 1, 4)
    );
}

#[test]
fn file_ids_are_told_apart_by_letter_case() {
    let text = format!("id,location\n{ID},a.vcf\n{},b.vcf\n", ID.to_uppercase());
    assert_eq!(checked(&text, &Layout::default()).1, []);
}

#[test]
fn a_check_uses_prefix_and_template() {
    let text = format!(
        "id,path,name\n{ID},run1,a.vcf\n567890abc8a5639cc6722064,run2,a.vcf\n567890abc8a5639cc6722065,,a.vcf\n"
    );
    let (summary, findings) = checked(&text, &Layout::default());
    assert_eq!(
        (summary.bad_rows, summary.not_judged, findings.len()),
        (0, 1, 1)
    );
    assert_eq!(
        (
            findings[0].line,
            findings[0].severity,
            findings[0].message.as_str()
        ),
        (
            4,
            Severity::Note,
            "where 1 row goes can't be judged here: it depends on `{path}`, which the platform knows"
        )
    );

    let mut flat = Layout::default();
    flat.template = Template::flat();
    let (summary, findings) = checked(&text, &flat);
    assert_eq!(
        (summary.errors, findings[0].message.as_str()),
        (1, "location `a.vcf` stands on lines 2, 3 and 4")
    );
}

#[test]
fn a_check_warns_of_properties_and_overwriting() {
    let text = format!(
        "id,location,overwrite,canned_acl,sse_algorithm\n{ID},a.vcf,true,public-read,AES-256\n"
    );
    let (_, findings) = checked(&text, &Layout::default());
    let names: Vec<_> = findings.iter().map(|finding| finding.name).collect();
    assert_eq!(names, ["overwrites", "public-acl", "unknown-value"]);
}

/// A cell that RFC 4180 can hold and a column for names takes.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![strategies::segment(), "[ ,\"\t;a]{1,6}", "a\"\"?b"]
        .prop_filter("not blank, no control character", |text| {
            strategies::is_seen(text) && !text.chars().any(char::is_control)
        })
        .prop_filter("more than that there is nothing", |text| {
            let nothing = ["NA", "NaN", "nan", "NaT", "None", "NULL", "null"];
            !nothing.contains(&text.trim())
        })
}

proptest! {
    /// What another implementation of RFC 4180 writes reads as the same cells, in both formats.
    #[test]
    fn another_writers_files_are_understood(
        names in vec((name(), "[a-z ,\"\n\r]{0,8}"), 1..8),
        delimiter in prop_oneof![Just(b','), Just(b'\t')],
        crlf in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(["notes", "name", "id"]).expect("memory can be written");
        for (name, notes) in &names {
            writer.write_record([notes, name, ID]).expect("memory can be written");
        }
        let text = writer.into_inner().expect("memory can be written");
        let read: Result<Vec<_>, _> = rows(&text).into_iter().collect();
        let read: Vec<_> = read.expect("all rows are good").into_iter().map(|row| row.name).collect();
        let written: Vec<_> = names.into_iter().map(|(name, _)| Some(name)).collect();
        prop_assert_eq!(read, written);
    }

    /// A row is good or bad by itself: the others don't matter.
    #[test]
    fn rows_do_not_harm_each_other(lines in vec(line(), 0..12)) {
        let header = "id,name,location";
        let alone: Vec<bool> = lines
            .iter()
            .map(|line| rows(format!("{header}\n{line}\n").as_bytes()).iter().all(Result::is_ok))
            .collect();
        let together = rows(format!("{header}\n{}\n", lines.join("\n")).as_bytes());
        prop_assert_eq!(together.iter().map(Result::is_ok).collect::<Vec<_>>(), alone);
    }
}

/// A line that is never blank, good or bad.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => strategies::location().prop_filter("no separator", |text| !text.contains([',', '"']))
            .prop_map(|location| format!("{ID},,{location}")),
        1 => Just(format!("{ID},\"a, b\",c")),
        1 => Just(format!("{ID},\"a,c")),
        1 => Just(format!("{ID},a\"\",../c")),
        1 => Just(",a,c".to_owned()),
        1 => Just(format!("{ID},a")),
    ]
}
