//! Events as JSON, for programs. The shapes are kept stable.

use cavatica_transfer::{Again, Event, Way};
use serde_json::{Value, json};

use crate::command::run::stop_words;

/// An event as a JSON object.
pub(super) fn described(event: &Event) -> Value {
    match event {
        Event::RunBegan { tally, resumed } => {
            json!({"event": "run_began", "resumed": resumed, "tally": tally})
        }
        Event::BatchAnswered {
            files,
            accepted,
            refused,
        } => {
            json!({"event": "batch_answered", "files": files, "accepted": accepted, "refused": refused})
        }
        Event::AnswersLost { files, reason } => {
            json!({"event": "answers_lost", "files": files, "reason": reason})
        }
        Event::Reconciled {
            found,
            absent,
            unknown,
        } => {
            json!({"event": "reconciled", "found": found, "absent": absent, "unknown": unknown})
        }
        Event::FilesCompleted { files, bytes } => {
            json!({"event": "files_completed", "files": files, "bytes": bytes})
        }
        Event::FileFailed {
            file,
            location,
            export,
            failure,
            again,
        } => json!({
            "event": "file_failed", "file_id": file, "location": location, "export_id": export,
            "code": failure.code, "message": failure.message, "class": failure.class().as_str(),
            "request_id": failure.request_id, "again": *again == Again::Later,
        }),
        Event::FileUnclear {
            file,
            location,
            reason,
        } => {
            json!({"event": "file_unclear", "file_id": file, "location": location, "reason": reason})
        }
        Event::Counted {
            unfinished,
            in_flight,
        } => {
            json!({"event": "counted", "unfinished": unfinished, "in_flight": in_flight})
        }
        Event::VolumeUnseen { reason } => json!({"event": "volume_unseen", "reason": reason}),
        Event::ClocksDiffer { ahead } => {
            json!({"event": "clocks_differ", "platform_ahead_s": ahead.as_secs()})
        }
        Event::FilesHeld { files } => json!({"event": "files_held", "files": files}),
        Event::FilesRetried { files } => json!({"event": "files_retried", "files": files}),
        Event::FolderFollowed(decision) => {
            let (way, pages) = match decision.way {
                Way::Listing { pages } => ("listing", Some(pages)),
                Way::Ids => ("ids", None),
            };
            json!({
                "event": "folder_followed", "folder_id": decision.folder, "planned": decision.planned,
                "entries": decision.entries, "way": way, "pages": pages,
            })
        }
        Event::CopyProven => json!({"event": "copy_proven"}),
        Event::Paused { reason, pause } => {
            json!({"event": "paused", "reason": reason, "seconds": pause.as_secs_f64()})
        }
        Event::SendingStopped { reason } => {
            json!({"event": "sending_stopped", "reason": stop_words(*reason)})
        }
        Event::Tallied { tally } => json!({"event": "tallied", "tally": tally}),
        _ => json!({"event": "other"}),
    }
}
