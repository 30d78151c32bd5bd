use super::*;

const SPACING: Spacing = Spacing {
    first: Duration::from_secs(5),
    longest: Duration::from_secs(300),
};

/// Follows jobs that end as `ends` says (seconds after they were sent), reading the oldest first. Answers the number of
/// counts and readings, and how late the end was noticed.
fn follow(mut ends: Vec<f64>) -> (usize, usize, f64) {
    let start = Instant::now();
    let last = ends.iter().copied().fold(0.0, f64::max);
    let mut schedule = PollSchedule::new(SPACING, start);
    let (mut now, mut counts, mut readings) = (start, 0, 0);
    while !ends.is_empty() {
        let elapsed = (now - start).as_secs_f64();
        match schedule.action(ends.len(), ends.len(), now) {
            Action::Wait(until) => {
                assert!(until > now, "it waits for the past");
                now = until;
            }
            Action::Count => {
                counts += 1;
                let unfinished = ends.iter().filter(|end| **end > elapsed).count();
                schedule.counted(unfinished as u64, ends.len(), now);
            }
            Action::Read(asked) => {
                readings += 1;
                schedule.reading(asked);
                let (done, mut back): (Vec<f64>, Vec<f64>) =
                    ends.drain(..asked).partition(|end| *end <= elapsed);
                ends.append(&mut back);
                schedule.read(asked, done.len(), ends.len(), now);
                now += Duration::from_millis(300);
            }
        }
        assert!(counts + readings < 10_000, "it never ends");
    }
    (counts, readings, (now - start).as_secs_f64() - last)
}

/// Numbers between 0 and 1, always the same.
fn scattered(count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(|index| (index as f64 * 0.618_033_988_75).fract())
}

#[test]
fn requests_do_not_grow_with_the_jobs_duration() {
    let files = 10_000;
    for seconds in [1.0, 60.0, 600.0, 3600.0, 36_000.0] {
        let shapes: [(&str, Vec<f64>); 4] = [
            ("all at once", vec![seconds; files]),
            (
                "in order",
                (0..files)
                    .map(|index| seconds * (1.0 + index as f64 / files as f64) / 2.0)
                    .collect(),
            ),
            (
                "in any order",
                scattered(files).map(|part| seconds * part).collect(),
            ),
            (
                "with a long tail",
                scattered(files)
                    .map(|part| seconds * 0.1 * -(1.0 - part).ln())
                    .collect(),
            ),
        ];
        for (shape, ends) in shapes {
            let (counts, readings, late) = follow(ends);
            let surplus = counts + readings - files / 100;
            // Past an hour, one question in five minutes is added: nobody wants to wait longer than that.
            let long = ((seconds - 3600.0) / 300.0).max(0.0) as usize;
            assert!(
                surplus <= 52 + long,
                "{shape}, {seconds} s: {counts} counts, {readings} readings"
            );
            assert!(
                late <= 320.0 + 0.3 * files as f64 / 100.0,
                "{shape}, {seconds} s: {late} s late"
            );
        }
    }
}

#[test]
fn time_that_the_limit_took_from_readings_is_not_waited_again() {
    let (mut schedule, after) = begun();
    schedule.sent(1_000, after(0));
    schedule.counted(500, 1000, after(5));
    for left in (500..1000).step_by(100).rev() {
        assert_eq!(
            schedule.action(left + 100, left + 100, after(6)),
            Action::Read(100)
        );
        schedule.reading(100);
        schedule.read(100, 100, left, after(305));
    }
    assert_eq!(schedule.action(500, 500, after(305)), Action::Count);
}

#[test]
fn jobs_of_other_programs_hide_nothing_for_long() {
    let (mut schedule, after) = begun();
    // Ten thousand strange jobs never end; all of ours have.
    let counts = counts_until_read(&mut schedule, 10_000, 500, &mut after(0));
    assert!(counts <= 5, "{counts}");
}

/// A schedule that begins now, and the moment so many seconds later.
fn begun() -> (PollSchedule, impl Fn(u64) -> Instant) {
    let start = Instant::now();
    let after = move |seconds| start + Duration::from_secs(seconds);
    (PollSchedule::new(SPACING, start), after)
}

/// Counts whenever it is due, always the same, until some are read: after how many counts.
fn counts_until_read(
    schedule: &mut PollSchedule,
    unfinished: u64,
    in_flight: usize,
    now: &mut Instant,
) -> u32 {
    let mut counts = 0;
    loop {
        match schedule.action(in_flight, in_flight, *now) {
            Action::Wait(until) => {
                assert!(until > *now, "it waits for the past");
                *now = until;
            }
            Action::Count => {
                counts += 1;
                assert!(counts < 1_000, "it never reads");
                schedule.counted(unfinished, in_flight, *now);
            }
            Action::Read(asked) => {
                schedule.reading(asked);
                return counts;
            }
        }
    }
}

#[test]
fn a_page_of_files_is_read_at_once_when_a_count_is_due_and_more_are_counted() {
    let (schedule, after) = begun();
    assert_eq!(schedule.action(100, 100, after(4)), Action::Wait(after(5)));
    assert_eq!(schedule.action(100, 100, after(5)), Action::Read(100));
    assert_eq!(schedule.action(7, 7, after(5)), Action::Read(7));
    assert_eq!(schedule.action(101, 101, after(5)), Action::Count);
    assert_eq!(
        schedule.action(100, 0, after(5)),
        Action::Count,
        "none by its id"
    );
}

#[test]
fn a_page_is_read_as_soon_as_as_many_have_ended() {
    let (mut schedule, after) = begun();
    let wait = Action::Wait(after(15));
    for (unfinished, by_ids, action) in [
        (200, 300, Action::Read(100)),
        (201, 300, wait),
        (200, 99, wait),
        (14, 99, Action::Read(99)),
        (14, 0, wait),
        (0, 300, Action::Read(100)),
        (0, 0, wait),
    ] {
        schedule.counted(unfinished, 300, after(10));
        assert_eq!(
            schedule.action(300, by_ids, after(11)),
            action,
            "{unfinished}"
        );
    }
    // Those that are being read may not have been the ones.
    schedule.counted(0, 300, after(10));
    schedule.reading(300);
    assert_eq!(schedule.action(300, 300, after(11)), Action::Read(100));
    schedule.failed(after(11));
    let wait = Action::Wait(after(16));
    assert_eq!(
        schedule.action(300, 300, after(12)),
        wait,
        "nobody knows any more"
    );
}

#[test]
fn while_files_are_sent_half_as_many_again_must_be_accepted_before_the_next_count() {
    let (mut schedule, after) = begun();
    schedule.sent(200, after(1));
    schedule.counted(200, 200, after(6));
    schedule.sent(100, after(12));
    let action = |schedule: &PollSchedule, seconds| schedule.action(300, 300, after(seconds));
    assert_eq!(action(&schedule, 13), Action::Wait(after(17)));
    assert_eq!(
        action(&schedule, 17),
        Action::Count,
        "nothing is sent any more"
    );
    schedule.sent(100, after(13));
    assert_eq!(
        action(&schedule, 13),
        Action::Count,
        "there are twice as many"
    );
    schedule.counted(400, 400, after(13));
    schedule.sent(100, after(18));
    assert_eq!(action(&schedule, 19), Action::Wait(after(23)));
}

#[test]
fn what_is_sent_has_not_ended() {
    let (mut schedule, after) = begun();
    schedule.counted(5, 300, after(10));
    schedule.reading(100);
    assert_eq!(schedule.trust(300), Trust::NearlyAll(195));
    schedule.sent(100, after(11));
    assert_eq!(schedule.trust(400), Trust::InOrder(195));
    schedule.counted(0, 300, after(12));
    assert_eq!(schedule.trust(300), Trust::NearlyAll(300));
    schedule.sent(300, after(13));
    assert_eq!(schedule.trust(600), Trust::InOrder(300));
}

#[test]
fn the_first_are_trusted_to_have_ended_first_until_they_had_not() {
    let (mut schedule, after) = begun();
    assert_eq!(schedule.trust(100), Trust::None);
    for (unfinished, trust) in [
        (5, Trust::NearlyAll(95)),
        (6, Trust::InOrder(94)),
        (100, Trust::None),
        (0, Trust::NearlyAll(100)),
    ] {
        schedule.counted(unfinished, 100, after(10));
        assert_eq!(schedule.trust(100), trust, "{unfinished}");
    }
    schedule.counted(50, 100, after(20));
    assert_eq!(
        schedule.trust(50),
        Trust::NearlyAll(50),
        "the others were read"
    );
    schedule.counted(5, 100, after(20));
    schedule.reading(95);
    assert_eq!(schedule.trust(100), Trust::None, "none is left unread");
    schedule.read(100, 89, 111, after(20));
    schedule.counted(100, 200, after(30));
    assert_eq!(schedule.trust(200), Trust::None);
}

#[test]
fn those_that_are_said_to_go_on_are_the_late_ones_once() {
    let (mut schedule, after) = begun();
    schedule.counted(30, 100, after(10));
    assert!(schedule.are_running(10));
    assert!(!schedule.are_running(21));
    assert!(schedule.are_running(20));
    assert!(!schedule.are_running(1));
}

#[test]
fn what_has_ended_is_what_was_read_and_what_was_counted_since() {
    let (mut schedule, after) = begun();
    schedule.counted(850, 1_000, after(10));
    assert_eq!(schedule.ended(), (150, 150));
    schedule.reading(100);
    assert_eq!(schedule.ended(), (50, 50));
    schedule.read(100, 90, 910, after(10));
    assert_eq!(schedule.ended(), (50, 140), "as good as all");
    schedule.reading(100);
    schedule.read(100, 89, 821, after(10));
    assert_eq!(
        schedule.ended(),
        (0, 179),
        "the count wasn't true of the oldest"
    );
}

#[test]
fn counts_that_lead_to_nothing_are_checked_by_reading_and_less_often_each_time() {
    let (mut schedule, after) = begun();
    let mut now = after(0);
    for counts in [16, 32, 64, 64] {
        assert_eq!(counts_until_read(&mut schedule, 300, 300, &mut now), counts);
        schedule.read(100, 0, 300, now);
    }
    // Jobs of others make it worth while to look earlier.
    assert_eq!(counts_until_read(&mut schedule, 301, 300, &mut now), 4);
    assert!(!schedule.is_fruitless());
}

#[test]
fn a_count_that_leads_to_a_reading_is_not_fruitless() {
    let (mut schedule, after) = begun();
    for (unfinished, in_flight, is_fruitless) in
        [(800, 1_000, false), (1, 20, false), (901, 1_000, true)]
    {
        for minute in 0..20 {
            schedule.counted(unfinished, in_flight, after(60 * minute));
        }
        assert_eq!(
            schedule.is_fruitless(),
            is_fruitless,
            "{unfinished} of {in_flight}"
        );
        assert_eq!(schedule.action(in_flight, 0, after(9_999)), Action::Count);
    }
}

#[test]
fn a_disappointing_page_makes_four_times_as_many_counts_wait_each_time() {
    let (mut schedule, after) = begun();
    let mut now = after(0);
    assert_eq!(counts_until_read(&mut schedule, 500, 1_000, &mut now), 1);
    schedule.read(100, 90, 910, now);
    for counts in [4, 16] {
        // A reading of fewer says nothing of the order.
        schedule.read(99, 0, 900, now);
        schedule.read(100, 89, 900, now);
        assert_eq!(
            counts_until_read(&mut schedule, 500, 1_000, &mut now),
            counts
        );
    }
    schedule.read(100, 0, 900, now);
    assert_ne!(schedule.action(900, 900, now), Action::Count);
    schedule.vindicated();
    assert_eq!(schedule.action(900, 900, now), Action::Count, "at once");
    schedule.counted(500, 900, now);
    assert_eq!(schedule.action(900, 900, now), Action::Read(100));
    // One of three disappointments is forgotten.
    schedule.read(100, 0, 900, now);
    assert_eq!(counts_until_read(&mut schedule, 500, 1_000, &mut now), 64);
}

/// When to count next, after counts of what hasn't ended of a thousand that were sent at the beginning.
fn next_count_after(counts: &[(u64, u64)]) -> u64 {
    let (mut schedule, after) = begun();
    for (seconds, unfinished) in counts {
        schedule.counted(*unfinished, 1_000, after(*seconds));
    }
    (schedule.next_count - after(0)).as_secs()
}

#[test]
fn the_next_count_comes_when_the_rest_is_estimated_to_have_ended() {
    for (counts, next) in [
        (&[(400, 1_000)][..], 500),
        (&[(4, 1_000)], 9),
        (&[(4_000, 1_000)], 4_300),
        // Eight in a second.
        (&[(400, 1_000), (500, 200)], 525),
        (&[(400, 1_000), (500, 990)], 625),
        // Those of the second count came before, too.
        (&[(400, 900), (500, 200)], 528),
        // Two that are left, and nothing has ended for 25 seconds.
        (&[(400, 1_000), (500, 2), (525, 2)], 575),
        // As many as before are no progress, and fewer are none either.
        (&[(400, 1_000), (500, 400), (600, 400), (700, 80)], 750),
        (&[(400, 1_000), (500, 400), (600, 500), (700, 80)], 750),
    ] {
        assert_eq!(next_count_after(counts), next, "{counts:?}");
    }
}

#[test]
fn what_was_read_counts_as_progress_of_the_whole() {
    let (mut schedule, after) = begun();
    let next = |schedule: &PollSchedule| (schedule.next_count - after(0)).as_secs();
    schedule.counted(1_000, 1_000, after(400));
    // Of no duration no rate can be told.
    schedule.read(100, 100, 900, after(400));
    assert_eq!(next(&schedule), 500);
    schedule.counted(200, 900, after(500));
    assert_eq!(next(&schedule), 525, "eight in a second");
    // What is left are those that neither the count nor the reading says to have ended.
    schedule.reading(100);
    schedule.read(100, 100, 800, after(500));
    assert_eq!(next(&schedule), 525);
    // What a disappointing reading brings is all that is known.
    schedule.reading(100);
    schedule.read(100, 60, 740, after(600));
    assert_eq!(schedule.ended(), (0, 260));
    schedule.counted(40, 740, after(700));
    assert_eq!(next(&schedule), 750, "four in five seconds");
}
