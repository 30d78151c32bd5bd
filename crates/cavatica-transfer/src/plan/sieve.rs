//! What becomes of each selected file: planned, left out with a reason, or a reason to refuse the plan.

use std::collections::BTreeMap;

use cavatica_exports::model::manifest::{self, Row};
use cavatica_exports::model::{
    ExportProperties, File, FileFacts, FileId, Findings, Layout, Location, LocationError, Regions,
    UnknownKeys, Volume, Warning, expected_beginning,
};

use super::error::{Refusal, RefusedFile};
use super::{PlanProgress, PlanSample, PlanWarning, Policy, PublicAcl};
use crate::journal::{Draft, JournalError, Overwrite, PlannedFile, SeenFiles, SkippedFile};

/// How many files the sample shows.
const SAMPLE: usize = 5;

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
    regions: Regions,
    pub(super) refusal: Refusal,
    pub(super) warnings: Vec<PlanWarning>,
    pub(super) sample: Vec<PlanSample>,
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

/// What names a file that isn't planned.
#[derive(Clone, Copy, Debug)]
struct Named<'a> {
    id: Option<&'a FileId>,
    path: Option<&'a str>,
    file: Option<&'a File>,
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
            regions: Regions::default(),
            refusal: Refusal::default(),
            warnings: Vec::new(),
            sample: Vec::new(),
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
        let name = file.name.value().map(String::as_str);
        let path = match (folders, name) {
            (Some(""), Some(name)) => Some(name.to_owned()),
            (Some(folders), Some(name)) => Some(format!("{folders}/{name}")),
            (None, name) => name.map(str::to_owned),
            (Some(_), None) => None,
        };
        let named = Named {
            id: Some(&file.id),
            path: path.as_deref(),
            file: Some(file),
        };
        if !self.seen.insert(&file.id) {
            // A list that shifts while it is read shows files twice; a manifest that names one twice is a mistake.
            if row.is_some() {
                self.leave_out(named, "listed-twice", "the manifest lists the file twice")?;
            }
            return Ok(Flow::More);
        }
        let mut findings = file.export_findings();
        if let Some(objection) = findings.objections.first() {
            self.leave_out(named, objection.name(), &objection.to_string())?;
            return Ok(Flow::More);
        }
        findings.warnings.extend(self.regions.note(file));
        for warning in &findings.warnings {
            if self.policies.contains_key(warning.name()) {
                self.leave_out(named, warning.name(), &warning.to_string())?;
                return Ok(Flow::More);
            }
        }
        let location = match self.location(file, folders, row) {
            Ok(location) => location,
            Err(reason) => {
                self.leave_out(named, "location", &reason)?;
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
        for warning in findings.warnings.iter().chain(&of_properties.warnings) {
            let known = self
                .warnings
                .iter_mut()
                .find(|known| known.name == warning.name());
            match known {
                Some(known) => known.files += 1,
                None => self.warnings.push(PlanWarning {
                    name: warning.name(),
                    message: format!("{}: {warning}", path.as_deref().unwrap_or(file.id.as_str())),
                    remedy: warning.remedy(),
                    files: 1,
                }),
            }
        }
        let origin = file.origin.value();
        let metadata = self.chosen(file);
        self.draft.add(&PlannedFile {
            file: &file.id,
            location: &location,
            size: file.size.value().copied(),
            path: path.as_deref(),
            project: file.project.value(),
            task: origin.and_then(|origin| origin.task.value()),
            overwrite: row.and_then(|row| row.overwrite).map(overwrite),
            properties: properties.as_ref(),
            metadata: metadata.as_deref(),
        })?;
        if self.sample.len() < SAMPLE {
            self.sample.push(PlanSample {
                file_id: file.id.to_string(),
                path,
                key: expected_beginning(self.volume.prefix()) + location.as_str(),
            });
        }
        self.tell();
        Ok(self.flow())
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

    /// A file of which only the id is known, because the platform doesn't show it.
    pub(super) fn miss(&mut self, id: &FileId, reason: &str) -> Result<(), JournalError> {
        let named = Named {
            id: Some(id),
            path: None,
            file: None,
        };
        self.leave_out(named, "missing", reason)
    }

    /// A row without a file id.
    pub(super) fn nameless(&mut self, path: &str, reason: &str) -> Result<(), JournalError> {
        let named = Named {
            id: None,
            path: Some(path),
            file: None,
        };
        self.leave_out(named, "missing", reason)
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
        };
        let reason = format!("what the platform tells of it can't be read: {reason}");
        self.leave_out(named, "unreadable", &reason)
    }

    fn location(
        &self,
        file: &File,
        folders: Option<&str>,
        row: Option<&Row>,
    ) -> Result<Location, String> {
        let facts = FileFacts::of(file, folders);
        let made = match row.and_then(|row| row.location.as_ref()) {
            Some(named) => self.layout.location_as_named(named),
            None => self.layout.location(&facts),
        };
        let location = made.map_err(|error| error.to_string())?;
        location
            .key_with_prefix(self.volume.prefix())
            .map_err(|error: LocationError| error.to_string())?;
        Ok(location)
    }

    fn leave_out(
        &mut self,
        named: Named<'_>,
        kind: &str,
        reason: &str,
    ) -> Result<(), JournalError> {
        match self.policies.get(kind) {
            Some(Policy::Fail) => self.refuse(named, kind, reason),
            Some(Policy::Skip) | None => self.draft.skip(&SkippedFile {
                file: named.id,
                path: named.path,
                size: named.file.and_then(|file| file.size.value().copied()),
                project: named.file.and_then(|file| file.project.value()),
                kind,
                reason,
            })?,
        }
        self.tell();
        Ok(())
    }

    fn refuse(&mut self, named: Named<'_>, kind: &str, reason: &str) {
        self.refusal.add(RefusedFile {
            file_id: named.id.map(FileId::to_string),
            path: named.path.map(str::to_owned),
            kind: kind.to_owned(),
            reason: reason.to_owned(),
        });
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
}

fn overwrite(row: manifest::Overwrite) -> Overwrite {
    match row {
        manifest::Overwrite::Allow => Overwrite::Allowed,
        manifest::Overwrite::Forbid => Overwrite::Forbidden,
    }
}
