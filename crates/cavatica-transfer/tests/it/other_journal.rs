//! A run needs no more of its journal than the trait promises: here is one that is no file, as one on a server would be.

use std::collections::BTreeMap;
use std::ops::Range;

use cavatica_exports::model::{ExportId, FileId};
use cavatica_exports::transport::Guard;
use cavatica_sandbox::FaultPlan;
use cavatica_transfer::journal::{
    AcceptedItem, Change, Changed, Copying, Count, Failed, Intent, IntentId, Item, Journal,
    JournalError, OpenItem, Pick, Sent, SqliteJournal, Tally, Terms, TransferFile,
};
use cavatica_transfer::state::{Answer, ItemId, State, Step};
use cavatica_transfer::{Ending, Habits, Stop, run};
use jiff::Timestamp;

use crate::bench::{Bench, many, options, world};

/// A file and all that is known of it.
struct Row {
    item: Item,
    state: State,
    intended: Option<Timestamp>,
    call: IntentId,
    past: Vec<ExportId>,
}

impl Row {
    fn count(&self) -> Count {
        Count {
            files: 1,
            bytes: self.item.size.unwrap_or(0),
        }
    }
}

/// A journal in memory. It outlives its runs, which is all that durability means here.
struct Memory {
    terms: Terms,
    rows: BTreeMap<ItemId, Row>,
    skipped: u64,
    uncommitted: Vec<Intent>,
    intents: i64,
    copying: Copying,
    planned: Timestamp,
    seen: Habits,
}

impl Memory {
    /// Takes a plan over.
    async fn from(bench: &Bench) -> Self {
        let file = TransferFile::open(&bench.transfer()).expect("the transfer");
        let planned = SqliteJournal::open(&bench.transfer(), &bench.client());
        let mut planned = planned.expect("the transfer");
        let mut rows = BTreeMap::new();
        let mut after = None;
        loop {
            let page = file.items(after).expect("readable");
            let ids: Vec<ItemId> = page.iter().map(|row| row.id).collect();
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            for item in planned.items(&ids).expect("readable") {
                let row = Row {
                    item,
                    state: State::Planned,
                    intended: None,
                    call: IntentId(0),
                    past: Vec::new(),
                };
                rows.insert(row.item.id, row);
            }
        }
        Memory {
            terms: planned.terms().clone(),
            rows,
            skipped: 0,
            uncommitted: Vec::new(),
            intents: 0,
            copying: Copying::Untried,
            planned: planned.planned_at(),
            seen: Habits::default(),
        }
    }
}

impl Journal for Memory {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Nobody else can reach it.
    fn still_mine(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    fn is_saved(&self) -> bool {
        self.uncommitted.is_empty()
    }

    fn tally(&mut self) -> Result<Tally, JournalError> {
        let mut tally = Tally::default();
        tally.skipped = self.skipped;
        for row in self.rows.values() {
            let part = match row.state {
                State::Planned => &mut tally.planned,
                State::Intended => &mut tally.intended,
                State::Accepted { .. } => &mut tally.accepted,
                State::Completed { .. } => &mut tally.completed,
                State::Failed { .. } => &mut tally.failed,
                State::Unknown { .. } => &mut tally.unknown,
            };
            part.files += row.count().files;
            part.bytes += row.count().bytes;
        }
        Ok(tally)
    }

    fn open_items(&mut self, after: Option<ItemId>) -> Result<Vec<OpenItem>, JournalError> {
        let behind = self.rows.values();
        let behind = behind.filter(|row| after.is_none_or(|after| row.item.id > after));
        let open = behind.filter_map(|row| {
            let (id, at) = (row.item.id, row.intended?);
            let sent = || {
                Box::new(Sent {
                    item: row.item.clone(),
                    call: row.call,
                    at,
                })
            };
            match &row.state {
                State::Planned => Some(OpenItem::Again(id)),
                State::Intended => Some(OpenItem::Intended(sent())),
                State::Accepted { export } => Some(OpenItem::Accepted(AcceptedItem {
                    id,
                    file: row.item.file.clone(),
                    folder: row.item.folder,
                    attempt: row.item.attempt,
                    export: export.clone(),
                })),
                State::Unknown { export, .. } => Some(OpenItem::Unknown(sent(), export.clone())),
                State::Failed { failure, .. } => failure
                    .class()
                    .passes_by_waiting()
                    .then_some(OpenItem::Transient(id, row.item.attempt)),
                State::Completed { .. } => None,
            }
        });
        Ok(open.collect())
    }

    fn intend(&mut self, pick: Pick<'_>, at: Timestamp) -> Result<Count, JournalError> {
        let ids: Vec<ItemId> = match pick {
            Pick::Fresh(count) => {
                let fresh = self.rows.values().filter(|row| row.intended.is_none());
                fresh.map(|row| row.item.id).take(count).collect()
            }
            Pick::These(ids) => ids.to_vec(),
        };
        let mut count = Count::default();
        let mut items = Vec::new();
        for id in ids {
            let row = self.rows.get_mut(&id).expect("a planned file");
            row.state = row.state.clone().step(Step::Intend).expect("it is planned");
            row.item.attempt += 1;
            row.intended = Some(at);
            row.call = IntentId(self.intents + 1);
            count.files += 1;
            count.bytes += row.count().bytes;
            items.push(row.item.clone());
        }
        if !items.is_empty() {
            self.intents += 1;
            let id = IntentId(self.intents);
            self.uncommitted.push(Intent { id, at, items });
        }
        Ok(count)
    }

    fn record(&mut self, changes: Vec<Change>) -> Result<Vec<Changed>, JournalError> {
        let recorded = changes.into_iter().map(|moved| {
            let row = self.rows.get_mut(&moved.item).expect("a planned file");
            let before = row.state.clone();
            if moved.step == Step::Answer(Answer::NotSent) {
                row.item.attempt -= 1;
            }
            let after = before.clone().step(moved.step).expect("legal");
            if after == State::Planned {
                row.past.extend(before.export().cloned());
            }
            row.state = after.clone();
            Changed {
                item: moved.item,
                before,
                after,
                size: row.count().bytes,
                attempt: row.item.attempt,
            }
        });
        Ok(recorded.collect())
    }

    fn commit(&mut self) -> Result<Vec<Intent>, JournalError> {
        Ok(std::mem::take(&mut self.uncommitted))
    }

    fn items(&mut self, ids: &[ItemId]) -> Result<Vec<Item>, JournalError> {
        Ok(ids.iter().map(|id| self.rows[id].item.clone()).collect())
    }

    fn known_exports(&mut self, item: ItemId) -> Result<Vec<ExportId>, JournalError> {
        Ok(self.rows[&item].past.clone())
    }

    fn is_warned(&mut self, _: ItemId) -> Result<bool, JournalError> {
        Ok(false)
    }

    fn failed(&mut self, after: Option<ItemId>) -> Result<Vec<Failed>, JournalError> {
        let behind = self.rows.values().filter(|row| Some(row.item.id) > after);
        let failed = behind.filter_map(|row| match &row.state {
            State::Failed { export, failure } => Some(Failed {
                item: row.item.clone(),
                export: export.clone(),
                failure: failure.clone(),
            }),
            _ => None,
        });
        Ok(failed.take(100).collect())
    }

    fn allow_overwrite(&mut self, _: &[ItemId]) -> Result<(), JournalError> {
        Ok(())
    }

    fn planned_at(&self) -> Timestamp {
        self.planned
    }

    fn guard(&self) -> Option<Guard> {
        None
    }

    fn set_aside(&mut self, ids: &[ItemId]) -> Result<Vec<ItemId>, JournalError> {
        let planned = |id: &&ItemId| self.rows[id].state == State::Planned;
        let aside: Vec<ItemId> = ids.iter().filter(planned).copied().collect();
        for id in &aside {
            let row = self.rows.get_mut(id).expect("a planned file");
            row.intended.get_or_insert(Timestamp::UNIX_EPOCH);
        }
        Ok(aside)
    }

    fn planned_items(&mut self, files: &[FileId]) -> Result<Vec<(FileId, ItemId)>, JournalError> {
        let rows = self.rows.values().map(|row| &row.item);
        let named = rows.filter(|item| files.contains(&item.file));
        Ok(named.map(|item| (item.file.clone(), item.id)).collect())
    }

    fn known_jobs(
        &mut self,
        sent: Range<Timestamp>,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), JournalError> {
        let within = |row: &&Row| row.intended.is_some_and(|at| sent.contains(&at));
        for row in self.rows.values().filter(within) {
            if let Some(export) = row.state.export() {
                each(export.as_str());
            }
        }
        Ok(())
    }

    fn copying(&self) -> Copying {
        self.copying
    }

    fn note_copying(&mut self, copying: Copying) -> Result<(), JournalError> {
        self.copying = copying;
        Ok(())
    }

    fn observations(&mut self) -> Result<Habits, JournalError> {
        Ok(self.seen.clone())
    }

    fn note_observations(&mut self, seen: &Habits) -> Result<(), JournalError> {
        self.seen = seen.clone();
        Ok(())
    }
}

#[tokio::test]
async fn a_run_is_taken_up_on_a_journal_that_is_no_file() {
    let faults: FaultPlan = "drop-after@bulk-start,every=2; drop-before@bulk-start,nth=3"
        .parse()
        .expect("a fault plan");
    let bench = Bench::start(world(many(600)).faults(faults)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let mut journal = Memory::from(&bench).await;
    let mut options = options();
    for (limit, completed) in [(Some(300), 300), (None, 600)] {
        options.limit = limit;
        let (client, stop) = (bench.client(), Stop::new());
        let report = run(&mut journal, &client, &options, &stop, &mut |_| {}).await;
        assert_eq!(report.expect("a run").ending, Ending::Finished);
        assert_eq!(
            journal.tally().expect("in memory").completed.files,
            completed
        );
    }
    let ledger = bench.sandbox.ledger();
    assert_eq!(ledger.files.len(), 600);
    assert!(
        ledger.files.values().all(|file| file.starts == 1),
        "{:?}",
        ledger.files
    );
}
