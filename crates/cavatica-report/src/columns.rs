//! The columns, the same in every form that has a row for each file.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use crate::rows::{key, name};
use crate::trouble::Trouble;
use cavatica_transfer::journal::{ItemRow, SkippedRow, Terms, Verified};
use cavatica_transfer::state::State;
use cavatica_transfer::{Finding, Untold};

/// The names of the columns, in the order of [`SheetRow`]'s fields.
pub(super) const NAMES: [&str; 28] = [
    "file_id",
    "name",
    "path",
    "project",
    "task",
    "app",
    "metadata",
    "volume",
    "bucket",
    "key",
    "size",
    "export_id",
    "state",
    "class",
    "code",
    "message",
    "advice",
    "request_id",
    "started",
    "finished",
    "attempts",
    "etag",
    "verified",
    "verified_at",
    "verified_against",
    "verified_size",
    "confirmed_by",
    "because",
];

/// One file. Times are UTC; what isn't known is empty. New columns are added at the end, so that programs which count
/// columns go on working; `docs/report.md` explains each.
#[derive(Debug, Serialize)]
pub(super) struct SheetRow<'a> {
    file_id: Cow<'a, str>,
    name: Cow<'a, str>,
    path: Cow<'a, str>,
    project: Cow<'a, str>,
    task: Cow<'a, str>,
    /// The app that the task ran, where the transfer was planned by tasks.
    app: Cow<'a, str>,
    /// The chosen fields, as JSON.
    metadata: Cow<'a, str>,
    volume: Cow<'a, str>,
    bucket: Cow<'a, str>,
    key: Cow<'a, str>,
    size: Option<u64>,
    export_id: Cow<'a, str>,
    /// `planned`, `intended`, `accepted`, `completed`, `failed`, `unknown` or `skipped`.
    state: &'static str,
    /// For failures: what the code says about trying again. For files left out: the kind of reason.
    class: &'a str,
    code: Option<i64>,
    message: Cow<'a, str>,
    advice: Cow<'static, str>,
    request_id: Cow<'a, str>,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    attempts: u32,
    /// Without quotes, as the newest look at the destination saw it.
    etag: Cow<'a, str>,
    /// What that look came to: `same`, `missing`, `differs` and so on; empty if nobody looked.
    verified: &'static str,
    verified_at: Option<Timestamp>,
    /// What was looked at: `volume` or `bucket`.
    verified_against: &'static str,
    /// Of an object that was there: `compared`, `not-listed` or `not-planned`.
    verified_size: &'static str,
    /// What says that the file was exported: `file`, `job` or `word`.
    confirmed_by: &'static str,
    /// Why somebody said what became of it, where the platform didn't.
    because: Cow<'a, str>,
}

impl<'a> SheetRow<'a> {
    /// The row of a planned file.
    pub(super) fn of_item(terms: &'a Terms, item: &'a ItemRow) -> Self {
        let path = item.path.as_deref().unwrap_or_default();
        let seen = item.verified.as_ref();
        let row = SheetRow {
            file_id: item.file.as_str().into(),
            name: name(path).into(),
            path: path.into(),
            project: item.project.as_deref().unwrap_or_default().into(),
            task: item.task.as_deref().unwrap_or_default().into(),
            app: item.app.as_deref().unwrap_or_default().into(),
            metadata: item.metadata.as_deref().unwrap_or_default().into(),
            volume: terms.volume.as_str().into(),
            bucket: terms.bucket.as_deref().unwrap_or_default().into(),
            key: key(terms, item).into(),
            size: item.size,
            export_id: item.export().map_or("", |export| export.as_str()).into(),
            state: item.state.name(),
            class: "",
            code: None,
            message: "".into(),
            advice: "".into(),
            request_id: "".into(),
            started: item.started,
            finished: item.finished,
            attempts: item.attempts,
            etag: seen
                .and_then(|seen| seen.etag.as_deref())
                .unwrap_or_default()
                .into(),
            verified: seen.map_or("", |seen| seen.finding.name()),
            verified_at: seen.map(|seen| seen.at),
            verified_against: seen.map_or("", |seen| seen.against.name()),
            verified_size: seen.map_or("", size_compared),
            confirmed_by: match &item.state {
                State::Completed { proof, .. } => proof.name(),
                State::Planned
                | State::Intended
                | State::Accepted { .. }
                | State::Failed { .. }
                | State::Unknown { .. } => "",
            },
            because: item.said.as_deref().unwrap_or_default().into(),
        };
        match Trouble::of_item(terms.mode, item) {
            None => row,
            Some(trouble) => SheetRow {
                class: trouble.class,
                code: trouble.code,
                message: trouble.message,
                advice: trouble.advice,
                request_id: trouble.request_id.unwrap_or_default().into(),
                ..row
            },
        }
    }

    /// The row of a file that the plan left out.
    pub(super) fn of_skipped(terms: &'a Terms, skipped: &'a SkippedRow) -> Self {
        let path = skipped.path.as_deref().unwrap_or_default();
        SheetRow {
            file_id: skipped
                .file
                .as_ref()
                .map_or("", |file| file.as_str())
                .into(),
            name: name(path).into(),
            path: path.into(),
            project: skipped.project.as_deref().unwrap_or_default().into(),
            task: "".into(),
            app: "".into(),
            metadata: "".into(),
            volume: terms.volume.as_str().into(),
            bucket: terms.bucket.as_deref().unwrap_or_default().into(),
            key: "".into(),
            size: skipped.size,
            export_id: "".into(),
            state: "skipped",
            class: &skipped.kind,
            code: None,
            message: skipped.reason.as_str().into(),
            advice: "".into(),
            request_id: "".into(),
            started: None,
            finished: None,
            attempts: 0,
            etag: "".into(),
            verified: "",
            verified_at: None,
            verified_against: "",
            verified_size: "",
            confirmed_by: "",
            because: "".into(),
        }
    }

    /// The row with this done to every text that somebody else wrote.
    pub(super) fn with_texts(self, change: fn(Cow<'a, str>) -> Cow<'a, str>) -> Self {
        SheetRow {
            file_id: change(self.file_id),
            name: change(self.name),
            path: change(self.path),
            project: change(self.project),
            task: change(self.task),
            app: change(self.app),
            metadata: change(self.metadata),
            volume: change(self.volume),
            bucket: change(self.bucket),
            key: change(self.key),
            export_id: change(self.export_id),
            message: change(self.message),
            request_id: change(self.request_id),
            etag: change(self.etag),
            because: change(self.because),
            ..self
        }
    }
}

/// Whether the size of an object that was there was held against the planned one, and if not, who didn't tell it.
fn size_compared(seen: &Verified) -> &'static str {
    match (seen.finding, seen.size_untold) {
        (Finding::Missing | Finding::Unread, _) => "",
        (Finding::Same | Finding::Extra | Finding::Differs, None) => "compared",
        (Finding::Same | Finding::Extra | Finding::Differs, Some(Untold::Object)) => "not-listed",
        (Finding::Same | Finding::Extra | Finding::Differs, Some(Untold::File)) => "not-planned",
    }
}
