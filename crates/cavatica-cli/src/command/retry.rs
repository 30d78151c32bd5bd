//! `cavatica retry`: failed files once more.

use cavatica_transfer::journal::TransferFile;

use crate::args::{self, Global};
use crate::command::run::{Opened, drive, say_how_it_ended, unchanged};
use crate::command::status;
use crate::exit::{Exit, Failure};
use crate::hint;
use crate::ui::{Ui, counted};

pub(crate) async fn run(args: &args::Retry, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    if !args.yes {
        return Err(
            Failure::usage("nothing was sent: say --yes to send failed files again").hint(format!(
                "`cavatica status {}` shows which ones failed",
                hint::path_word(&args.transfer)
            )),
        );
    }
    unchanged(&args.transfer, &TransferFile::open(&args.transfer)?)?;
    let mut opened = Opened::new(&args.transfer, &args.pace, global, ui).await?;
    let files = opened.journal.retry(&args.codes)?;
    if files == 0 {
        ui.note(match args.codes[..] {
            [] => "no file is sent again: none failed in a way that passes by waiting; `--code N` sends those that failed with N",
            _ => "no file is sent again: none failed with such a code",
        });
    } else {
        ui.note(format_args!(
            "sent again: {}",
            counted(files, "failed file")
        ));
    }
    let options = args.pace.options();
    let (summary, exit) = drive(opened, &args.transfer, &args.pace, &options, ui).await?;
    status::show(&summary, ui)?;
    say_how_it_ended(&args.transfer, exit, ui);
    Ok(match (files, exit) {
        (0, Exit::Done) => Exit::NothingToDo,
        (_, exit) => exit,
    })
}
