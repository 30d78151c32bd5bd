//! A whole manifest judged without a network: bad rows, bad destinations, and rows that meet.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use serde::Serialize;

use super::{Manifest, ManifestError, Problem, Row};
use crate::check::property_findings;
use crate::destination::{Census, Collision, DestinationFault, Field, Meeting, Suspects};
use crate::file::FileRef;
use crate::finding::Reason;
use crate::text::visible;
use crate::{Layout, Location};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The row can't be exported as it stands.
    Error,
    /// It can, but somebody should look at it first.
    Warning,
    /// It can't be judged here; the platform knows more.
    Note,
}

/// Something about a manifest that its author should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A name for programs and filters; it doesn't change.
    pub name: &'static str,
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// The column as the manifest names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// What a check saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Rows, good and bad.
    pub rows: u64,
    /// Rows that can't be exported as they stand because of what is in them; rows that meet others are not among them.
    pub bad_rows: u64,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Rows whose location can't be judged here, because only the platform knows what it depends on.
    pub not_judged: u64,
}

/// Reads a manifest and reports every finding: first those of single rows, in their order, then rows that meet.
///
/// Memory doesn't grow with the manifest but for 16 bytes a row, and for the rows that meet others (see
/// [`Census`]). `open` is called once, and a second time if rows may meet: it must give the same bytes again.
///
/// ```
/// use cavatica_model::{Layout, manifest};
///
/// let text = "id,location\n567890abc8a5639cc6722063,a.vcf\n567890abc8a5639cc6722064,a.vcf\n,b.vcf\n";
/// let mut findings = Vec::new();
/// let summary = manifest::check("files.csv", || Ok(text.as_bytes()), &Layout::default(), |finding| {
///     findings.push(format!("{} {}", finding.line, finding.name));
/// })?;
/// assert_eq!(findings, ["4 empty", "2 same-location"]);
/// assert_eq!((summary.rows, summary.errors), (3, 2));
/// # Ok::<(), cavatica_model::manifest::ManifestError>(())
/// ```
///
/// # Errors
///
/// If the manifest can't be opened or its header not be understood.
pub fn check<R: Read>(
    name: &str,
    mut open: impl FnMut() -> io::Result<R>,
    layout: &Layout,
    report: impl FnMut(Finding),
) -> Result<Summary, ManifestError> {
    let mut told = Reported {
        summary: Summary::default(),
        report,
    };
    let name: Arc<str> = name.into();
    let mut manifest = || {
        let input = open().map_err(|source| ManifestError::Read {
            manifest: Arc::clone(&name),
            source,
        })?;
        Manifest::open(Arc::clone(&name), input)
    };
    let mut seen = FirstPass::default();
    let mut first_pass = manifest()?;
    for row in first_pass.by_ref() {
        told.summary.rows += 1;
        let before = told.summary.errors;
        match row {
            Ok(row) => seen.look(&row, layout, &mut told),
            Err(error) => {
                for problem in error.problems {
                    told.tell(problem.into_finding(error.line));
                }
            }
        }
        told.summary.bad_rows += u64::from(told.summary.errors > before);
    }
    told.summary.not_judged = seen.not_judged.rows;
    if let Some(note) = seen.not_judged.finding() {
        told.tell(note);
    }
    for column in first_pass.ignored_columns() {
        let message = format!(
            "column `{}` means nothing here and is ignored",
            visible(column)
        );
        told.tell(Finding::warning(&Reason::IGNORED_COLUMN, 1, message));
    }
    let (locations, files) = (seen.locations.suspects(), seen.files.suspects());
    if !locations.is_empty() || !files.is_empty() {
        find_meetings(manifest()?, layout, (locations, files), &mut told);
    }
    Ok(told.summary)
}

/// What was reported so far.
struct Reported<F> {
    summary: Summary,
    report: F,
}

impl<F: FnMut(Finding)> Reported<F> {
    fn tell(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Error => self.summary.errors += 1,
            Severity::Warning => self.summary.warnings += 1,
            Severity::Note => {}
        }
        (self.report)(finding);
    }
}

/// What is remembered of the rows for the second pass.
#[derive(Default)]
struct FirstPass {
    locations: Census,
    files: Census,
    not_judged: NotJudged,
}

impl FirstPass {
    fn look<F: FnMut(Finding)>(&mut self, row: &Row, layout: &Layout, told: &mut Reported<F>) {
        match judged_location(row, layout, &mut self.not_judged) {
            Ok(Some(location)) => self.locations.count(location.as_str()),
            Ok(None) => {}
            Err(faults) => {
                for fault in faults {
                    told.tell(Finding::error(fault.reason(), row.line, fault));
                }
            }
        }
        if let Some(file) = row.file() {
            self.files.count(&file.to_string());
        }
        for warning in row_warnings(row) {
            told.tell(warning);
        }
    }
}

/// The second pass: which rows have the location or the file of another.
fn find_meetings<R: Read, F: FnMut(Finding)>(
    rows: Manifest<R>,
    layout: &Layout,
    (mut locations, mut files): (Suspects, Suspects),
    told: &mut Reported<F>,
) {
    for row in rows.flatten() {
        let file = row.file().as_ref().map(FileRef::to_string);
        // A file that is listed twice is sent once, and doesn't meet itself.
        let is_listed = file.as_ref().is_some_and(|file| files.has_seen(file));
        if let Some(file) = file {
            files.look(row.line, &file);
        }
        if let Ok(location) = row.location(layout)
            && !is_listed
        {
            locations.look(row.line, location.as_str());
        }
    }
    let unlisted = locations.unlisted() + files.unlisted();
    for collision in locations.collisions() {
        told.tell(location_finding(&collision));
    }
    for collision in files.collisions() {
        if collision.meeting == Meeting::Same {
            told.tell(file_finding(&collision));
        }
    }
    if unlisted > 0 {
        let message =
            format!("{unlisted} more rows seem to have the location or the file of another row");
        told.tell(Finding::error(&Reason::MORE_COLLISIONS, 1, message));
    }
}

impl Finding {
    fn error(reason: &Reason, line: u64, message: impl ToString) -> Self {
        Finding {
            severity: Severity::Error,
            name: reason.name,
            line,
            position: None,
            column: None,
            message: message.to_string(),
            remedy: reason.advice.to_owned(),
        }
    }

    fn warning(reason: &Reason, line: u64, message: impl ToString) -> Self {
        Finding {
            severity: Severity::Warning,
            ..Finding::error(reason, line, message)
        }
    }
}

impl Problem {
    fn into_finding(self, line: u64) -> Finding {
        let remedy = match self.hint {
            Some(hint) => format!("expected {} ({hint})", self.expected),
            None => format!("expected {}", self.expected),
        };
        Finding {
            position: self.position,
            column: self.column,
            remedy,
            ..Finding::error(self.fault.reason(), line, &self.fault)
        }
    }
}

/// The location of a row, `None` if it depends on what only the platform knows; or everything that is wrong with it.
fn judged_location(
    row: &Row,
    layout: &Layout,
    not_judged: &mut NotJudged,
) -> Result<Option<Location>, Vec<DestinationFault>> {
    let error = match row.location(layout) {
        Ok(location) => return Ok(Some(location)),
        Err(error) => error,
    };
    let (missing, faults): (Vec<_>, Vec<_>) = error
        .faults()
        .iter()
        .cloned()
        .partition(|fault| matches!(fault, DestinationFault::Missing(_)));
    if !faults.is_empty() {
        return Err(faults);
    }
    not_judged.note(row.line, &missing);
    Ok(None)
}

/// Rows whose location depends on what only the platform knows.
#[derive(Default)]
struct NotJudged {
    rows: u64,
    first_line: u64,
    fields: BTreeSet<String>,
}

impl NotJudged {
    fn note(&mut self, line: u64, missing: &[DestinationFault]) {
        if self.rows == 0 {
            self.first_line = line;
        }
        self.rows += 1;
        let fields = missing.iter().filter_map(|fault| match fault {
            DestinationFault::Missing(field) => Some(field),
            _ => None,
        });
        self.fields.extend(fields.map(Field::to_string));
    }

    fn finding(&self) -> Option<Finding> {
        let rows = match self.rows {
            0 => return None,
            1 => "1 row goes".to_owned(),
            rows => format!("{rows} rows go"),
        };
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        let message = format!(
            "where {rows} can't be judged here: it depends on `{}`, which the platform knows",
            fields.join("`, `")
        );
        Some(Finding {
            severity: Severity::Note,
            ..Finding::error(&Reason::NOT_JUDGED, self.first_line, message)
        })
    }
}

/// What a row that can be exported should make one think about.
fn row_warnings(row: &Row) -> Vec<Finding> {
    let own = row.warnings().into_iter();
    let own = own.map(|warning| Finding::warning(warning.reason, row.line, warning.message));
    // What the volume's own defaults would add isn't known here. Objections need them, warnings don't.
    let asked = property_findings(Some(&row.properties), None).warnings;
    let asked = asked
        .into_iter()
        .map(|found| Finding::warning(found.reason(), row.line, found));
    own.chain(asked).collect()
}

fn location_finding(collision: &Collision) -> Finding {
    let (line, lines) = (collision.lines[0], lines(collision));
    let keys: Vec<String> = collision
        .keys
        .iter()
        .map(|key| visible(key).to_string())
        .collect();
    match collision.meeting {
        Meeting::Same => Finding::error(
            &Reason::SAME_LOCATION,
            line,
            format!("location `{}` stands on {lines}", keys[0]),
        ),
        Meeting::Twins => Finding::warning(
            &Reason::TWIN_LOCATIONS,
            line,
            format!(
                "locations `{}` on {lines} differ only in letter case, Unicode form or what nobody sees",
                keys.join("`, `")
            ),
        ),
        Meeting::Nested => Finding::warning(
            &Reason::NESTED_LOCATIONS,
            line,
            format!(
                "location `{}` on line {line} is the folder of `{}` on line {}{}",
                keys[0],
                keys[1],
                collision.lines[1],
                match collision.rows {
                    2 => String::new(),
                    rows => format!(" and {} more", rows - 2),
                }
            ),
        ),
    }
}

fn file_finding(collision: &Collision) -> Finding {
    let (key, lines) = (visible(&collision.keys[0]).to_string(), lines(collision));
    Finding::warning(
        &Reason::LISTED_TWICE,
        collision.lines[0],
        format!("file `{key}` stands on {lines}: it is sent once"),
    )
}

/// The lines of a collision in words: `lines 2, 3 and 4`, or `lines 2, 3 and 70 more`.
fn lines(collision: &Collision) -> String {
    let shown = &collision.lines[..collision.lines.len().min(5)];
    let more = collision.rows - shown.len() as u64;
    let mut words: Vec<String> = shown.iter().map(u64::to_string).collect();
    if more > 0 {
        words.push(format!("{more} more"));
    }
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("lines {} and {last}", others.join(", "))
        }
        _ => format!("line {}", words.concat()),
    }
}
