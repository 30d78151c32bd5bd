//! `cavatica resolve`: somebody's word on files whose outcome can't be known from here.

use cavatica_report::Summary;
use cavatica_transfer::journal::{Opening, TransferFile};
use cavatica_transfer::state::{Failure as Refusal, ItemId, Word};
use jiff::Timestamp;

use crate::args::{self, ResolveAs};
use crate::command::status;
use crate::failure::{Exit, Failure};
use crate::ui::{Ui, counted};

pub(crate) fn run(args: &args::Resolve, ui: &Ui) -> Result<Exit, Failure> {
    let file = TransferFile::open(&args.transfer)?;
    let ids = items(&file, &args.files)?;
    drop(file);
    let word = match args.outcome {
        ResolveAs::Completed => Word::Completed,
        ResolveAs::NotSent => Word::NotSent,
        ResolveAs::Failed => Word::Failed(Refusal {
            code: None,
            status: None,
            message: args.because.clone(),
            request_id: None,
        }),
    };
    let now = Timestamp::now();
    let mut journal = Opening::default().open(&args.transfer, now)?;
    journal.resolve(&ids, &word, &args.because)?;
    drop(journal);
    ui.note(format_args!(
        "{} taken for {} by your word; reports count what was said apart",
        counted(ids.len() as u64, "file"),
        args.outcome.words()
    ));
    let summary = Summary::read(&args.transfer)?;
    status::show(&summary, ui)?;
    Ok(status::verdict(&summary))
}

/// The numbers of the files that are named by their id or their key.
fn items(file: &TransferFile, names: &[String]) -> Result<Vec<ItemId>, Failure> {
    let mut left: Vec<&String> = names.iter().collect();
    let mut ids = Vec::new();
    let mut after = None;
    while !left.is_empty() {
        let page = file.items(after)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for row in page {
            let is_named = |name: &&String| **name == row.file.as_str() || **name == row.location;
            if let Some(place) = left.iter().position(is_named) {
                left.swap_remove(place);
                ids.push(row.id);
            }
        }
    }
    match left.first() {
        None => Ok(ids),
        Some(name) => Err(Failure::usage(format!(
            "`{}` is neither the id nor the key of a file of this transfer",
            name
        ))
        .hint("`cavatica report` lists them")),
    }
}
