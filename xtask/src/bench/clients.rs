//! The competitors: this program, and four ways of doing the same job with the platform's official Python client.

use std::path::Path;
use std::process::Command;

use super::cost::{Cost, measure};
use super::desk::{Case, Desk, PROJECT, VOLUME};
use crate::root;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Client {
    Ours,
    BestListing,
    BestBulk,
    BulkWithLookUps,
    OneByOne,
}

impl Client {
    pub(super) const ALL: [Client; 5] = [
        Client::Ours,
        Client::BestListing,
        Client::BestBulk,
        Client::BulkWithLookUps,
        Client::OneByOne,
    ];

    pub(super) fn words(self) -> &'static str {
        match self {
            Client::Ours => "`cavatica plan` + `run`",
            Client::BestListing => "Python, best loop that lists",
            Client::BestBulk => "Python, best bulk loop",
            Client::BulkWithLookUps => "Python, bulk with look-ups",
            Client::OneByOne => "Python, one by one",
        }
    }

    /// Whether it is over soon.
    pub(super) fn is_quick(self) -> bool {
        match self {
            Client::Ours | Client::BestListing | Client::BestBulk => true,
            Client::BulkWithLookUps | Client::OneByOne => false,
        }
    }

    /// Does the whole job.
    pub(super) fn work(self, desk: &Desk, python: &Path) -> Result<Cost, String> {
        let script = match self {
            Client::Ours => return Ok(plan(desk)? + run(desk)?),
            Client::BestListing => "best_listing.py",
            Client::BestBulk => "best_bulk.py",
            Client::BulkWithLookUps => "bulk_with_look_ups.py",
            Client::OneByOne => "one_by_one.py",
        };
        // What people wait between two looks.
        let poll = (30.0 / desk.world.faster).to_string();
        let mut command = desk.quiet(python);
        command
            .arg(root().join("xtask/bench").join(script))
            .args([PROJECT, VOLUME, &poll])
            // No compiled scripts beside the sources.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SB_API_ENDPOINT", &desk.sandbox.endpoint)
            .env("SB_AUTH_TOKEN", &desk.sandbox.token);
        measure(&mut command)
    }
}

/// Plans the whole project.
pub(super) fn plan(desk: &Desk) -> Result<Cost, String> {
    let mode = match desk.world.case {
        Case::Copies => "--copy",
        Case::Moves | Case::MovesWithoutScroll | Case::MovesThatFail => "--move",
    };
    measure(&mut desk.program(&[
        "plan",
        "--out",
        "t.transfer",
        "--project",
        PROJECT,
        "--volume",
        VOLUME,
        mode,
    ]))
}

/// Runs what was planned.
pub(super) fn run(desk: &Desk) -> Result<Cost, String> {
    measure(&mut run_command(desk))
}

/// A run that asks after jobs as often as it would on the platform.
pub(super) fn run_command(desk: &Desk) -> Command {
    let mut command = desk.program(&["run", "t.transfer", "--yes", "--no-progress"]);
    command.args(["--poll", &desk.world.patience(5.0)]);
    command
}
