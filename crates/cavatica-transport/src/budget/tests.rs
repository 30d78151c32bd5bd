use proptest::prelude::*;

use super::*;

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
    for reset in [START + 60, (START + 60) * 1000, START - 86_400, 60] {
        counts.note(&told(1000, 7, reset), false);
    }
    counts.note(&RateHeaders::default(), false);
    counts.note(&told(1000, 0, START + 60), true);
    let wait = headers(&[("retry-after", "7".to_owned())]);
    counts.note(&RateHeaders::read(&wait, at(0)), true);
    counts.note(&RateHeaders::default(), true);
    let expected = LimitsTold {
        reset_in_seconds: 1,
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

/// What may happen, in any order.
#[derive(Clone, Debug)]
enum Step {
    Send,
    /// Delivers one of the answers under way, in this manner.
    Answer(usize, Manner),
    Drop(usize),
    Pass(i64),
}

#[derive(Clone, Copy, Debug)]
enum Manner {
    Whole,
    Milliseconds,
    WithoutReset,
    AbsurdReset,
    Bare,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let manner = prop_oneof![
        6 => Just(Manner::Whole),
        1 => Just(Manner::Milliseconds),
        1 => Just(Manner::WithoutReset),
        1 => Just(Manner::AbsurdReset),
        1 => Just(Manner::Bare),
    ];
    let step = prop_oneof![
        8 => Just(Step::Send),
        6 => (any::<usize>(), manner).prop_map(|(which, manner)| Step::Answer(which, manner)),
        1 => any::<usize>().prop_map(Step::Drop),
        1 => (0..4000_i64).prop_map(Step::Pass),
        1 => (0..400_000_i64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..200)
}

/// The platform's side: windows of a fixed length that end at whole seconds, as its headers say.
struct Platform {
    limit: i64,
    window: i64,
    begins: i64,
    used: i64,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    remaining: i64,
    reset: i64,
}

impl Platform {
    /// Counts a request that arrives; `None` if there was nothing left for it.
    fn arrive(&mut self, now: i64) -> Option<Standing> {
        while now >= self.begins + self.window {
            self.begins += self.window;
            self.used = 0;
        }
        self.used += 1;
        let ends = self.begins + self.window;
        let standing = Standing {
            remaining: self.limit - self.used,
            reset: START + ends / 1000,
        };
        (standing.remaining >= 0).then_some(standing)
    }
}

fn tell(standing: Standing, limit: i64, manner: Manner, now: i64) -> RateHeaders {
    let reset = match manner {
        Manner::Whole | Manner::WithoutReset => standing.reset,
        Manner::Milliseconds => standing.reset * 1000,
        Manner::AbsurdReset => standing.reset + 1_000_000,
        Manner::Bare => return RateHeaders::default(),
    };
    let mut pairs = vec![
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", standing.remaining.to_string()),
    ];
    if !matches!(manner, Manner::WithoutReset) {
        pairs.push(("x-ratelimit-reset", reset.to_string()));
    }
    RateHeaders::read(&headers(&pairs), at(now))
}

proptest! {
    /// Whatever the answers look like and in which order they come: no window is overdrawn, no wait is longer than a
    /// window, and after a wait it goes on.
    #[test]
    fn no_window_is_overdrawn_and_no_wait_is_endless(
        limit in 5..60_i64,
        used_before in 0..5_i64,
        window_secs in 1..=300_i64,
        reserve in 0..80_u8,
        steps in steps(),
    ) {
        let window = window_secs * 1000;
        let mut platform = Platform { limit, window, begins: -(window_secs / 2) * 1000, used: used_before };
        let mut budget = Budget::new(reserve);
        let mut now = 0;
        let mut under_way = Vec::new();

        // A client can't know the limit before it has its first answer.
        prop_assert_eq!(budget.take(at(now)), Pace::Go);
        let first = platform.arrive(now).expect("the window is not used up");
        budget.land();
        budget.observe(tell(first, limit, Manner::Whole, now), at(now));

        for step in steps {
            match step {
                Step::Send => match budget.take(at(now)) {
                    Pace::Go => {
                        let standing = platform.arrive(now);
                        prop_assert!(standing.is_some(), "the window is overdrawn");
                        under_way.extend(standing);
                    }
                    Pace::WaitUntil(until) => {
                        prop_assert!(until > at(now));
                        let longest = later(at(now), WINDOW);
                        prop_assert!(until <= longest, "{until} is more than a window away");
                    }
                },
                Step::Answer(which, manner) if !under_way.is_empty() => {
                    let standing = under_way.swap_remove(which % under_way.len());
                    budget.land();
                    budget.observe(tell(standing, limit, manner, now), at(now));
                }
                Step::Drop(which) if !under_way.is_empty() => {
                    under_way.swap_remove(which % under_way.len());
                    budget.land();
                }
                Step::Answer(..) | Step::Drop(_) => {}
                Step::Pass(millis) => now += millis,
            }
        }

        prop_assert_eq!(budget.take_by_others(), 0, "nobody else asks");
        for _ in &under_way {
            budget.land();
        }
        if let Pace::WaitUntil(until) = budget.take(at(now)) {
            prop_assert_eq!(budget.take(until), Pace::Go);
        }
    }

    /// Clients that keep to their shares never overdraw the window that they share, whoever asks when and however late the
    /// answers come; and in a whole window those who always ask spend all of it but for the remainder of the division.
    #[test]
    fn those_who_share_a_window_spend_it_and_no_more(
        limit in 8..60_i64,
        sharers in 1..=4_usize,
        window_secs in 10..=300_i64,
        steps in proptest::collection::vec((any::<usize>(), any::<bool>(), 0..9000_i64), 1..400),
    ) {
        let window = window_secs * 1000;
        let mut platform = Platform { limit, window, begins: -(window_secs / 2) * 1000, used: 0 };
        let among = NonZeroU16::new(sharers as u16).expect("one at least");
        let mut budgets: Vec<_> = (0..sharers).map(|_| Budget::new(0).among(among)).collect();
        let mut under_way: Vec<Vec<Standing>> = vec![Vec::new(); sharers];
        let mut now = 0;
        for budget in &mut budgets {
            prop_assert_eq!(budget.take(at(now)), Pace::Go);
            let first = platform.arrive(now).expect("the window is not used up");
            budget.land();
            budget.observe(tell(first, limit, Manner::Whole, now), at(now));
        }
        for (which, is_answer, pass) in steps {
            let who = which % sharers;
            if is_answer && !under_way[who].is_empty() {
                let answered = which / sharers % under_way[who].len();
                let standing = under_way[who].swap_remove(answered);
                budgets[who].land();
                budgets[who].observe(tell(standing, limit, Manner::Whole, now), at(now));
            } else if budgets[who].take(at(now)) == Pace::Go {
                let standing = platform.arrive(now);
                prop_assert!(standing.is_some(), "the window is overdrawn");
                under_way[who].extend(standing);
            }
            // Most things happen at once.
            now += if pass > 7000 { pass } else { 0 };
        }

        // All answers come, and then everybody asks for as much as there is: in one window to learn when it ends, as answers
        // that came too late may have left that open, and in the next to be counted.
        for (budget, standings) in budgets.iter_mut().zip(&mut under_way) {
            for standing in standings.drain(..) {
                budget.land();
                budget.observe(tell(standing, limit, Manner::Whole, now), at(now));
            }
        }
        for pass in [300_000, window] {
            now += pass;
            for budget in &mut budgets {
                while budget.take(at(now)) == Pace::Go {
                    let standing = platform.arrive(now).expect("the window is overdrawn");
                    budget.land();
                    budget.observe(tell(standing, limit, Manner::Whole, now), at(now));
                }
            }
        }
        prop_assert!(platform.used > limit - sharers as i64, "{} of {limit}", platform.used);
    }

    /// Answers that make no sense at all, and a clock that jumps, do no more than delay.
    #[test]
    fn nonsense_never_blocks_for_longer_than_a_window(
        answers in proptest::collection::vec(
            (any::<bool>(), any::<i64>(), any::<i64>(), prop_oneof![any::<i64>(), START - 10..START + 700], -500_000..500_000_i64),
            0..50,
        ),
    ) {
        let mut budget = Budget::new(10);
        let mut now = 0_i64;
        for (refused, limit, remaining, reset, jump) in answers {
            now += jump;
            if let Pace::WaitUntil(until) = budget.take(at(now)) {
                prop_assert!(until > at(now) && until <= later(at(now), WINDOW));
            } else {
                budget.land();
            }
            let pairs = headers(&[
                ("x-ratelimit-limit", limit.to_string()),
                ("x-ratelimit-remaining", remaining.to_string()),
                ("x-ratelimit-reset", reset.to_string()),
            ]);
            let told = RateHeaders::read(&pairs, at(now));
            if refused {
                budget.refused(told, at(now));
            } else {
                budget.observe(told, at(now));
            }
        }
        let mut moment = at(now);
        // A pause and a window may follow one another.
        for _ in 0..2 {
            if let Pace::WaitUntil(until) = budget.take(moment) {
                moment = until;
            }
        }
        prop_assert_eq!(budget.take(moment), Pace::Go);
    }
}
