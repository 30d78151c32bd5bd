//! `cavatica take`: a transfer that another account planned.

use cavatica_transfer::journal::Approval;
use cavatica_transfer::{TakeError, TakeReport, look_before_taking};
use jiff::Timestamp;
use serde::Serialize;

use crate::api;
use crate::args::{self, Global};
use crate::command::run::opening;
use crate::credentials::Environment;
use crate::failure::{Detail, Exit, Failure};
use crate::hint;
use crate::ui::{Ui, counted};

/// What an account found, and whether the transfer is its own now.
#[derive(Serialize)]
struct TakeDocument<'a> {
    #[serde(flatten)]
    report: &'a TakeReport,
    taken: bool,
}

pub(crate) async fn run(args: &args::Take, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let found = api::credentials(global, ui)?;
    let client = api::client(global, found)?;
    let report = look_before_taking(&args.transfer, &client).await?;
    if args.yes {
        let opening = opening(&Environment::read(), ui).approved(Approval::AsPlanned);
        let mut journal = opening.open(&args.transfer, Timestamp::now())?;
        journal.take_over(&report.account)?;
    }
    if ui.is_json() {
        ui.json(&TakeDocument {
            report: &report,
            taken: args.yes,
        })?;
    } else {
        show(&report, args, ui)?;
    }
    Ok(Exit::Done)
}

fn show(report: &TakeReport, args: &args::Take, ui: &Ui) -> Result<(), Failure> {
    let TakeReport {
        transfer,
        account,
        planned_by,
        volume,
        files,
        looked_at,
        ..
    } = report;
    ui.sentence(format_args!(
        "{transfer}: {} to volume {volume}, planned by account {planned_by}; account {account} may write there, and can read all {} that were looked at",
        counted(*files, "file"),
        counted(*looked_at, "file"),
    ))?;
    let word = hint::path_word(&args.transfer);
    if args.yes {
        ui.note(format_args!(
            "it is account {account}'s from now on; `cavatica run {word} --yes` sends it"
        ));
    } else {
        ui.note(format_args!(
            "nothing was changed; with --yes it becomes account {account}'s, for ever"
        ));
    }
    Ok(())
}

impl From<TakeError> for Failure {
    fn from(error: TakeError) -> Self {
        let message = error.to_string();
        match error {
            TakeError::Journal(error) => error.into(),
            TakeError::Call(error) => error.into(),
            TakeError::IsYours { path, .. } => Failure::new(Exit::NothingToDo, message).hint(
                format!("`cavatica run {}` sends it", hint::path_word(&path)),
            ),
            TakeError::Volume { .. } => Failure::usage(message).hint(hint::VOLUMES),
            TakeError::NoWritePermission { .. } => Failure::new(Exit::Denied, message)
                .hint("`cavatica volumes members` shows and changes who may write there"),
            TakeError::Unreadable { files, .. } => {
                let mut failure = Failure::new(Exit::Denied, message)
                    .hint("make the account a member of the project, with the right to copy");
                let details = files.into_iter().take(20).map(|(file, message)| Detail {
                    name: "unreadable".to_owned(),
                    message: format!("{file}: {message}"),
                    remedy: String::new(),
                });
                failure.details = details.collect();
                failure
            }
            _ => Failure::new(Exit::Other, message),
        }
    }
}
