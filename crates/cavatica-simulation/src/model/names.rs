//! The small numbers of the model, and what they are called on the wire.

use cavatica_exports::model::{ExportId, ExportJob, FileId, Location, Tri, VolumeId};
use cavatica_transfer::journal::{IntentId, Item, Overwrite, Sent};
use cavatica_transfer::state::ItemId;
use jiff::SignedDuration;
use serde_json::json;

use super::setting::Setting;
use super::world::{Job, Record, Stage, stamp};
use crate::Belief;

pub(super) fn volume() -> VolumeId {
    "lab/results".parse().expect("a volume")
}

fn location(file: u8) -> Location {
    format!("run/{file}.bam").parse().expect("a location")
}

pub(super) fn file_id(file: u8) -> FileId {
    format!("{file:024x}").parse().expect("a file")
}

pub(super) fn item_id(file: u8) -> ItemId {
    ItemId(i64::from(file))
}

pub(super) fn file_of(item: ItemId) -> u8 {
    u8::try_from(item.0).expect("a file of ours")
}

pub(super) fn export_id(job: u8) -> ExportId {
    format!("job{job}").parse().expect("an id")
}

pub(super) fn job_of(export: &ExportId) -> u8 {
    export.as_str()[3..].parse().expect("an id of ours")
}

impl Record {
    pub(super) fn item(&self, file: u8, setting: &Setting) -> Item {
        Item {
            id: item_id(file),
            file: file_id(file),
            location: location(file),
            size: Some(1),
            folder: None,
            overwrite: if setting.overwrite && !self.lost {
                Overwrite::Allowed
            } else {
                Overwrite::Forbidden
            },
            properties: Tri::Absent,
            attempt: self.attempt,
        }
    }

    pub(super) fn as_sent(&self, file: u8, setting: &Setting) -> Sent {
        Sent {
            item: self.item(file, setting),
            call: IntentId(self.call),
            at: stamp(self.sent),
        }
    }

    /// Jobs that aren't the one that is looked for.
    pub(super) fn earlier(&self) -> Vec<ExportId> {
        self.past.iter().copied().map(export_id).collect()
    }
}

/// A job as the platform shows it.
pub(super) fn shown(job: &Job, number: u8, stage: Stage, setting: &Setting) -> ExportJob {
    let date = |moment| {
        let apart = if setting.believes(Belief::OneClock) {
            0
        } else {
            -900
        };
        let ahead = SignedDuration::from_secs(setting.ahead? + apart);
        Some(stamp(moment) + ahead)
    };
    let mut shown = json!({
        "id": export_id(number),
        "state": match stage {
            Stage::Live => "RUNNING",
            Stage::Completed => "COMPLETED",
            Stage::Failed(_) => "FAILED",
        },
        "source": {"file": file_id(job.file)},
        "destination": {"volume": volume(), "location": location(job.file)},
        "started_on": date(job.began),
    });
    if stage != Stage::Live {
        shown["finished_on"] = json!(date(job.ended));
    }
    if let Stage::Failed(code) = stage {
        shown["error"] = json!({"status": 409, "code": code, "message": "no"});
    }
    serde_json::from_value(shown).expect("a job")
}
