//! `cavatica run`: sends what was planned, or goes on where an earlier run stopped.

use std::path::Path;

use cavatica_exports::model::ExportMode;
use cavatica_transfer::journal::{Approval, JournalError, TransferFile};

use crate::args::{self, Global};
use crate::command::status;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::ui::{self, Ui};

mod drive;
mod on_end;

pub(crate) use drive::{Work, opening};

pub(crate) async fn run(args: &args::Run, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let approval = approval(args)?;
    let mut options = args.pace.options();
    options.limit = args.limit;
    let work = Work {
        transfer: &args.transfer,
        approval,
        pace: &args.pace,
        options: &options,
    };
    let (summary, exit) = work.carry_out(global, ui).await?;
    status::show(&summary, ui)?;
    if args.limit.is_some() && summary.overview.left > 0 {
        ui.note(format_args!(
            "{} left for the next run, as --limit says",
            ui::counted(summary.overview.left, "file")
        ));
    }
    say_how_it_ended(&args.transfer, exit, ui);
    Ok(exit)
}

/// Says what an exit code alone would leave people to look up: that nothing was left, or how to go on.
pub(crate) fn say_how_it_ended(transfer: &Path, exit: Exit, ui: &Ui) {
    if exit == Exit::NothingToDo {
        ui.note("nothing was left to do");
    }
    if exit == Exit::Interrupted {
        ui.note(format_args!(
            "interrupted; `cavatica run {} --yes` goes on from here",
            hint::path_word(transfer)
        ));
    }
}

/// Nothing is sent without a word: `--yes`, or the fingerprint that somebody looked at.
fn approval(args: &args::Run) -> Result<Approval, Failure> {
    let file = TransferFile::open(&args.transfer)?;
    if let Some(split) = file.split() {
        return Err(split.error(&args.transfer).into());
    }
    match &args.consent.approve {
        // Whether the plan is that one is looked at once the transfer is held.
        Some(approved) => {
            // A part is approved by its own fingerprint, or by the one over all.
            let whole = file.part().map(|part| part.whole);
            let of_whole = whole.filter(|whole| approved.of(*whole) == Some(*whole));
            match (of_whole, approved.of(file.fingerprint())) {
                (Some(whole), _) => Ok(Approval::OfWhole(whole)),
                (None, Some(approved)) => Ok(Approval::Of(approved)),
                (None, None) => Err(JournalError::NotApproved {
                    path: args.transfer.clone(),
                    found: file.fingerprint(),
                }
                .into()),
            }
        }
        // A transfer that is taken up again shall be on its way at once, with a million files too.
        None if args.consent.yes && file.has_begun()? => Ok(Approval::NotAsked),
        // A plan that was changed after it was written isn't what a `--yes` is about.
        None if args.consent.yes => Ok(Approval::AsPlanned),
        None => Err(Failure::usage(format!(
            "nothing was sent: say --yes, or --approve {}",
            file.fingerprint()
        ))
        .hint(match file.terms().mode {
            ExportMode::Move => {
                "the transfer moves: the platform's copies will be deleted, which can't be undone"
            }
            ExportMode::Copy => "the transfer copies: the platform keeps its copies",
        })
        .hint(format!(
            "`cavatica status {}` shows what it holds",
            hint::path_word(&args.transfer)
        ))),
    }
}
