//! A plan that came to nothing.

use cavatica_exports::model::Location;
use cavatica_transfer::plan::{PlanError, Refusal};

use super::{Detail, Exit, Failure};
use crate::hint;

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let message = error.to_string();
        match error {
            PlanError::Call(error) => error.into(),
            PlanError::List(error) => error.into(),
            PlanError::Journal(error) => error.into(),
            PlanError::Volume { objections, .. } => {
                let mut failure =
                    Failure::usage("the volume takes no exports, nothing was planned")
                        .hint(hint::VOLUMES);
                failure.details = objections.iter().map(Detail::from).collect();
                failure
            }
            PlanError::Properties { objections } => {
                let mut failure =
                    Failure::usage("what is asked of S3 can't be had, nothing was planned");
                failure.details = objections.iter().map(Detail::from).collect();
                failure
            }
            PlanError::NoVolume { .. } | PlanError::ManyVolumes { .. } => {
                Failure::usage(message).hint("`cavatica volumes list` shows those that you can see")
            }
            PlanError::NoFolder { project, path } => match Location::of_windows_path(&path) {
                Some(path) => Failure::usage(message)
                    .hint(format!("folders are separated by `/`: say `{path}`")),
                None => Failure::no_entry(project, path),
            },
            PlanError::Nothing { .. } => Failure::new(Exit::NothingToDo, message)
                .hint("`cavatica files list` shows what is there; no file was written"),
            PlanError::Manifest { errors } => {
                let mut failure = Failure::usage(message);
                for error in &errors {
                    let problems = error.problems.iter().map(|problem| Detail {
                        name: problem.fault.name().to_owned(),
                        message: format!("line {}: {problem}", error.line),
                        remedy: String::new(),
                    });
                    failure.details.extend(problems);
                }
                failure.hint("`cavatica check` names every bad row, and needs no account")
            }
            PlanError::Refused(refusal) => of_refusal(&refusal),
            _ => Failure::usage(message),
        }
    }
}

/// Everything that stands against a plan.
fn of_refusal(refusal: &Refusal) -> Failure {
    let mut failure = Failure::usage("the plan is refused, nothing was planned");
    let same = refusal.collisions.iter().map(|collision| Detail {
        name: "same-location".to_owned(),
        message: format!(
            "{} files would go to `{}`: {}",
            collision.files,
            collision.locations.join("`, `"),
            collision.file_ids.join(", ")
        ),
        remedy: "choose another --dest, for instance {path}/{name}, or leave one of them out"
            .to_owned(),
    });
    let refused = refusal.refused.iter().map(|file| Detail {
        name: file.kind.clone(),
        message: format!("{file}: {}", file.reason),
        remedy: match file.kind.as_str() {
            "exists" => {
                "leave such files out with --existing skip, or choose another prefix"
                    .to_owned()
            }
            "public-acl" => "choose `private` or `bucket-owner-full-control` in the manifest; if the data are meant for everybody, say --public".to_owned(),
            "kms-key-without-kms" | "kms-key-twice" => {
                "put what the manifest asks for this file right".to_owned()
            }
            "contradicts" => "make the list anew, or leave out the column that is out of date; --on contradicts=skip leaves such files out".to_owned(),
            kind => format!("leave such files out with --on {kind}=skip"),
        },
    });
    failure.details = same.chain(refused).collect();
    failure
}
