//! Judges export requests without a network: one JSON object a line on standard input, with `request`, `file` and `volume` as
//! the API has them; a line of JSON for each finding on standard output. Exit code 1 if something must not be sent.
//!
//! `cargo run -p cavatica-model --example check_requests < requests.jsonl`

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use cavatica_model::{ExportRequest, File, Volume};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Line {
    request: ExportRequest,
    file: File,
    volume: Volume,
}

/// A finding with the line that it is about.
#[derive(Serialize)]
struct Told<F> {
    line: usize,
    #[serde(flatten)]
    finding: F,
}

fn main() -> io::Result<ExitCode> {
    let objected = judge(io::stdin().lock(), io::stdout().lock())?;
    Ok(ExitCode::from(u8::from(objected)))
}

/// Whether something must not be sent.
fn judge(input: impl BufRead, mut output: impl Write) -> io::Result<bool> {
    let mut objected = false;
    for (line, text) in (1..).zip(input.lines()) {
        let Line {
            request,
            file,
            volume,
        } = serde_json::from_str(&text?)?;
        let findings = request.findings(&file, &volume);
        objected |= !findings.objections.is_empty();
        for finding in findings.objections {
            writeln!(
                output,
                "{}",
                serde_json::to_string(&Told { line, finding })?
            )?;
        }
        for finding in findings.warnings {
            writeln!(
                output,
                "{}",
                serde_json::to_string(&Told { line, finding })?
            )?;
        }
    }
    Ok(objected)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn each_finding_is_told_with_its_line_and_place() {
        let line = |request: &Value, kind: &str| {
            let file = json!({"id": "f1", "name": "a.vcf", "type": kind, "size": 1,
                "storage": {"type": "PLATFORM", "hosted_on_locations": ["aws:us-east-1"]}});
            let volume =
                json!({"id": "lab/output", "access_mode": "RW", "service": {"type": "s3"}});
            json!({"request": request, "file": file, "volume": volume}).to_string()
        };
        let request = json!({"source": {"file": "f1"},
            "destination": {"volume": "lab/output", "location": "a.vcf"}});
        let mut misspelt = request.clone();
        misspelt["overwrit"] = json!(true);
        let lines = [
            line(&request, "file"),
            line(&misspelt, "file"),
            line(&request, "folder"),
        ];
        let mut output = Vec::new();
        assert!(super::judge(lines.join("\n").as_bytes(), &mut output).expect("JSON"));
        let told = serde_json::Deserializer::from_slice(&output).into_iter::<Value>();
        let told: Vec<_> = told.map(|told| told.expect("JSON")).collect();
        let places = told
            .iter()
            .map(|told| (&told["line"], &told["name"], &told["where"]));
        assert_eq!(
            places.collect::<Vec<_>>(),
            [
                (&json!(2), &json!("unknown-key"), &json!("overwrit")),
                (&json!(3), &json!("folder"), &json!("source.file")),
            ]
        );
    }
}
