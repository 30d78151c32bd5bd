//! `cavatica check`: a manifest judged without an account and without a network.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;

use cavatica_exports::model::Layout;
use cavatica_exports::model::destination::Template;
use cavatica_exports::model::manifest::{self, Finding, Severity};

use crate::args;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::ui::{Ui, counted};

/// How many errors, and how many warnings, are printed for people; the rest is counted.
const SHOWN: u64 = 20;

pub(crate) fn run(args: &args::Check, ui: &Ui) -> Result<Exit, Failure> {
    let template = match &args.dest {
        Some(template) => template.clone(),
        None if args.flatten => Template::flat(),
        None => Template::default(),
    };
    let layout = Layout::new(args.prefix.clone().unwrap_or_default(), template);
    let name = match args.manifest == Path::new("-") {
        true => "standard input".to_owned(),
        false => args.manifest.display().to_string(),
    };
    let source = ManifestSource::of(&args.manifest, &name)?;

    let mut listing = FindingsList::new(&name, ui);
    let checked = manifest::check(
        &name,
        || source.open(),
        &layout,
        |finding| {
            listing.tell(finding);
        },
    );
    let hidden = listing.finish()?;
    let summary = checked.map_err(|error| {
        let hint = hint::of_manifest(&error, &args.manifest);
        let mut failure = Failure::usage("the manifest can't be checked").caused_by(error);
        failure.hints.extend(hint);
        failure
    })?;

    if !hidden.is_empty() {
        let hidden: Vec<String> = hidden
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        ui.note(format_args!(
            "... and more: {}; --json lists them all",
            hidden.join(", ")
        ));
    }
    let not_judged = match summary.not_judged {
        0 => String::new(),
        rows => format!(
            "; where {} can't be judged here",
            if rows == 1 {
                "1 row goes".to_owned()
            } else {
                format!("{rows} rows go")
            }
        ),
    };
    ui.note(format_args!(
        "{name}: {}, {} of them bad; {}, {}{not_judged}",
        counted(summary.rows, "row"),
        summary.bad_rows,
        counted(summary.errors, "error"),
        counted(summary.warnings, "warning"),
    ));
    Ok(if summary.errors > 0 {
        Exit::Refused
    } else {
        Exit::Done
    })
}

/// A manifest that can be read twice. It is opened once: a pipe, or what a shell puts in its place, gives its bytes once.
struct ManifestSource(File);

impl ManifestSource {
    fn of(path: &Path, name: &str) -> Result<Self, Failure> {
        let unreadable =
            |error| Failure::usage(format!("the manifest {name} can't be read")).caused_by(error);
        if path == Path::new("-") {
            return ManifestSource::spool(io::stdin()).map_err(Failure::no_temporary_file);
        }
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_file() {
            return Ok(ManifestSource(file));
        }
        ManifestSource::spool(file).map_err(Failure::no_temporary_file)
    }

    /// Keeps what comes through a pipe in a file without a name.
    fn spool(mut input: impl io::Read) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        io::copy(&mut input, &mut file)?;
        Ok(ManifestSource(file))
    }

    fn open(&self) -> io::Result<File> {
        let mut file = self.0.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}

/// Prints findings while they come: all of them as JSON, the first ones for people.
struct FindingsList<'a> {
    manifest: &'a str,
    ui: &'a Ui,
    errors: u64,
    warnings: u64,
    notes: u64,
    hidden: BTreeMap<&'static str, u64>,
    /// The first failure to print; what follows is not tried any more.
    printed: io::Result<()>,
}

impl<'a> FindingsList<'a> {
    fn new(manifest: &'a str, ui: &'a Ui) -> Self {
        FindingsList {
            manifest,
            ui,
            errors: 0,
            warnings: 0,
            notes: 0,
            hidden: BTreeMap::new(),
            printed: Ok(()),
        }
    }

    fn tell(&mut self, finding: Finding) {
        let shown = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        *shown += 1;
        let beyond = *shown > SHOWN;
        if self.printed.is_err() {
            return;
        }
        if self.ui.is_json() {
            self.printed = self.ui.json(&finding);
        } else if beyond {
            *self.hidden.entry(finding.name).or_default() += 1;
        } else {
            self.printed = self.ui.sentence(sentence(self.manifest, &finding));
            if self.printed.is_ok() {
                self.printed = self.ui.hanging("    ", &finding.remedy, 4);
            }
        }
    }

    /// How many findings of each name were not printed.
    fn finish(self) -> io::Result<BTreeMap<&'static str, u64>> {
        self.printed.map(|()| self.hidden)
    }
}

/// A finding for people.
fn sentence(manifest: &str, finding: &Finding) -> String {
    let column = match (&finding.column, finding.position) {
        (Some(column), Some(position)) => format!("column {position} `{}` ", column),
        (Some(column), None) => format!("`{}` ", column),
        (None, Some(position)) => format!("column {position} "),
        (None, None) => String::new(),
    };
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    format!(
        "{manifest} line {}: {severity}: {column}{} [{}]",
        finding.line, finding.message, finding.name
    )
}
