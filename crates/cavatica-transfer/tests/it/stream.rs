//! A run whose events are a stream.

use std::time::Duration;

use cavatica_transfer::journal::SqliteJournal;
use cavatica_transfer::{Ending, Event, Stop, run_stream};

use crate::bench::{Bench, many, options, world};

#[tokio::test]
async fn every_event_comes_though_futures_are_dropped_at_every_tick() {
    let bench = Bench::start(world(many(250))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let (client, options, stop) = (bench.client(), options(), Stop::new());
    let mut journal = SqliteJournal::open(&bench.transfer(), &client).expect("it opens");
    let mut running = run_stream(&mut journal, &client, &options, &stop);
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    let (mut began, mut accepted, mut arrived) = (0, 0, 0);
    loop {
        let event = tokio::select! {
            event = running.next() => event,
            _ = tick.tick() => continue,
        };
        match event {
            Some(Event::RunBegan { .. }) => began += 1,
            Some(Event::BatchAnswered { accepted: some, .. }) => accepted += some,
            Some(Event::FilesCompleted { files, .. }) => arrived += files,
            Some(_) => {}
            None => break,
        }
    }
    assert_eq!((began, accepted, arrived), (1, 250, 250));
    assert!(running.next().await.is_none(), "it has ended");
    let report = running.finish().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    drop(journal);
    bench.check_exactly_once(250);
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_taken_up_by_the_next_run_and_needs_nobody_to_look() {
    let bench = Bench::start(world(many(250))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let (client, options, stop) = (bench.client(), options(), Stop::new());
    let mut journal = SqliteJournal::open(&bench.transfer(), &client).expect("it opens");
    let mut running = run_stream(&mut journal, &client, &options, &stop);
    let mut answered = false;
    while !answered {
        let event = running.next().await.expect("it hasn't ended");
        answered = matches!(event, Event::BatchAnswered { .. });
    }
    drop(running);
    drop(journal);

    let mut journal = SqliteJournal::open(&bench.transfer(), &client).expect("it opens");
    let running = run_stream(&mut journal, &client, &options, &stop);
    let report = running.finish().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    drop(journal);
    bench.check_exactly_once(250);
}
