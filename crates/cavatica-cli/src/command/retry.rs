//! `cavatica retry`: failed files once more.

use cavatica_transfer::journal::{Approval, TransferFile};
use cavatica_transfer::{OverwriteAgain, Retry, UnknownFiles};

use crate::args::{self, Global};
use crate::command::run::{Work, say_how_it_ended};
use crate::command::status;
use crate::exit::{Exit, Failure};
use crate::hint;
use crate::ui::{Ui, counted};

pub(crate) async fn run(args: &args::Retry, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let transfer = hint::path_word(&args.transfer);
    if !args.yes {
        return Err(
            Failure::usage("nothing was sent: say --yes to send failed files again").hint(format!(
                "`cavatica status {transfer}` shows which ones failed"
            )),
        );
    }
    let before = TransferFile::open(&args.transfer)?.tally()?;
    let mut options = args.pace.options();
    options.retry = Some(args.retry());
    let work = Work {
        transfer: &args.transfer,
        approval: Approval::AsPlanned,
        pace: &args.pace,
        options: &options,
    };
    let (summary, exit) = work.carry_out(global, ui).await?;
    status::show(&summary, ui)?;
    let never_sent = summary
        .overview
        .left
        .saturating_sub(summary.overview.in_flight);
    if never_sent > 0 {
        ui.note(format_args!(
            "{} not sent by a retry; `cavatica run {transfer} --yes` sends what is left",
            counted(never_sent, "file")
        ));
    }
    if summary.overview.failed > 0 && args.codes.is_empty() {
        ui.note("failures that don't pass by waiting are sent again with --code N");
    }
    say_how_it_ended(&args.transfer, exit, ui);
    let nothing = before.failed.files + before.unknown.files == 0;
    Ok(match (nothing, exit) {
        (true, Exit::Done) => Exit::NothingToDo,
        (_, exit) => exit,
    })
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
