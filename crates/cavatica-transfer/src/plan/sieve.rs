//! What becomes of each selected file: planned, left out with a reason, or a reason to refuse the plan.

use std::collections::{BTreeMap, HashMap};

use cavatica_exports::model::destination::{
    DestinationError, DestinationFault, FileFacts, LocationError,
};
use cavatica_exports::model::finding::{Findings, Reason, Warning};
use cavatica_exports::model::manifest::{self, Row};
use cavatica_exports::model::project::Regions;
use cavatica_exports::model::text::visible;
use cavatica_exports::model::{
    ExportProperties, File, FileId, Layout, Location, TaskId, UnknownKeys, Volume,
};

use super::candidate::Candidate;
use super::companion::{Waiting, is_companion};
use super::drafted::Drafted;
use super::error::Refusal;
use super::options::{Policy, PublicAcl};
use super::report::{PlanProgress, PlanWarning};
use super::unplanned::{Examples, Named};
use crate::journal::{Draft, JournalError, Overwrite, PlannedFile, SeenFiles, SkippedFile};

/// Progress is told once in so many files.
const TOLD_EVERY: u64 = 1_000;

/// Takes files one by one.
pub(super) struct Sieve<'a> {
    pub(super) draft: Draft,
    pub(super) volume: Volume,
    layout: Layout,
    policies: BTreeMap<String, Policy>,
    limit: Option<u64>,
    metadata: Vec<String>,
    /// What to do about rows that ask for an ACL which lets people outside read; refused unless set.
    pub(super) public_acl: PublicAcl,
    pub(super) seen: SeenFiles,
    /// Files that a job is carrying to the volume already, with their locations there.
    pub(super) under_way: HashMap<FileId, String>,
    regions: Regions,
    pub(super) refusal: Refusal,
    pub(super) warnings: Vec<PlanWarning>,
    pub(super) left_out: Examples,
    /// Files that go where their main file goes, which must be asked for first.
    pub(super) waiting: Vec<Waiting>,
    /// The task whose outputs are taken at the moment.
    pub(super) task: Option<TaskId>,
    /// Whether somebody named each file, so that one which isn't there is a mistake.
    pub(super) is_listed: bool,
    progress: &'a mut (dyn FnMut(PlanProgress) + Send),
    told: u64,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// There is room for more.
    More,
    /// As many files are planned as were asked for.
    Enough,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(
        draft: Draft,
        volume: Volume,
        layout: Layout,
        policies: BTreeMap<String, Policy>,
        limit: Option<u64>,
        metadata: Vec<String>,
        progress: &'a mut (dyn FnMut(PlanProgress) + Send),
    ) -> Self {
        Sieve {
            draft,
            volume,
            layout,
            policies,
            limit,
            metadata,
            public_acl: PublicAcl::Refused,
            seen: SeenFiles::default(),
            under_way: HashMap::new(),
            regions: Regions::default(),
            refusal: Refusal::default(),
            warnings: Vec::new(),
            left_out: Examples::default(),
            waiting: Vec::new(),
            task: None,
            is_listed: false,
            progress,
            told: 0,
        }
    }

    /// How many files may still be planned.
    pub(super) fn room(&self) -> u64 {
        let (files, ..) = self.draft.counts();
        self.limit
            .map_or(u64::MAX, |limit| limit.saturating_sub(files))
    }

    pub(super) fn flow(&self) -> Flow {
        match self.room() {
            0 => Flow::Enough,
            _ => Flow::More,
        }
    }

    pub(super) fn warn(&mut self, warning: PlanWarning) {
        self.warnings.push(warning);
    }

    /// Takes one file, with the folders that it lies in from the project's root, if they are known.
    pub(super) fn take(
        &mut self,
        file: &File,
        folders: Option<&str>,
        row: Option<&Row>,
    ) -> Result<Flow, JournalError> {
        if self.flow() == Flow::Enough {
            return Ok(Flow::Enough);
        }
        let candidate = Candidate {
            file,
            folders,
            row,
            main: None,
        };
        let path = candidate.path();
        let named = candidate.named(path.as_deref());
        if !self.seen.insert(&file.id) {
            // A list that shifts while it is read shows files twice; a manifest that names one twice is a mistake.
            if row.is_some() {
                let kind = Reason::LISTED_TWICE.name;
                self.leave_out(named, kind, "the manifest lists the file twice")?;
            }
            return Ok(Flow::More);
        }
        if let Some(reason) = row.and_then(|row| row.contradiction(file)) {
            self.leave_out(named, Reason::CONTRADICTS.name, &reason)?;
            return Ok(Flow::More);
        }
        let mut findings = file.export_findings();
        if let Some(objection) = findings.objections.first() {
            self.leave_out(named, objection.name(), &objection.to_string())?;
            return Ok(Flow::More);
        }
        if let Some(place) = self.under_way.get(&file.id) {
            let reason = format!("an export of the file to `{place}` is under way");
            self.leave_out(named, Reason::IN_FLIGHT.name, &reason)?;
            return Ok(Flow::More);
        }
        findings.warnings.extend(self.regions.note(file));
        for warning in &findings.warnings {
            if self.policies.contains_key(warning.name()) {
                self.leave_out(named, warning.name(), &warning.to_string())?;
                return Ok(Flow::More);
            }
        }
        if is_companion(file) && self.lacks_a_field(candidate) {
            self.waiting.push(Waiting {
                file: file.clone(),
                folders: folders.map(str::to_owned),
                row: row.cloned(),
            });
            return Ok(Flow::More);
        }
        self.place(candidate, path.as_deref(), &findings.warnings)
    }

    /// Plans a companion, now that its main file was looked for.
    pub(super) fn take_companion(&mut self, candidate: Candidate<'_>) -> Result<(), JournalError> {
        if self.flow() == Flow::More {
            let path = candidate.path();
            let warnings = candidate.file.export_findings().warnings;
            self.place(candidate, path.as_deref(), &warnings)?;
        }
        Ok(())
    }

    /// Plans a file that may be sent, or leaves it out if there is no place for it.
    fn place(
        &mut self,
        candidate: Candidate<'_>,
        path: Option<&str>,
        warnings: &[Warning],
    ) -> Result<Flow, JournalError> {
        let Candidate { file, row, .. } = candidate;
        let named = candidate.named(path);
        let location = match self.location(candidate) {
            Ok(location) => location,
            Err(reason) => {
                self.leave_out(named, Reason::LOCATION.name, &reason)?;
                return Ok(Flow::More);
            }
        };
        let properties = self.own_properties(row);
        let of_properties = match &properties {
            Some(asked) => asked.findings_on(&self.volume),
            None => Findings::default(),
        };
        if let Some((kind, reason)) = self.forbids(&of_properties) {
            self.refuse(named, kind, &reason);
            return Ok(Flow::More);
        }
        let subject = path.unwrap_or(file.id.as_str());
        for warning in warnings.iter().chain(&of_properties.warnings) {
            let (reason, remedy) = (warning.reason(), warning.advice());
            self.note(reason, remedy, || format!("{subject}: {warning}"));
        }
        self.note_row(subject, candidate);
        if row.is_none_or(|row| row.location.is_none())
            && let Some(hidden) = location.hidden_characters()
        {
            self.note(&Reason::INVISIBLE, Reason::INVISIBLE.advice, || hidden);
        }
        let origin = file.origin.value();
        let metadata = self.chosen(file);
        let item = self.draft.add(&PlannedFile {
            file: &file.id,
            location: &location,
            size: file.size.value().copied(),
            path,
            project: file.project.value(),
            task: origin.and_then(|origin| origin.task.value()),
            overwrite: row.and_then(|row| row.overwrite).map(overwrite),
            properties: properties.as_ref(),
            metadata: metadata.as_deref(),
            folder: file.parent.value(),
        })?;
        if let Some(warning) = warnings.iter().find(|warning| warning.foretells_refusal()) {
            self.draft.note_warning(item, warning.name())?;
        }
        self.tell();
        Ok(self.flow())
    }

    /// Counts a warning, and keeps the words of the first of its kind.
    fn note(&mut self, reason: &Reason, remedy: &'static str, message: impl FnOnce() -> String) {
        match self
            .warnings
            .iter_mut()
            .find(|known| known.name == reason.name)
        {
            Some(known) => known.files += 1,
            None => self.warnings.push(PlanWarning {
                name: reason.name,
                message: message(),
                remedy,
                files: 1,
            }),
        }
    }

    /// What the row itself should make one think about. The platform knows its id, so that isn't odd.
    fn note_row(&mut self, subject: &str, Candidate { folders, row, .. }: Candidate<'_>) {
        let Some(row) = row else { return };
        let line = row.line;
        let own = row.warnings().into_iter();
        for warning in own.filter(|warning| *warning.reason != Reason::ODD_FILE_ID) {
            let said = || format!("{subject} on line {line}: {}", warning.message);
            self.note(warning.reason, warning.reason.advice, said);
        }
        if let Some(said) = folders.and_then(|folders| row.other_folders(folders)) {
            self.note(&Reason::OTHER_PATH, Reason::OTHER_PATH.advice, || {
                format!(
                    "{subject} on line {line}, where the manifest says `{}`",
                    visible(said)
                )
            });
        }
    }

    /// What is asked of S3 for this file alone, what is asked for all of them included; `None` if its row asks nothing.
    fn own_properties(&self, row: Option<&Row>) -> Option<ExportProperties> {
        let own = &row?.properties;
        let for_all = &self.draft.terms().properties;
        (*own != ExportProperties::default()).then(|| match for_all.value() {
            Some(for_all) => own.or(for_all),
            None => own.clone(),
        })
    }

    /// Why a file isn't planned with what its row asks for.
    fn forbids(&self, findings: &Findings) -> Option<(&'static str, String)> {
        if let Some(objection) = findings.objections.first() {
            return Some((objection.name(), objection.to_string()));
        }
        let public = findings.warnings.iter().find(|warning| {
            matches!(
                warning,
                Warning::PublicAcl {
                    by_default: false,
                    ..
                }
            )
        });
        match self.public_acl {
            PublicAcl::Refused => public.map(|warning| (warning.name(), warning.to_string())),
            PublicAcl::Confirmed => None,
        }
    }

    /// A file that the platform doesn't show, by what names it.
    pub(super) fn miss(
        &mut self,
        id: Option<&FileId>,
        path: Option<&str>,
        line: Option<u64>,
        reason: &str,
    ) -> Result<(), JournalError> {
        let named = Named {
            id,
            path,
            file: None,
            line,
        };
        self.leave_out(named, Reason::MISSING.name, reason)
    }

    /// The chosen metadata fields that the file has, as a JSON object; `None` if it has none of them.
    fn chosen(&self, file: &File) -> Option<String> {
        let metadata = file.metadata.value()?;
        let chosen: UnknownKeys = self
            .metadata
            .iter()
            .filter_map(|field| Some((field.clone(), metadata.get(field)?.clone())))
            .collect();
        (!chosen.is_empty()).then(|| serde_json::Value::Object(chosen).to_string())
    }

    /// An entry of a list that isn't of a shape that we know: a file, or a folder with all that is in it.
    pub(super) fn unreadable(
        &mut self,
        folders: &str,
        raw: &serde_json::Value,
        reason: &str,
    ) -> Result<(), JournalError> {
        let text = |key: &str| raw.get(key).and_then(serde_json::Value::as_str);
        let id: Option<FileId> = text("id").and_then(|id| id.parse().ok());
        let path = match folders {
            "" => text("name").unwrap_or_default().to_owned(),
            folders => format!("{folders}/{}", text("name").unwrap_or_default()),
        };
        let named = Named {
            id: id.as_ref(),
            path: Some(&path),
            file: None,
            line: None,
        };
        let reason = format!("what the platform tells of it can't be read: {reason}");
        self.leave_out(named, Reason::UNREADABLE.name, &reason)
    }

    fn location(&self, candidate: Candidate<'_>) -> Result<Location, String> {
        let location = self
            .destination(candidate)
            .map_err(|error| error.to_string())?;
        location
            .key_with_prefix(self.volume.prefix())
            .map_err(|error: LocationError| error.to_string())?;
        Ok(location)
    }

    /// Where a file goes: its row says it, or what is known of the file.
    fn destination(&self, candidate: Candidate<'_>) -> Result<Location, DestinationError> {
        let Candidate {
            file,
            folders,
            row,
            main,
        } = candidate;
        if let Some(named) = row.and_then(|row| row.location.as_ref()) {
            return self.layout.location_as_named(named);
        }
        let own = FileFacts::of(file, folders);
        let main = main
            .map(|main| FileFacts::of(main, None))
            .unwrap_or_default();
        let said = row.map(Row::facts).unwrap_or_default();
        // What the manifest says comes first, then what the platform tells of the file, then what it tells of the main file.
        let task = said.task.or(own.task).or(main.task).or(self.task.as_ref());
        let sources = [main.metadata, own.metadata, said.metadata];
        let mut known = sources
            .into_iter()
            .flatten()
            .filter(|fields| !fields.is_empty());
        let (first, more) = (known.next(), known);
        let mut merged = None;
        for fields in more {
            let all = merged.get_or_insert_with(|| first.cloned().unwrap_or_default());
            all.extend(
                fields
                    .iter()
                    .map(|(field, value)| (field.clone(), value.clone())),
            );
        }
        let metadata = merged.as_ref().or(first);
        let mut facts = own;
        facts.task = task;
        facts.metadata = metadata;
        self.layout.location(&facts)
    }

    /// Whether a file has no location only because something isn't known of it.
    fn lacks_a_field(&self, candidate: Candidate<'_>) -> bool {
        self.destination(candidate).is_err_and(|error| {
            let mut faults = error.faults().iter();
            faults.all(|fault| matches!(fault, DestinationFault::Missing(_)))
        })
    }

    /// What to do about a kind, where nobody said it: a mistake in a list fails the plan, and so does
    /// somebody else at work.
    fn policy(&self, kind: &str) -> Policy {
        let by_default = match kind {
            kind if kind == Reason::CONTRADICTS.name || kind == Reason::IN_FLIGHT.name => {
                Policy::Fail
            }
            kind if kind == Reason::MISSING.name && self.is_listed => Policy::Fail,
            _ => Policy::Skip,
        };
        self.policies.get(kind).copied().unwrap_or(by_default)
    }

    fn leave_out(
        &mut self,
        named: Named<'_>,
        kind: &str,
        reason: &str,
    ) -> Result<(), JournalError> {
        match self.policy(kind) {
            Policy::Fail => self.refuse(named, kind, reason),
            Policy::Skip => {
                self.left_out.note(|| named.unplanned(kind, reason), kind);
                self.draft.skip(&SkippedFile {
                    file: named.id,
                    path: named.path,
                    size: named.file.and_then(|file| file.size.value().copied()),
                    project: named.file.and_then(|file| file.project.value()),
                    kind,
                    reason,
                })?;
            }
        }
        self.tell();
        Ok(())
    }

    fn refuse(&mut self, named: Named<'_>, kind: &str, reason: &str) {
        self.refusal.add(named.unplanned(kind, reason));
    }

    fn tell(&mut self) {
        let (files, bytes, skipped) = self.draft.counts();
        if (files + skipped) / TOLD_EVERY > self.told {
            self.told = (files + skipped) / TOLD_EVERY;
            (self.progress)(PlanProgress {
                files,
                bytes,
                skipped,
            });
        }
    }

    /// What came through, without what only the sieving needed: what follows takes as much memory again.
    pub(super) fn finish(self) -> (Drafted, Volume, Vec<PlanWarning>) {
        let drafted = Drafted {
            draft: self.draft,
            refusal: self.refusal,
            left_out: self.left_out,
        };
        (drafted, self.volume, self.warnings)
    }
}

fn overwrite(row: manifest::Overwrite) -> Overwrite {
    match row {
        manifest::Overwrite::Allow => Overwrite::Allowed,
        manifest::Overwrite::Forbid => Overwrite::Forbidden,
    }
}
