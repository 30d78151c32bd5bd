//! Whatever happens in whichever order, no window is overdrawn.

use proptest::prelude::*;

use super::*;

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
