//! `cavatica retry`: failed files once more.

use std::path::{Path, PathBuf};

use cavatica_report::{Summary, Whole};
use cavatica_transfer::journal::{Approval, TransferFile};
use cavatica_transfer::{OverwriteAgain, Retry, UnknownFiles};

use crate::args::{self, Global};
use crate::command::run::{Work, say_how_it_ended};
use crate::command::{several, status};
use crate::failure::{Exit, Failure};
use crate::ui::{Ui, counted};

pub(crate) async fn run(args: &args::Retry, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let named = several::named(&args.transfers)?;
    let word = named.word();
    if !args.yes {
        return Err(
            Failure::usage("nothing was sent: say --yes to send failed files again")
                .hint(format!("`cavatica status {word}` shows which ones failed")),
        );
    }
    let paths = named.each(ui)?;
    let (summary, exit) = match paths.as_slice() {
        [one] => carry_out(one, args, global, ui).await?,
        paths => {
            let exit = one_by_one(paths, args, global, ui).await?;
            (Summary::of(&Whole::open(&named.name, paths)?)?, exit)
        }
    };
    status::show(&summary, ui)?;
    let never_sent = summary
        .overview
        .left
        .saturating_sub(summary.overview.in_flight);
    if never_sent > 0 {
        ui.note(format_args!(
            "{} not sent by a retry; `cavatica run {word} --yes` sends what is left",
            counted(never_sent, "file")
        ));
    }
    if summary.overview.failed > 0 && args.codes.is_empty() {
        ui.note("failures that don't pass by waiting are sent again with --code N");
    }
    if let [one] = paths.as_slice() {
        say_how_it_ended(one, exit, ui);
    }
    Ok(exit)
}

/// Several, each with the account that it is of: what this one may not send is told, and the others go on.
async fn one_by_one(
    paths: &[PathBuf],
    args: &args::Retry,
    global: &Global,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let mut exit = Exit::NothingToDo;
    for path in paths {
        let tally = TransferFile::open(path)?.tally()?;
        if tally.failed.files + tally.unknown.files == 0 {
            continue;
        }
        let ended = match carry_out(path, args, global, ui).await {
            Ok((_, exit)) => exit,
            Err(failure) => {
                ui.complaint(&failure);
                failure.exit
            }
        };
        exit = exit.or_worse(ended);
        if exit == Exit::Interrupted {
            break;
        }
    }
    Ok(exit)
}

async fn carry_out(
    transfer: &Path,
    args: &args::Retry,
    global: &Global,
    ui: &Ui,
) -> Result<(Summary, Exit), Failure> {
    let before = TransferFile::open(transfer)?.tally()?;
    let mut options = args.pace.options();
    options.retry = Some(args.retry());
    let work = Work {
        transfer,
        approval: Approval::AsPlanned,
        pace: &args.pace,
        options: &options,
    };
    let (summary, exit) = work.carry_out(global, ui).await?;
    let nothing = before.failed.files + before.unknown.files == 0;
    let exit = match (nothing, exit) {
        (true, Exit::Done) => Exit::NothingToDo,
        (_, exit) => exit,
    };
    Ok((summary, exit))
}

impl args::Retry {
    fn retry(&self) -> Retry {
        let mut retry = Retry::of_codes(self.codes.clone());
        retry.unknown = if self.unknown && self.may_send_twice {
            UnknownFiles::MaySendTwice
        } else {
            UnknownFiles::Leave
        };
        retry.overwrite = if self.overwrite_again {
            OverwriteAgain::Yes
        } else {
            OverwriteAgain::No
        };
        retry
    }
}
