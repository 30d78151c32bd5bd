use cavatica_model::wire::OpenName;
use cavatica_model::{ExportMode, ExportState, Tri};
use proptest::prelude::*;

use super::quirk::Quirks;
use super::*;
use crate::clock::Millis;
use crate::control::ledger::Ledger;
use crate::world::quirk::Quirk;
use crate::world::seed::{ProjectSeed, VolumeSeed, WorldSeed};

/// Something that happens to a world.
#[derive(Clone, Debug)]
enum Act {
    Start {
        file: u32,
        volume: usize,
        key: u8,
        mode: ExportMode,
        overwrite: bool,
        twist: Option<Twist>,
        by: By,
    },
    /// The job takes its next step, if it has one left.
    Step(usize),
    Close(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let mode = prop_oneof![Just(ExportMode::Move), Just(ExportMode::Copy)];
    let twist = proptest::option::weighted(
        0.3,
        proptest::sample::select(vec![
            Twist::KeepFile,
            Twist::Hollow,
            Twist::LateAlias(5),
            Twist::LoseFile(5),
        ]),
    );
    let by = prop_oneof![
        4 => Just(By::Client),
        2 => Just(By::client("third")),
        1 => Just(By::SameAccount),
        1 => Just(By::OtherAccount("colleague".into())),
    ];
    let start = (
        0..8_u32,
        0..4_usize,
        0..4_u8,
        mode,
        any::<bool>(),
        twist,
        by,
    );
    prop_oneof![
        4 => start.prop_map(|(file, volume, key, mode, overwrite, twist, by)| Act::Start {
            file, volume, key, mode, overwrite, twist, by,
        }),
        8 => (0..40_usize).prop_map(Act::Step),
        1 => any::<bool>().prop_map(Act::Close),
    ]
}

const VOLUMES: [&str; 4] = ["a/v", "a/ro", "a/none", "a/real"];

fn seed(quirks: Quirks) -> WorldSeed {
    WorldSeed {
        seed: 3,
        at: 0,
        quirks,
        accounts: vec!["third".to_owned()],
        projects: vec![ProjectSeed::new("a/b").synthetic("", 6, 10).folder("f")],
        volumes: vec![
            VolumeSeed::s3("a/v").keys_only(),
            VolumeSeed::s3("a/ro").read_only(),
            VolumeSeed::s3("a/real").real_s3(None),
        ],
    }
}

/// The events that an act causes, bytes taken as moved.
fn events(world: &World, act: &Act, now: Millis) -> Vec<Event> {
    match act {
        Act::Start {
            file,
            volume,
            key,
            mode,
            overwrite,
            twist,
            by,
        } => {
            let wish = Wish {
                by: by.clone(),
                file: number::file_id(world.seed(), *file),
                volume: VOLUMES[*volume].to_owned(),
                location: format!("{key}"),
                mode: *mode,
                overwrite: *overwrite,
                properties: Tri::Absent,
            };
            let fate = Fate {
                twist: *twist,
                ..Fate::default()
            };
            let start = world.start(wish, JobTiming::between(0, 100, 0.2), fate, now);
            start.map(Event::Started).into_iter().collect()
        }
        Act::Step(job) => match world.step(u32::try_from(*job).expect("small"), now) {
            None => Vec::new(),
            Some(Due::Note(event)) => vec![event],
            Some(Due::Carry(errand)) => {
                // Nobody else writes to the real bucket here, so the world knows what is in it.
                let objects = &world.volumes()[errand.volume as usize].objects;
                let replacing = match errand.replacing {
                    Replacing::AskBucket => {
                        world.replacing(errand.job, objects.contains_key(&errand.location))
                    }
                    known => Ok(known),
                };
                let removed = Event::ObjectRemoved {
                    volume: errand.volume,
                    location: errand.location.to_string(),
                    job: Some(errand.job),
                };
                let end = match errand.doom.or(replacing.err()) {
                    Some(code) => Event::Failed {
                        job: errand.job,
                        at: now,
                        code,
                        why: None,
                    },
                    None => Event::Completed {
                        job: errand.job,
                        at: now,
                        size: errand.size,
                        etag: String::new(),
                    },
                };
                match replacing {
                    Ok(Replacing::DeleteFirst | Replacing::DeleteLast) => vec![removed, end],
                    Ok(Replacing::Nothing | Replacing::AskBucket) | Err(_) => vec![end],
                }
            }
        },
        Act::Close(active) => vec![Event::VolumeChanged {
            volume: 0,
            change: Box::new(VolumeChange {
                active: Some(*active),
                ..VolumeChange::default()
            }),
            at: now,
        }],
    }
}

proptest! {
    #[test]
    fn a_world_is_what_its_events_made_it(
        acts in proptest::collection::vec(act(), 0..120),
        quirks in proptest::collection::btree_set(proptest::sample::select(Quirk::ALL), 0..4),
    ) {
        let seed = seed(quirks);
        let mut world = World::grow(&seed).expect("a world");
        let mut log = String::new();
        for (now, act) in (0..).zip(&acts) {
            for event in events(&world, act, now) {
                log += &serde_json::to_string(&event)?;
                log.push('\n');
                world.apply(&event)?;
            }
        }

        // Read back from its log, it is the same.
        let mut again = World::grow(&seed).expect("a world");
        for line in log.lines() {
            again.apply(&serde_json::from_str(line)?)?;
        }
        let ledger = Ledger::of_world(&world);
        prop_assert_eq!(&Ledger::of_world(&again), &ledger);
        let links = Links(String::new());
        for number in 0..8 {
            prop_assert_eq!(world.file_view(number, &links), again.file_view(number, &links));
        }

        // What is counted as it happens agrees with what one finds by looking, at each account's own jobs.
        for account in world.accounts() {
            for state in ExportState::ALL {
                let own = world.jobs().iter().filter(|job| job.by.account() == account);
                let found = own.filter(|job| job.state == *state).count();
                prop_assert_eq!(world.count(Some(account), None, *state), found as u64);
            }
        }
        let unfinished = world.jobs().iter().filter(|job| !job.state.is_final()).count();
        prop_assert_eq!(world.unfinished().count(), unfinished);
        prop_assert_eq!(ledger.starts + ledger.starts_elsewhere, world.jobs().len() as u64);

        // No file leaves the platform twice, unless a job let it stay.
        for file in ledger.files.keys() {
            let moves = world.jobs().iter().filter(|job| {
                world.file_id(job.file) == *file
                    && job.mode == ExportMode::Move
                    && job.state == ExportState::Completed
            });
            let odd = world.jobs().iter().any(|job| job.twist.is_some());
            prop_assert!(moves.count() <= 1 || odd);
        }
        // Every alias has its object, and every object its job, or somebody was let to overwrite it.
        if ledger.objects_overwritten == 0 {
            let delivered: u64 = ledger.files.values().map(|file| file.delivered).sum();
            prop_assert_eq!(ledger.objects.values().sum::<u64>(), delivered);
            prop_assert!(ledger.dangling.is_empty(), "{:?}", ledger.dangling);
            prop_assert_eq!(ledger.destroyed().count(), 0);
        }
        for object in ledger.destroyed() {
            prop_assert!(object.overwritten > 0 && !ledger.holds(&object.volume, &object.location));
        }
    }
}
