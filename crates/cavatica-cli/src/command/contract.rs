//! `cavatica contract`: what transfers saw of the platform, to be sent to the project.

use cavatica_report::Contract;
use cavatica_transfer::journal::TransferFile;
use serde::Serialize;

use crate::args;
use crate::failure::{Exit, Failure};
use crate::ui::Ui;

#[derive(Serialize)]
struct Printed<'c> {
    program: &'static str,
    #[serde(flatten)]
    contract: &'c Contract,
}

pub(crate) fn run(args: &args::Contract, ui: &Ui) -> Result<Exit, Failure> {
    let opened = args.transfers.iter().map(|path| TransferFile::open(path));
    let transfers = opened.collect::<Result<Vec<_>, _>>()?;
    let contract = Contract::of(&transfers)?;
    let program = env!("CAVATICA_VERSION");
    if ui.is_json() {
        ui.json(&Printed {
            program,
            contract: &contract,
        })?;
    } else {
        ui.text(&contract.page(program))?;
    }
    if contract
        .questions
        .iter()
        .all(|line| line.observed.is_empty())
    {
        ui.note(
            "nothing was observed yet: transfers keep what their runs see, from this version on",
        );
        return Ok(Exit::NothingToDo);
    }
    Ok(Exit::Done)
}
