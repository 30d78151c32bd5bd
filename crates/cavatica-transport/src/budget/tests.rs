use super::*;

mod windows;

const START: i64 = 1_700_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(START * 1000 + millis).unwrap()
}

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn told(limit: i64, remaining: i64, reset: i64) -> RateHeaders {
    let headers = headers(&[
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        ("x-ratelimit-reset", reset.to_string()),
    ]);
    RateHeaders::read(&headers, at(0))
}

#[test]
fn a_reset_is_read_in_all_the_ways_it_comes() {
    let resets_in = |reset| told(1000, 7, reset).resets_in;
    assert_eq!(resets_in(START + 60), Some(Duration::from_secs(60)));
    assert_eq!(
        resets_in((START + 60) * 1000),
        Some(Duration::from_secs(60))
    );
    assert_eq!(resets_in(START + 300), Some(Duration::from_secs(300)));
    for nonsense in [0, -1, 60, START, START - 1, START + 301, i64::MAX, i64::MIN] {
        assert_eq!(resets_in(nonsense), None, "{nonsense}");
    }
    assert_eq!(
        told(1000, 7, START - 1).remaining,
        None,
        "of a window that is over"
    );
    assert_eq!(told(1000, -3, START + 60).remaining, Some(0));
    assert_eq!(
        told(1000, i64::MAX, START + 60).remaining,
        Some(i64::MAX as u64)
    );
    assert_eq!(told(-1, 7, START + 60).limit, None, "no limit is no number");
    assert_eq!(
        RateHeaders::read(&HeaderMap::new(), at(0)),
        RateHeaders::default()
    );
}

#[test]
fn how_the_limit_is_told_is_counted() {
    let mut counts = LimitsTold::default();
    let (seconds, milliseconds) = ([START + 60, START + 61], (START + 60) * 1000);
    for reset in seconds
        .into_iter()
        .chain([milliseconds, START - 86_400, 60])
    {
        counts.note(&told(1000, 7, reset), false);
    }
    counts.note(&RateHeaders::default(), false);
    counts.note(&told(1000, 0, START + 60), true);
    let wait = headers(&[("retry-after", "7".to_owned())]);
    counts.note(&RateHeaders::read(&wait, at(0)), true);
    counts.note(&RateHeaders::default(), true);
    let expected = LimitsTold {
        reset_in_seconds: 2,
        reset_in_milliseconds: 1,
        reset_untold: 3,
        refused_with_reset: 1,
        refused_with_retry_after: 1,
        refused_without_word: 1,
        by_others: 0,
    };
    assert_eq!(counts, expected);
}

#[test]
fn a_refusal_that_says_how_long_to_wait_is_obeyed() {
    let mut budget = Budget::new(0);
    assert_eq!(budget.take(at(0)), Pace::Go);
    budget.land();
    let wait = headers(&[("retry-after", "70".to_owned())]);
    budget.refused(RateHeaders::read(&wait, at(0)), at(0));
    assert_eq!(budget.outlook(at(69_000)), Pace::WaitUntil(at(70_000)));
    assert_eq!(budget.outlook(at(70_000)), Pace::Go);
}

#[test]
fn the_servers_own_clock_reads_its_reset() {
    // This side's clock is ten minutes slow.
    let date = at(600_000)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let headers = headers(&[
        ("date", date),
        ("x-ratelimit-remaining", "7".to_owned()),
        ("x-ratelimit-reset", (START + 600 + 42).to_string()),
    ]);
    let read = RateHeaders::read(&headers, at(0));
    assert_eq!(read.resets_in, Some(Duration::from_secs(42)));
    assert_eq!(read.clock_ahead(), Some(SignedDuration::from_secs(600)));
}

#[test]
fn what_is_reserved_is_left() {
    let mut budget = Budget::new(20);
    let sent = (0..2000).filter(|_| budget.take(at(0)) == Pace::Go).count();
    assert_eq!(sent, 800);
    assert_eq!(budget.take(at(0)), Pace::WaitUntil(at(300_000)));
    assert_eq!(budget.view().remaining, 200);
}

#[test]
fn what_is_under_way_is_taken_off_what_is_told() {
    let mut budget = Budget::new(0);
    for _ in 0..10 {
        assert_eq!(budget.take(at(0)), Pace::Go);
    }
    budget.land();
    budget.observe(told(1000, 12, START + 60), at(0));
    assert_eq!(budget.view().remaining, 3, "nine more are on their way");
    // An older answer was overtaken by a newer one, which counted its request already.
    budget.land();
    budget.observe(told(1000, 500, START + 60), at(0));
    assert_eq!(budget.view().remaining, 4);
    // One that is lost may have been counted since.
    budget.land();
    assert_eq!(budget.view().remaining, 4);
    for left in [9, 11, 8, 10, 7, 5, 6] {
        budget.land();
        budget.observe(told(1000, left, START + 60), at(0));
    }
    assert_eq!(
        budget.view().remaining,
        4,
        "what is left but for the lost one"
    );
}

#[test]
fn a_429_holds_all_until_its_reset() {
    let mut budget = Budget::new(0);
    budget.refused(told(1000, 500, START + 60), at(0));
    assert_eq!(budget.take(at(0)), Pace::WaitUntil(at(60_000)));
    // An answer of before it comes late.
    budget.observe(told(1000, 400, START + 60), at(0));
    assert_eq!(budget.take(at(59_999)), Pace::WaitUntil(at(60_000)));
    assert_eq!(budget.take(at(60_000)), Pace::Go);
}

#[test]
fn a_429_that_says_nothing_pauses_for_longer_each_time() {
    let mut budget = Budget::new(0);
    let mut now = 0;
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        // A crowd that is refused together counts once.
        for _ in 0..8 {
            budget.refused(RateHeaders::default(), at(now));
        }
        assert_eq!(
            budget.take(at(now)),
            Pace::WaitUntil(at(now + seconds * 1000))
        );
        now += seconds * 1000;
    }
    budget.accepted();
    budget.refused(RateHeaders::default(), at(now));
    assert_eq!(budget.take(at(now)), Pace::WaitUntil(at(now + 1000)));
}

#[test]
fn a_time_to_wait_is_more_than_nothing_and_at_most_a_window() {
    for (told, wait) in [
        ("1", Some(Duration::from_secs(1))),
        ("300", Some(WINDOW)),
        ("0", None),
        ("301", None),
        ("-1", None),
        ("soon", None),
    ] {
        let headers = headers(&[("retry-after", told.to_owned())]);
        assert_eq!(
            RateHeaders::read(&headers, at(0)).retry_after,
            wait,
            "{told}"
        );
    }
}

#[test]
fn each_of_several_clients_has_a_share_of_what_is_not_reserved() {
    let four = NonZeroU16::new(4).expect("four");
    let mut budget = Budget::new(20).among(four);
    assert_eq!(budget.view().allowance, 200);
    let sent = (0..2000).filter(|_| budget.take(at(0)) == Pace::Go).count();
    assert_eq!(sent, 200);
    budget.count_free();
    assert_eq!(budget.view().sent, 201);
}

#[test]
fn of_a_window_that_begins_early_what_is_under_way_is_spent() {
    let two = NonZeroU16::new(2).expect("two");
    let mut budget = Budget::new(0).among(two);
    budget.observe(told(10, 10, START + 60), at(0));
    for _ in 0..3 {
        assert_eq!(budget.take(at(0)), Pace::Go);
    }
    budget.land();
    budget.observe(told(10, 9, START + 120), at(0));
    // Of the five of this window, two are under way, and one was answered.
    let sent = (0..10).filter(|_| budget.take(at(0)) == Pace::Go).count();
    assert_eq!(sent, 2);
}

#[test]
fn moments_less_than_two_seconds_apart_are_the_same_end_of_a_window() {
    let remaining_after = |reset| {
        let mut budget = Budget::new(0);
        budget.observe(told(1000, 500, START + 60), at(0));
        budget.observe(told(1000, 900, reset), at(0));
        budget.view().remaining
    };
    for (reset, remaining) in [(58, 500), (59, 500), (60, 500), (61, 500), (62, 900)] {
        assert_eq!(remaining_after(START + reset), remaining, "{reset}");
    }
}

#[test]
fn what_was_not_sent_is_put_back() {
    let two = NonZeroU16::new(2).expect("two");
    let mut budget = Budget::new(0).among(two);
    budget.observe(told(10, 10, START + 60), at(0));
    for _ in 0..5 {
        assert_eq!(budget.take(at(0)), Pace::Go);
    }
    assert_ne!(budget.take(at(0)), Pace::Go);
    budget.land();
    budget.put_back();
    assert_eq!(budget.view().remaining, 6);
    assert_eq!(budget.take(at(0)), Pace::Go, "it was never spent");
    // Nor did it land in silence: of the six that are left, four are under way.
    budget.land();
    budget.observe(told(10, 6, START + 60), at(0));
    assert_eq!(budget.view().remaining, 2);
}

#[test]
fn what_others_send_shows_where_the_standing_falls_by_more_than_our_own() {
    let mut budget = Budget::new(0);
    let mut ask = |left, reset| {
        assert_eq!(budget.take(at(0)), Pace::Go);
        budget.land();
        budget.observe(told(1000, left, reset), at(0));
        budget.take_by_others()
    };
    // What was used before is nobody's in particular.
    assert_eq!(ask(700, START + 60), 0);
    assert_eq!(ask(699, START + 60), 0);
    assert_eq!(ask(690, START + 60), 8);
    assert_eq!(ask(689, START + 60), 0, "they were told");
    // The next window has its own.
    assert_eq!(ask(500, START + 120), 0);
    assert_eq!(ask(498, START + 120), 1);
}
