use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use cavatica_exports::model::ExportMode;

use super::action::Sight;
use super::checker::{Conclusion, Searched, search};
use super::setting::Occupant;
use super::setting::{Faults, Setting};
use super::story::tell;
use crate::Belief;

/// Nothing goes wrong.
const NONE: Faults = Faults {
    most: 0,
    answers: false,
    deaths: false,
    second: false,
    backup: false,
    others: false,
    jobs: false,
};

/// One thing of any kind goes wrong.
const ANY: Faults = Faults {
    most: 1,
    answers: true,
    deaths: true,
    second: true,
    backup: true,
    others: true,
    jobs: true,
};

const MOVE: Setting = Setting {
    name: "a move",
    mode: ExportMode::Move,
    files: 1,
    overwrite: false,
    occupied: Occupant::Nothing,
    looks_late: false,
    ahead: None,
    long_list: false,
    faults: ANY,
    without: None,
};

const OVERWRITE: Setting = Setting {
    name: "a move that may overwrite, over an earlier copy",
    overwrite: true,
    occupied: Occupant::Old,
    ..MOVE
};

const COPY: Setting = Setting {
    name: "a copy",
    mode: ExportMode::Copy,
    faults: Faults {
        backup: false,
        others: false,
        ..ANY
    },
    ..MOVE
};

const COPY_AGAIN: Setting = Setting {
    name: "a copy that may overwrite, over an earlier copy",
    mode: ExportMode::Copy,
    faults: COPY.faults,
    ..OVERWRITE
};

const fn two_of(faults: Faults) -> Faults {
    Faults { most: 2, ..faults }
}

const ANSWERS: Faults = Faults {
    most: 1,
    answers: true,
    ..NONE
};

const DEATHS: Faults = Faults {
    most: 1,
    deaths: true,
    ..NONE
};

/// What is searched with all beliefs on.
const HELD: &[Setting] = &[
    MOVE,
    Setting {
        name: "a move, dated a quarter of an hour behind",
        ahead: Some(-900),
        ..MOVE
    },
    Setting {
        name: "a move; answers and deaths",
        faults: two_of(Faults {
            deaths: true,
            ..ANSWERS
        }),
        ..MOVE
    },
    Setting {
        name: "a move; a second run, and deaths",
        faults: two_of(Faults {
            second: true,
            ..DEATHS
        }),
        ..MOVE
    },
    Setting {
        name: "a move; a backup in its place, and jobs that fail",
        faults: Faults {
            most: 2,
            backup: true,
            jobs: true,
            ..NONE
        },
        ..MOVE
    },
    Setting {
        name: "a move of two files; answers",
        files: 2,
        faults: ANSWERS,
        ..MOVE
    },
    Setting {
        name: "a move of two files; deaths, and a list too long to be read",
        files: 2,
        long_list: true,
        faults: DEATHS,
        ..MOVE
    },
    Setting {
        name: "a move of two files; a backup, other people, jobs that fail",
        files: 2,
        faults: Faults {
            most: 1,
            backup: true,
            others: true,
            jobs: true,
            ..NONE
        },
        ..MOVE
    },
    OVERWRITE,
    Setting {
        name: "the same, on a platform that looks when its job runs",
        looks_late: true,
        ..OVERWRITE
    },
    Setting {
        name: "a move that may overwrite; answers",
        faults: two_of(ANSWERS),
        ..OVERWRITE
    },
    COPY,
    Setting {
        name: "a copy; answers and deaths",
        faults: two_of(Faults {
            deaths: true,
            ..ANSWERS
        }),
        ..COPY
    },
    Setting {
        name: "a copy of two files; answers",
        files: 2,
        faults: ANSWERS,
        ..COPY
    },
    COPY_AGAIN,
    Setting {
        name: "the same, dated a quarter of an hour behind",
        ahead: Some(-900),
        ..COPY_AGAIN
    },
    Setting {
        name: "the same, dated a quarter of an hour ahead",
        ahead: Some(900),
        ..COPY_AGAIN
    },
];

/// The small world in which a belief is switched off.
fn without(belief: Belief) -> Setting {
    let setting = match belief {
        Belief::RequestsDie | Belief::ListInOrder => Setting {
            faults: ANSWERS,
            ..MOVE
        },
        Belief::JobsKept => Setting {
            faults: two_of(ANSWERS),
            ..MOVE
        },
        Belief::SyncedStays => Setting {
            faults: DEATHS,
            ..MOVE
        },
        Belief::OneDisk | Belief::FileKeepsId => Setting {
            faults: Faults {
                most: 1,
                backup: true,
                ..NONE
            },
            ..MOVE
        },
        Belief::AliasIsTrue => Setting {
            faults: Faults { most: 1, ..NONE },
            ..MOVE
        },
        Belief::OneAccount => Setting {
            overwrite: true,
            faults: Faults {
                most: 1,
                others: true,
                ..NONE
            },
            ..MOVE
        },
        Belief::OneClock => Setting {
            files: 2,
            ahead: Some(0),
            faults: ANSWERS,
            ..COPY
        },
    };
    Setting {
        without: Some(belief),
        ..setting
    }
}

/// Time stands still while a model is searched: what passes, the model lets pass.
fn searched(setting: &Setting) -> Searched<Setting> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let _guard = runtime.enter();
    search(setting, 1_000_000)
}

fn told(
    setting: &Setting,
    way: &[super::action::Action],
    broken: Option<&super::world::Broken>,
) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let _guard = runtime.enter();
    tell(setting, way, broken)
}

#[test]
fn with_all_beliefs_every_file_is_sent_once_and_comes_to_its_end() {
    let (mut table, mut met) = (String::new(), BTreeSet::new());
    table.push_str("| searched | things that go wrong | states | steps |\n|---|--:|--:|--:|\n");
    for setting in HELD {
        let found = searched(setting);
        let name = setting.name;
        match &found.verdict {
            Conclusion::Holds => {}
            Conclusion::Broken(way, broken) => {
                panic!("{name}: {:#?}", told(setting, way, Some(broken)));
            }
            Conclusion::Stuck(way) => panic!("{name}: stuck after {:#?}", told(setting, way, None)),
            Conclusion::TooMany => panic!("{name}: more states than a test may search"),
        }
        let (most, states, steps) = (setting.faults.most, found.states, found.steps);
        writeln!(table, "| {name} | {most} | {states} | {steps} |").expect("it is memory");
        met.extend(found.met);
    }
    let missed: Vec<Sight> = Sight::ALL
        .into_iter()
        .filter(|sight| !met.contains(sight))
        .collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
    written_in_the_docs("model", &table);
}

#[test]
fn without_any_one_belief_something_goes_wrong() {
    let mut stories = String::new();
    for belief in Belief::ALL {
        let setting = without(belief);
        let found = searched(&setting);
        let Conclusion::Broken(way, broken) = found.verdict else {
            panic!(
                "nothing goes wrong without {belief}: {} states",
                found.states
            );
        };
        writeln!(stories, "Without `{belief}`:\n").expect("it is memory");
        for (number, sentence) in (1..).zip(told(&setting, &way, Some(&broken))) {
            writeln!(stories, "{number}. {sentence}").expect("it is memory");
        }
        stories.push('\n');
    }
    written_in_the_docs("stories", stories.trim_end());
}

/// What is printed between two marks of `docs/reliability.md`; with `UPDATE_DOCS=1` it is written there.
#[track_caller]
fn written_in_the_docs(mark: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (begin, end) = (
        format!("<!-- {mark}: begin -->\n\n"),
        format!("\n\n<!-- {mark}: end -->"),
    );
    let (_, rest) = page.split_once(&begin).expect("where it begins");
    let (known, _) = rest.split_once(&end).expect("where it ends");
    let text = text.trim_end();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        // The other test writes to the same page.
        let _alone = PAGE.lock().expect("no test panicked");
        let page = std::fs::read_to_string(&path).expect("the page");
        let page = page.replace(
            &format!("{begin}{known}{end}"),
            &format!("{begin}{text}{end}"),
        );
        std::fs::write(path, page).expect("the page can be written");
    } else {
        assert_eq!(known, text, "UPDATE_DOCS=1 writes it");
    }
}

static PAGE: std::sync::Mutex<()> = std::sync::Mutex::new(());
