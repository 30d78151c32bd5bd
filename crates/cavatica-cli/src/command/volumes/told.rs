//! What is told of a volume, and of a change to it.

use cavatica_exports::model::Volume;
use cavatica_exports::model::volume::expected_beginning;
use cavatica_exports::model::wire::OpenName;
use cavatica_exports::transport::{self, Outcome};

use crate::failure::{Exit, Failure};
use crate::ui::Ui;

/// A change that came to nothing, or may have: what it would have been, and how to find out.
pub(super) fn changed(error: transport::Error, what: &str, look: &str) -> Failure {
    let outcome = *error.outcome();
    let code = error.api_error().and_then(|error| error.code());
    let failure = Failure::from(error);
    match (outcome, code) {
        (Outcome::Unknown, _) => Failure {
            message: format!("it isn't known whether {what}"),
            hints: vec![look.to_owned()],
            ..failure
        },
        // The account may do it; it is the bucket that doesn't let the platform in.
        (Outcome::Refused, Some(9200..9300)) => Failure {
            exit: Exit::Refused,
            message: "the platform can't use the bucket with these credentials".to_owned(),
            ..failure
        },
        _ => failure,
    }
}

/// A volume as it stands now, and whether it takes exports.
pub(super) fn tell(volume: &Volume, ui: &Ui) -> Result<Exit, Failure> {
    if ui.is_json() {
        ui.json(volume)?;
        return Ok(Exit::Done);
    }
    ui.line(format_args!("{}  {}", volume.id, summary(volume)))?;
    let findings = volume.export_findings();
    for objection in &findings.objections {
        ui.sentence(format_args!(
            "takes no exports: {objection}; {}",
            objection.advice()
        ))?;
    }
    for warning in &findings.warnings {
        ui.warn(format_args!("{warning}; {}", warning.advice()));
    }
    Ok(Exit::Done)
}

/// Access mode, service and bucket of a volume in one line.
pub(super) fn summary(volume: &Volume) -> String {
    let access = volume.access_mode().map_or("?", |mode| mode.as_str());
    let service = match volume.service_type() {
        Some(service) => service
            .known()
            .map_or(service.as_str(), |known| known.name()),
        None => "?",
    };
    let bucket = volume.bucket().unwrap_or("?");
    let inactive = if volume.active.value() == Some(&false) {
        "  deactivated"
    } else {
        ""
    };
    format!(
        "{access:<2}  {service:<5}  {bucket}/{}{inactive}",
        expected_beginning(volume.prefix())
    )
}
