//! An exhaustive search, breadth first: every state that can be reached, each once, and the shortest way to what must not be.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{Hash, Hasher};

/// What is searched.
pub(super) trait System {
    type State: Clone + Hash;
    type Action: Copy;
    /// What is wrong with a state.
    type Broken;
    /// Something that must be met somewhere.
    type Sight: Ord;

    fn begin(&self) -> Self::State;

    /// What can happen next.
    fn actions(&self, state: &Self::State) -> Vec<Self::Action>;

    /// What comes of it, and what is met on the way.
    fn next(
        &self,
        state: &Self::State,
        action: Self::Action,
        met: &mut BTreeSet<Self::Sight>,
    ) -> Self::State;

    fn broken(&self, state: &Self::State) -> Option<Self::Broken>;

    /// Whether everything has come to its end.
    fn is_over(&self, state: &Self::State) -> bool;

    /// Whether this may stay away for ever: a fault, or what somebody does of his own will.
    fn is_optional(&self, action: Self::Action) -> bool;
}

/// What a search found.
pub(super) struct Searched<S: System> {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) met: BTreeSet<S::Sight>,
    pub(super) verdict: Conclusion<S>,
}

pub(super) enum Conclusion<S: System> {
    Holds,
    /// The shortest way to a state that must not be.
    Broken(Vec<S::Action>, S::Broken),
    /// The shortest way to a state from which nothing leads to an end, though nothing goes wrong any more.
    Stuck(Vec<S::Action>),
    /// More states than were allowed.
    TooMany,
}

struct Search<'a, S: System> {
    system: &'a S,
    /// The state before, and what led from there.
    parents: Vec<Option<(usize, S::Action)>>,
    seen: HashMap<u128, usize>,
    /// Where steps lead that happen by themselves: `(to, from)`.
    edges: Vec<(usize, usize)>,
    over: Vec<usize>,
    ahead: VecDeque<(usize, S::State)>,
}

/// Searches all that can be reached, at most so many states.
pub(super) fn search<S: System>(system: &S, most: usize) -> Searched<S> {
    let mut search = Search {
        system,
        parents: Vec::new(),
        seen: HashMap::new(),
        edges: Vec::new(),
        over: Vec::new(),
        ahead: VecDeque::new(),
    };
    let (mut met, mut steps) = (BTreeSet::new(), 0);
    search.reach(system.begin(), None);
    let verdict = loop {
        let Some((from, state)) = search.ahead.pop_front() else {
            break match search.stuck() {
                None => Conclusion::Holds,
                Some(state) => Conclusion::Stuck(search.way_to(state)),
            };
        };
        if let Some(broken) = system.broken(&state) {
            break Conclusion::Broken(search.way_to(from), broken);
        }
        if search.parents.len() > most {
            break Conclusion::TooMany;
        }
        for action in system.actions(&state) {
            steps += 1;
            let next = system.next(&state, action, &mut met);
            let to = search.reach(next, Some((from, action)));
            if !system.is_optional(action) {
                search.edges.push((to, from));
            }
        }
    };
    Searched {
        states: search.parents.len(),
        steps,
        met,
        verdict,
    }
}

impl<S: System> Search<'_, S> {
    /// The number of a state; a new one is looked at later.
    fn reach(&mut self, state: S::State, parent: Option<(usize, S::Action)>) -> usize {
        let number = self.parents.len();
        let known = *self.seen.entry(fingerprint(&state)).or_insert(number);
        if known == number {
            self.parents.push(parent);
            if self.system.is_over(&state) {
                self.over.push(number);
            }
            self.ahead.push_back((number, state));
        }
        known
    }

    fn way_to(&self, mut state: usize) -> Vec<S::Action> {
        let mut way = Vec::new();
        while let Some((before, action)) = self.parents[state] {
            way.push(action);
            state = before;
        }
        way.reverse();
        way
    }

    /// The first state from which no end can be reached by what happens by itself.
    fn stuck(&mut self) -> Option<usize> {
        self.edges.sort_unstable();
        let mut ends = vec![false; self.parents.len()];
        let mut ahead = std::mem::take(&mut self.over);
        for state in &ahead {
            ends[*state] = true;
        }
        while let Some(to) = ahead.pop() {
            let first = self.edges.partition_point(|(other, _)| *other < to);
            let edges = self.edges[first..].iter();
            for (_, from) in edges.take_while(|(other, _)| *other == to) {
                if !std::mem::replace(&mut ends[*from], true) {
                    ahead.push(*from);
                }
            }
        }
        ends.iter().position(|ends| !ends)
    }
}

/// Wide enough that two states never share one: among ten million the odds are one in 10^24.
fn fingerprint(state: &impl Hash) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        state.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(0) << 64) | half(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock with a hand that goes round, stops at the top if somebody pulls it, and may break off below.
    struct Clock {
        breaks_at: Option<u8>,
        stops_at: u8,
    }

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum Hand {
        Forward,
        Stop,
    }

    impl System for Clock {
        type State = (u8, bool);
        type Action = Hand;
        type Broken = u8;
        type Sight = u8;

        fn begin(&self) -> Self::State {
            (0, false)
        }

        fn actions(&self, state: &Self::State) -> Vec<Hand> {
            match state {
                (_, true) => Vec::new(),
                (hour, false) if *hour == self.stops_at => vec![Hand::Forward, Hand::Stop],
                (_, false) => vec![Hand::Forward],
            }
        }

        fn next(
            &self,
            (hour, _): &Self::State,
            action: Hand,
            met: &mut BTreeSet<u8>,
        ) -> Self::State {
            met.insert(*hour);
            match action {
                Hand::Forward => ((hour + 1) % 12, false),
                Hand::Stop => (*hour, true),
            }
        }

        fn broken(&self, (hour, _): &Self::State) -> Option<u8> {
            self.breaks_at.filter(|breaks| breaks == hour)
        }

        fn is_over(&self, (_, stopped): &Self::State) -> bool {
            *stopped
        }

        fn is_optional(&self, action: Hand) -> bool {
            action == Hand::Stop && self.stops_at == 7
        }
    }

    #[test]
    fn every_state_is_reached_once_and_the_shortest_way_to_a_broken_one_is_told() {
        let clock = |breaks_at, stops_at| {
            let clock = Clock {
                breaks_at,
                stops_at,
            };
            search(&clock, 100)
        };
        let held = clock(None, 3);
        assert!(matches!(held.verdict, Conclusion::Holds));
        assert_eq!((held.states, held.steps, held.met.len()), (13, 13, 12));
        assert!(
            matches!(clock(Some(4), 3).verdict, Conclusion::Broken(way, 4) if way == [Hand::Forward; 4])
        );
        // A circle that nothing leads out of by itself.
        let stuck = clock(None, 7);
        assert!(matches!(stuck.verdict, Conclusion::Stuck(way) if way.is_empty()));
        assert!(matches!(
            search(
                &Clock {
                    breaks_at: None,
                    stops_at: 3
                },
                5
            )
            .verdict,
            Conclusion::TooMany
        ));
    }
}
