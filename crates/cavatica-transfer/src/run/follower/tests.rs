//! Plays jobs that end as time passes, with the real schedule and the real decisions.

use super::*;
use crate::run::folders::PageShown;

const SECOND: Duration = Duration::from_secs(1);

/// A platform whose jobs end at these moments, in seconds after they were sent; negative for those that fail.
struct Played {
    ends: Vec<f64>,
    /// How many files are accepted in a second; all at once if there is no limit.
    pace: Option<f64>,
    /// Files in a folder.
    folder: usize,
}

#[derive(Debug, Default)]
struct Spent {
    counts: usize,
    failures: usize,
    pages: usize,
    by_ids: usize,
    jobs: usize,
    late: f64,
    /// How many had been accepted when the first failure was seen.
    accepted_at_failure: Option<usize>,
}

impl Spent {
    fn all(&self) -> usize {
        self.counts + self.failures + self.pages + self.by_ids + self.jobs
    }
}

fn export(item: ItemId) -> ExportId {
    format!("job{}", item.0).parse().expect("a job's id")
}

fn timing() -> Timing {
    Timing::default()
}

impl Played {
    fn sent(&self, index: usize) -> f64 {
        self.pace
            .map_or(0.0, |pace| (index / 100 * 100) as f64 / pace)
    }

    /// When its job ends.
    fn ends(&self, item: ItemId) -> f64 {
        let index = usize::try_from(item.0 - 1).expect("a place");
        self.sent(index) + self.ends[index].abs()
    }

    fn fails(&self, item: ItemId) -> bool {
        self.ends[usize::try_from(item.0 - 1).expect("a place")] < 0.0
    }

    fn play(&self) -> Spent {
        let start = Instant::now();
        let mut follower = Follower::new(ExportMode::Move, &timing(), true, start);
        let (mut spent, mut now, mut accepted) = (Spent::default(), start, 0);
        let last = (0..self.ends.len()).map(|index| self.sent(index) + self.ends[index].abs());
        let last = last.fold(0.0, f64::max);
        loop {
            let elapsed = (now - start).as_secs_f64();
            while accepted < self.ends.len() && self.sent(accepted) <= elapsed {
                let batch = accepted..self.ends.len().min(accepted + 100);
                follower.accepted(batch.len(), now);
                for index in batch {
                    self.follow(&mut follower, index, now);
                    accepted += 1;
                }
            }
            let next_sent = (accepted < self.ends.len())
                .then(|| start + Duration::from_secs_f64(self.sent(accepted)));
            if follower.is_idle() && next_sent.is_none() {
                break;
            }
            if follower.waiting() + follower.in_flight() > 0
                && let Some(errand) = follower.next(now)
            {
                self.answer(&mut follower, errand, elapsed, accepted, &mut spent, now);
                now += SECOND * 3 / 10;
            } else {
                let wake = follower.next_wake(now).into_iter().chain(next_sent).min();
                now = wake
                    .expect("something to wait for")
                    .max(now + SECOND / 1_000);
            }
            assert!(spent.all() < 100_000, "it never ends: {spent:?}");
        }
        spent.late = (now - start).as_secs_f64() - last;
        spent
    }

    fn follow(&self, follower: &mut Follower, index: usize, now: Instant) {
        let item = ItemId(i64::try_from(index).expect("few") + 1);
        let folder = index / self.folder;
        let id = FolderId(i64::try_from(folder).expect("few"));
        let address = Some(Address {
            folder: id,
            file: index as u64,
        });
        if follower.undecided(address) == Some(id) {
            let first = folder * self.folder;
            let size = self.folder.min(self.ends.len() - first) as u64;
            let folder = Folder {
                file: format!("{folder:024x}").parse().expect("an id"),
                first: ItemId(i64::try_from(first).expect("few") + 1),
                planned: size,
                size: Some(crate::journal::FolderSize {
                    entries: size,
                    page: Some(size.min(1_000)),
                }),
            };
            follower.meet(id, folder);
        }
        let followed = Followed {
            item,
            export: export(item),
            since: Some(now),
        };
        follower.follow(followed, address);
    }

    /// Sorts by what has become of them.
    fn sort(&self, some: Vec<Followed>, elapsed: f64) -> (usize, usize, Vec<Followed>) {
        let (ended, go_on): (Vec<_>, Vec<_>) = some
            .into_iter()
            .partition(|followed| self.ends(followed.item) <= elapsed);
        let failed = ended.iter().filter(|followed| self.fails(followed.item));
        (failed.count(), ended.len(), go_on)
    }

    fn answer(
        &self,
        follower: &mut Follower,
        errand: Errand,
        elapsed: f64,
        accepted: usize,
        spent: &mut Spent,
        now: Instant,
    ) {
        let mut failed_now = 0;
        let items = (1..=accepted).map(|item| ItemId(i64::try_from(item).expect("few")));
        match errand {
            Errand::Count => {
                spent.counts += 1;
                let unfinished = items.filter(|item| self.ends(*item) > elapsed).count();
                follower.counted(unfinished as u64, now);
            }
            Errand::Failures => {
                spent.failures += 1;
                let failed = items.filter(|item| self.fails(*item) && self.ends(*item) <= elapsed);
                let failed: Vec<ExportId> = failed.map(export).collect();
                let total = Some(failed.len() as u64);
                follower.failures(&failed.into_iter().take(100).collect(), total);
            }
            Errand::Files(some) => {
                spent.by_ids += 1;
                let asked = some.len();
                let (failed, ended, go_on) = self.sort(some, elapsed);
                failed_now = failed;
                follower.read(asked, ended, go_on, true, now);
            }
            Errand::Jobs(some) | Errand::Both(some) => {
                spent.jobs += 1;
                let asked = some.len();
                for followed in &some {
                    follower.understood(followed.item);
                }
                let (failed, ended, go_on) = self.sort(some, elapsed);
                failed_now = failed;
                follower.read(asked, ended, go_on, false, now);
            }
            Errand::Sample(page, some) => {
                spent.jobs += 1;
                let asked = some.len();
                let (failed, ended, go_on) = self.sort(some, elapsed);
                failed_now = failed;
                follower.sampled(page, asked, failed, ended - failed, now);
                follower.read(asked, ended, go_on, false, now);
            }
            Errand::Page(wish) => {
                spent.pages += 1;
                let first = usize::try_from(wish.folder.0).expect("few") * self.folder;
                let entries: Vec<u64> = (first..self.ends.len().min(first + self.folder))
                    .map(|index| index as u64)
                    .collect();
                let shown = PageShown {
                    began: now,
                    files: &entries,
                    entries: None,
                };
                let page = follower.listed(wish.folder, &shown, None);
                let (mut arrived, mut late) = (0, Vec::new());
                for (followed, place) in page.seen {
                    if self.ends(followed.item) <= elapsed && !self.fails(followed.item) {
                        arrived += 1;
                    } else {
                        late.push((followed, entries[place]));
                    }
                }
                follower.sorted_page(wish.folder, wish.expected, arrived, late, now);
            }
        }
        if failed_now > 0 {
            spent.accepted_at_failure.get_or_insert(accepted);
        }
    }
}

/// Numbers between 0 and 1, always the same.
fn scattered(count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(|index| (index as f64 * 0.618_033_988_75).fract())
}

fn shapes(files: usize, seconds: f64) -> Vec<(&'static str, Vec<f64>)> {
    let part = |index: usize| index as f64 / files as f64;
    vec![
        ("all at once", vec![seconds; files]),
        (
            "in order",
            (0..files)
                .map(|index| seconds * (1.0 + part(index)) / 2.0)
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
    ]
}

/// Planning lists each folder once and starting takes a call for a hundred: what is left of 0.0125 N + 60 for following is
/// 0.0015 N + 48.
#[test]
fn dense_folders_take_one_request_for_a_page_and_few_more() {
    let at_once = [1.0, 60.0, 600.0, 3600.0, 36_000.0].map(|seconds| (10_000, None, seconds));
    let paced = at_once.map(|(files, _, seconds)| (files, Some(333.0), seconds));
    let large = [(50_000, None, 1.0), (50_000, None, 3600.0)];
    for (files, pace, seconds) in at_once.into_iter().chain(paced).chain(large) {
        for (shape, ends) in shapes(files, seconds) {
            let folder = 1_000;
            let spent = Played { ends, pace, folder }.play();
            // Past an hour, one question in five minutes is added: nobody wants to wait longer than that.
            let elapsed = seconds + pace.map_or(0.0, |pace| files as f64 / pace);
            let long = ((elapsed - 3600.0) / 300.0).max(0.0).ceil() as usize;
            let most = files * 15 / 10_000 + 48 + long;
            let what = format!("{files} files, {pace:?} a second, {shape}, {seconds} s: {spent:?}");
            assert!(spent.all() <= most, "{most} for {what}");
            assert!(spent.late <= 320.0 + 0.3 * spent.all() as f64, "{what}");
        }
    }
}

/// As early as where files are read by their ids: a folder is not waited for.
#[test]
fn the_first_failure_is_seen_as_early_whatever_the_folders() {
    for seconds in [1.0, 60.0, 600.0] {
        let failing = |folder| {
            let ends = (0..100_000).map(|index| -seconds * (1.0 + f64::from(index) / 100_000.0));
            let played = Played {
                ends: ends.collect(),
                pace: Some(333.0),
                folder,
            };
            played.play().accepted_at_failure.expect("all fail")
        };
        let (by_ids, dense, large) = (failing(100), failing(1_000), failing(100_000));
        assert!(dense <= by_ids + 500, "{seconds} s: {dense} and {by_ids}");
        assert!(large <= by_ids + 500, "{seconds} s: {large} and {by_ids}");
    }
}

/// Of a folder with 5 % failing jobs, those are read by their jobs, a hundred a request.
#[test]
fn failures_cost_what_reading_their_jobs_costs() {
    let files = 20_000;
    let played = Played {
        ends: scattered(files)
            .map(|part| if part < 0.05 { -1.0 } else { 1.0 })
            .collect(),
        pace: None,
        folder: 1_000,
    };
    let spent = played.play();
    assert!(
        spent.all() <= files / 1_000 + files / 2_000 + 20,
        "{spent:?}"
    );
}
