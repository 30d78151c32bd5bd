//! Reports: that they agree, that they can be made at any time, and that nothing from outside becomes markup.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use cavatica_model::{ExportMode, Location};
use cavatica_report::{Overview, ReportFormat, Standing, Summary, Whole, Written, write_report};
use cavatica_transfer::journal::{
    Change, Draft, Journal, Opening, Pick, PlannedFile, SkippedFile, SqliteJournal, Terms,
    TransferFile, Verification,
};
use cavatica_transfer::state::{
    Answer, Doubt, Failure, ItemId, Observation, SeenJob, Step, Verdict,
};
use cavatica_transfer::{Against, ListedObject};
use jiff::SignedDuration;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::support::{ACCOUNT, file, now, plan, terms};

const ALL: [ReportFormat; 6] = [
    ReportFormat::Tsv,
    ReportFormat::Csv,
    ReportFormat::JsonLines,
    ReportFormat::Html,
    ReportFormat::Drs,
    ReportFormat::Tags,
];

fn report(path: &Path, format: ReportFormat) -> (String, Written) {
    let transfer = TransferFile::open(path).expect("the transfer can be read");
    let mut out = Vec::new();
    let written = write_report(&Whole::of(transfer), format, &mut out).expect("a report");
    (String::from_utf8(out).expect("text"), written)
}

fn open(path: &Path) -> SqliteJournal {
    Opening::default()
        .open(path, now())
        .expect("the transfer opens")
}

fn job(item: ItemId, verdict: Verdict) -> SeenJob {
    SeenJob {
        export: format!("{item:032}").parse().expect("an export id"),
        verdict,
    }
}

fn failure(code: Option<i64>) -> Failure {
    Failure {
        code,
        status: Some(503),
        message: "no, thank you".to_owned(),
        request_id: Some("r-1".to_owned()),
    }
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Planned,
    Intended,
    Accepted,
    Completed,
    FoundAsAlias,
    Refused(Option<i64>),
    JobFailed(Option<i64>),
    Unknown(Doubt),
    /// It failed, and shall be tried again.
    ToRetry,
    /// Provably nothing was accepted.
    NotTaken,
}

fn fate() -> impl Strategy<Value = Fate> {
    let code = prop_oneof![
        Just(None),
        (9000..9120_i64).prop_map(Some),
        any::<i64>().prop_map(Some)
    ];
    let doubt = prop_oneof![
        Just(Doubt::ListIncomplete),
        Just(Doubt::FileChanged),
        Just(Doubt::JobUnclear)
    ];
    prop_oneof![
        1 => Just(Fate::Planned),
        1 => Just(Fate::Intended),
        1 => Just(Fate::Accepted),
        4 => Just(Fate::Completed),
        1 => Just(Fate::FoundAsAlias),
        1 => code.clone().prop_map(Fate::Refused),
        1 => code.prop_map(Fate::JobFailed),
        1 => doubt.prop_map(Fate::Unknown),
        1 => Just(Fate::ToRetry),
        1 => Just(Fate::NotTaken),
    ]
}

impl Fate {
    /// The steps behind the intent.
    fn steps(self, item: ItemId) -> Vec<Step> {
        let answer = |verdict| Step::Answer(Answer::Accepted(job(item, verdict)));
        match self {
            Fate::Planned | Fate::Intended => vec![],
            Fate::Accepted => vec![answer(Verdict::Unfinished)],
            Fate::Completed => vec![
                answer(Verdict::Unfinished),
                Step::Observation(Observation::Job(job(item, Verdict::Completed))),
            ],
            Fate::FoundAsAlias => vec![Step::Observation(Observation::AliasAtDestination)],
            Fate::Refused(code) => vec![Step::Answer(Answer::Refused(failure(code)))],
            Fate::JobFailed(code) => vec![answer(Verdict::Failed(failure(code)))],
            Fate::Unknown(doubt) => vec![Step::Observation(Observation::Unclear(doubt))],
            Fate::ToRetry => vec![
                Step::Answer(Answer::Refused(failure(Some(9100)))),
                Step::Retry,
            ],
            Fate::NotTaken => vec![Step::Answer(Answer::NotSent)],
        }
    }
}

/// Plans a file for each fate and takes it there. Every third size isn't known.
fn lived(path: &Path, fates: &[Fate], skipped: usize) -> SqliteJournal {
    let mut draft =
        Draft::create(path, terms(ExportMode::Move), "a test", None, now()).expect("a transfer");
    for number in 1..=fates.len() as u64 {
        let location: Location = format!("run1/{number}.bam").parse().expect("a location");
        let file = file(number);
        let planned = PlannedFile {
            size: (number % 3 > 0).then_some(number << (number % 40)),
            ..planned(&file, &location)
        };
        draft.add(&planned).expect("room");
    }
    for number in 0..skipped {
        let skipped = SkippedFile {
            kind: ["alias", "public"][number % 2],
            ..skipped_file()
        };
        draft.skip(&skipped).expect("room");
    }
    draft.finish().expect("a plan");
    let mut journal = open(path);
    for (id, fate) in (1..).map(ItemId).zip(fates) {
        if matches!(fate, Fate::Planned) {
            continue;
        }
        let sent = now() + SignedDuration::from_secs(id.0);
        journal.intend(Pick::These(&[id]), sent).expect("room");
        for step in fate.steps(id) {
            let moved = Change {
                started: Some(sent + SignedDuration::from_secs(2)),
                finished: Some(sent + SignedDuration::from_secs(id.0 * 7)),
                ..Change::new(id, step)
            };
            journal.record(vec![moved]).expect("a legal step");
        }
    }
    journal.note_requests(7, 1000, now()).expect("room");
    journal.commit().expect("room");
    journal
}

fn planned<'a>(file: &'a cavatica_model::FileId, location: &'a Location) -> PlannedFile<'a> {
    PlannedFile {
        file,
        location,
        size: Some(10),
        path: None,
        project: None,
        task: None,
        overwrite: None,
        properties: None,
        metadata: None,
        folder: None,
    }
}

fn skipped_file() -> SkippedFile<'static> {
    SkippedFile {
        file: None,
        path: Some("somewhere"),
        size: None,
        project: None,
        kind: "alias",
        reason: "it is an alias",
    }
}

/// How many rows of a table have which state.
fn states(text: &str, delimiter: u8) -> BTreeMap<String, u64> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let column = reader
        .headers()
        .expect("a header")
        .iter()
        .position(|name| name == "state")
        .expect("a column `state`");
    let mut counts = BTreeMap::new();
    for record in reader.records() {
        let state = record.expect("a row")[column].to_owned();
        *counts.entry(state).or_insert(0) += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Planned = completed + failed + unknown + left, in every form and in the summary, beside the run that goes on.
    #[test]
    fn the_account_adds_up_in_every_form(
        fates in proptest::collection::vec(fate(), 0..30),
        skipped in 0..5_usize,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.transfer");
        let journal = lived(&path, &fates, skipped);
        let all = fates.len() as u64;
        let summary = Summary::read(&path).expect("a summary");
        let Overview { completed, failed, unknown, left, .. } = summary.overview;
        prop_assert_eq!(completed + failed + unknown + left, all);
        prop_assert_eq!(summary.overview.skipped, skipped as u64);
        let troubled: u64 = summary.troubles.iter().map(|group| group.files).sum();
        prop_assert_eq!(troubled, failed + unknown);

        let tsv = states(&report(&path, ReportFormat::Tsv).0, b'\t');
        let count = |state: &str| tsv.get(state).copied().unwrap_or(0);
        prop_assert_eq!(count("completed"), completed);
        prop_assert_eq!(count("failed"), failed);
        prop_assert_eq!(count("unknown"), unknown);
        prop_assert_eq!(count("planned") + count("intended") + count("accepted"), left);
        prop_assert_eq!(count("skipped"), skipped as u64);
        prop_assert_eq!(&states(&report(&path, ReportFormat::Csv).0, b','), &tsv);
        let (lines, _) = report(&path, ReportFormat::JsonLines);
        let mut counted = BTreeMap::new();
        for line in lines.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            *counted.entry(row["state"].as_str().expect("a state").to_owned()).or_insert(0) += 1;
        }
        prop_assert_eq!(&counted, &tsv);

        let (page, written) = report(&path, ReportFormat::Html);
        prop_assert_eq!(written.rows, all + skipped as u64);
        let sum = format!("{all} planned = {completed} arrived + {failed} failed + {unknown} unknown + {left} left");
        prop_assert!(page.contains(&sum), "{sum}");
        for (state, count) in &tsv {
            let rows = page.matches(&format!("<tr data-state=\"{state}\">")).count();
            prop_assert_eq!(rows as u64, *count);
        }
        prop_assert_eq!(report(&path, ReportFormat::Drs).0.lines().count() as u64, completed + 1);
        prop_assert_eq!(report(&path, ReportFormat::Tags).0.lines().count() as u64, completed);
        drop(journal);
    }
}

#[test]
fn a_report_can_be_made_at_any_moment_of_a_run() {
    const FILES: usize = 3_000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, FILES as u64);
    let run = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut journal = open(&path);
            while journal.intend(Pick::Fresh(100), now()).expect("room").files > 0 {
                let intents = journal.commit().expect("a reader is in nobody's way");
                let done = |item: &cavatica_transfer::journal::Item| {
                    let step = Step::Answer(Answer::Accepted(job(item.id, Verdict::Completed)));
                    Change::new(item.id, step)
                };
                let moves: Vec<Change> = intents[0].items.iter().map(done).collect();
                journal.record(moves).expect("a reader is in nobody's way");
                journal.commit().expect("a reader is in nobody's way");
            }
        }
    });
    let mut last = 0;
    while !run.is_finished() {
        let rows: u64 = states(&report(&path, ReportFormat::Tsv).0, b'\t')
            .values()
            .sum();
        assert_eq!(rows, FILES as u64);
        let (page, _) = report(&path, ReportFormat::Html);
        let account = page.split(" planned = ").nth(1).expect("the account");
        let parts: Vec<u64> = account
            .split(|c: char| !c.is_ascii_digit() && c != ',')
            .filter_map(|part| part.replace(',', "").parse().ok())
            .take(4)
            .collect();
        assert_eq!(parts.iter().sum::<u64>(), FILES as u64, "{parts:?}");
        assert!(parts[0] >= last, "what arrived stays");
        last = parts[0];
    }
    run.join().expect("the run comes to its end");
}

#[test]
fn what_was_seen_at_the_destination_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    drop(lived(&path, &[Fate::Completed; 3], 0));
    let etag = "0123456789abcdef0123456789abcdef";
    let mut look = Verification::begin(&path, Against::Volume, now()).expect("it opens");
    let object = |number: u64, size: u64| {
        ListedObject::new(format!("run1/{number}.bam"), Some(size), Some(etag))
    };
    look.see(&[object(1, 2), object(2, 7)]).expect("room");
    look.settle(&std::collections::HashSet::new(), &mut |_| {})
        .expect("room");
    look.finish(now()).expect("room");
    drop(look);

    let (lines, _) = report(&path, ReportFormat::JsonLines);
    let seen: Vec<_> = lines
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            (row["verified"].clone(), row["etag"].clone())
        })
        .collect();
    assert_eq!(seen[0], ("same".into(), etag.into()));
    assert_eq!(seen[1].0, "differs");
    assert_eq!(seen[2], ("missing".into(), "".into()));

    let (manifest, written) = report(&path, ReportFormat::Drs);
    let first = format!("franklin-lab,run1/1.bam,2,{etag},000000000000000000000001,,,");
    assert_eq!(manifest.lines().nth(1), Some(&*first));
    assert_eq!(written.without_etag, 1);

    let (page, _) = report(&path, ReportFormat::Html);
    assert!(page.contains("Arrived, but missing or changed"));
    let overview = Overview::read(&path).expect("an overview");
    assert_eq!((overview.state, overview.wrong()), (Standing::Differs, 2));
    // The gravest first, with what to do: before the file that is as it was to be.
    let rows: Vec<_> = page
        .match_indices("<tr data-state=\"")
        .map(|(at, head)| {
            let state = &page[at + head.len()..];
            state.split('"').next().expect("a state")
        })
        .collect();
    assert_eq!(rows, ["missing", "differs", "completed"]);
    let troubles = Summary::read(&path).expect("a summary").troubles;
    assert_eq!(
        troubles
            .iter()
            .map(|group| group.kind.name())
            .collect::<Vec<_>>(),
        ["missing", "differs"]
    );
    assert!(troubles[0].advice.contains("the platform deleted its copy"));
    assert!(page.contains("1 file as planned, 1 missing, 1 different"));
}

#[test]
fn the_same_without_a_size_is_told_as_that() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    drop(lived(&path, &[Fate::Completed; 3], 0));
    let object = |number: u64, size: Option<u64>| {
        ListedObject::new(format!("run1/{number}.bam"), size, None)
    };
    let look = |objects: &[ListedObject]| {
        let mut look = Verification::begin(&path, Against::Volume, now()).expect("it opens");
        look.see(objects).expect("room");
        look.settle(&std::collections::HashSet::new(), &mut |_| {})
            .expect("room");
        look.finish(now()).expect("room");
        let (table, _) = report(&path, ReportFormat::JsonLines);
        let row = |line: &str| -> (String, String) {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let text = |name: &str| row[name].as_str().expect("a text").to_owned();
            (text("verified"), text("verified_size"))
        };
        let (page, _) = report(&path, ReportFormat::Html);
        (table.lines().map(row).collect::<Vec<_>>(), page)
    };
    let seen = |finding: &str, size: &str| (finding.to_owned(), size.to_owned());

    let (rows, page) = look(&[object(1, None), object(2, Some(8))]);
    assert_eq!(
        rows,
        [
            seen("same", "not-listed"),
            seen("same", "compared"),
            seen("missing", ""),
        ]
    );
    assert!(
        page.contains("2 files as planned (1 by key, without a size to compare), 1 missing"),
        "{page}"
    );
    assert!(page.contains("verified: same key, size not compared"));

    // The next look is what counts. The third file was planned without a size.
    let (rows, page) = look(&[1, 2, 3].map(|number| object(number, None)));
    assert_eq!(rows, [1, 2, 3].map(|_| seen("same", "not-listed")));
    assert!(page.contains("3 files as planned (all by key, without a size to compare), 0 missing"));
    let (rows, _) = look(&[object(1, Some(2)), object(2, Some(8)), object(3, Some(9))]);
    assert_eq!(
        rows,
        [
            seen("same", "compared"),
            seen("same", "compared"),
            seen("same", "not-planned"),
        ]
    );
}

/// Every text of a transfer that comes from outside.
#[derive(Clone, Debug)]
struct Texts {
    path: String,
    location: String,
    message: String,
    request: String,
    reason: String,
    label: String,
    metadata: String,
    bucket: String,
    account: String,
}

impl Texts {
    fn harmless() -> Self {
        let text = || "x".to_owned();
        Texts {
            path: text(),
            location: text(),
            message: text(),
            request: text(),
            reason: text(),
            label: text(),
            metadata: text(),
            bucket: text(),
            account: ACCOUNT.to_owned(),
        }
    }

    fn page(&self) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.transfer");
        let terms = Terms {
            bucket: Some(self.bucket.clone()),
            account: self.account.clone(),
            ..terms(ExportMode::Copy)
        };
        let mut draft =
            Draft::create(&path, terms, &self.label, Some(&self.label), now()).expect("a transfer");
        let location = format!("run1/{}", self.location)
            .parse()
            .expect("a location");
        let project = "lab/cohort".parse().expect("a project");
        let file = file(1);
        let planned = PlannedFile {
            path: Some(&self.path),
            project: Some(&project),
            metadata: Some(&self.metadata),
            ..planned(&file, &location)
        };
        draft.add(&planned).expect("room");
        let skipped = SkippedFile {
            path: Some(&self.path),
            reason: &self.reason,
            kind: &self.reason,
            ..skipped_file()
        };
        draft.skip(&skipped).expect("room");
        draft.finish().expect("a plan");
        let mut journal = Opening::default().open(&path, now()).expect("it opens");
        journal.intend(Pick::Fresh(1), now()).expect("room");
        let refused = Step::Answer(Answer::Refused(Failure {
            message: self.message.clone(),
            request_id: Some(self.request.clone()),
            ..failure(Some(9006))
        }));
        let moved = Change::new(ItemId(1), refused);
        journal.record(vec![moved]).expect("a legal step");
        journal.commit().expect("room");
        report(&path, ReportFormat::Html).0
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let known = [
        "</td><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style></script><!--",
        "]]>&lt;&#60;script>",
        "{} {}",
        "\u{202e}gpj.exe",
    ];
    prop_oneof![
        proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        "[<>&\"'={}a-c;!-]{1,20}",
        "\\PC{1,20}",
    ]
}

/// A text that a location may hold.
fn hostile_key() -> impl Strategy<Value = String> {
    hostile().prop_map(|text| format!("k{}", text.replace('/', "|")))
}

fn texts() -> impl Strategy<Value = Texts> {
    (proptest::array::uniform8(hostile()), hostile_key()).prop_map(
        |(
            [
                path,
                message,
                request,
                reason,
                label,
                metadata,
                bucket,
                account,
            ],
            location,
        )| {
            Texts {
                path,
                location,
                message,
                request,
                reason,
                label,
                metadata,
                bucket,
                account,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever files, messages and keys are called, the page has the tags and attributes that it has with
    /// harmless ones.
    #[test]
    fn nothing_from_outside_becomes_markup(texts in texts()) {
        let markup = |page: &str| -> Vec<usize> {
            ['<', '>', '"'].map(|c| page.matches(c).count()).to_vec()
        };
        prop_assert_eq!(markup(&texts.page()), markup(&Texts::harmless().page()));
    }
}

#[test]
fn the_page_loads_nothing_and_its_policy_allows_what_is_in_it() {
    let page = Texts::harmless().page();
    for loading in [
        "src=", "href=", "@import", "url(", "fetch(", "style=\"", " onclick",
    ] {
        assert!(!page.contains(loading), "{loading}");
    }
    for element in ["style", "script"] {
        let inner = page
            .split(&format!("<{element}>"))
            .nth(1)
            .and_then(|rest| rest.split(&format!("</{element}>")).next())
            .expect("one of them");
        let hash = base64::prelude::BASE64_STANDARD.encode(Sha256::digest(inner));
        let policy = format!("{element}-src 'sha256-{hash}'");
        assert!(
            page.replace("&#39;", "'").contains(&policy),
            "{policy} is missing"
        );
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_page_has_a_thousand_rows_and_those_first_that_need_attention() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let mut fates = vec![Fate::Planned; 1_200];
    fates[1_100] = Fate::Refused(Some(9006));
    drop(lived(&path, &fates, 3));
    let (page, written) = report(&path, ReportFormat::Html);
    assert_eq!(written.rows, 1_203);
    assert_eq!(page.matches("<tr data-state=").count(), 1_000);
    assert!(page.contains(
        "Only the 1,000 rows listed here are searched; 203 other files are not on this page."
    ));
    let first = page.find("<tr data-state=").expect("rows");
    assert!(page[first..].starts_with("<tr data-state=\"failed\">"));
    assert!(
        page.contains("--format tsv"),
        "it says where the others are"
    );
}

/// The names in the first column of the table under a heading of `docs/report.md`.
fn documented(heading: &str) -> Vec<String> {
    include_str!("../../../../docs/report.md")
        .split(heading)
        .nth(1)
        .expect("the heading")
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('`').nth(1).map(str::to_owned))
        .collect()
}

#[test]
fn every_column_is_documented_in_its_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    drop(lived(&path, &[Fate::Completed], 1));
    for (format, delimiter, heading) in [
        (ReportFormat::Tsv, '\t', "## The columns"),
        (ReportFormat::Csv, ',', "## The columns"),
        (ReportFormat::Drs, ',', "## The DRS manifest"),
    ] {
        let (text, _) = report(&path, format);
        let header: Vec<&str> = text
            .lines()
            .next()
            .expect("a header")
            .split(delimiter)
            .collect();
        assert_eq!(header, documented(heading), "{format:?}");
    }
    let (lines, _) = report(&path, ReportFormat::JsonLines);
    let mut row: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(lines.lines().next().expect("a row")).expect("JSON");
    assert_eq!(row.remove("version"), Some(1.into()));
    let mut names: Vec<_> = documented("## The columns");
    let (text, _) = report(&path, ReportFormat::Tsv);
    let cells: Vec<&str> = text.lines().nth(1).expect("a row").split('\t').collect();
    for (name, cell) in names.iter().zip(cells) {
        let value = row[name].to_string();
        assert_eq!(cell, value.trim_matches('"').replace("null", ""), "{name}");
    }
    names.sort();
    assert_eq!(row.keys().cloned().collect::<Vec<_>>(), names);
}

#[test]
fn a_transfer_that_never_ran_has_every_report() {
    let folder = tempfile::tempdir().expect("a folder");
    for files in [0, 2] {
        let path = folder.path().join(format!("{files}.transfer"));
        plan(&path, files);
        for format in ALL {
            report(&path, format);
        }
    }
}

/// A refusal that the plan had warned of is explained by that warning, wherever it is told.
#[test]
fn a_refusal_that_was_foretold_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let mut draft =
        Draft::create(&path, terms(ExportMode::Move), "a test", None, now()).expect("a transfer");
    for number in 1..=2 {
        let location: Location = format!("run1/{number}.bam").parse().expect("a location");
        let item = draft.add(&planned(&file(number), &location)).expect("room");
        if number == 1 {
            draft.note_warning(item, "maybe-archived").expect("room");
        }
    }
    draft.finish().expect("a plan");
    let mut journal = open(&path);
    journal.intend(Pick::Fresh(2), now()).expect("room");
    for id in [1, 2] {
        let refused = Step::Answer(Answer::Refused(failure(Some(9006))));
        journal
            .record(vec![Change::new(ItemId(id), refused)])
            .expect("a legal step");
    }
    journal.commit().expect("room");
    drop(journal);
    let summary = Summary::read(&path).expect("a summary");
    assert_eq!(
        summary.troubles.len(),
        2,
        "the one asks for something else than the other"
    );
    let told = |advice: &str| {
        advice.contains("the plan had warned of it (maybe-archived)")
            && advice.contains("restore the file first")
    };
    assert!(told(&summary.failures[0].advice) && !told(&summary.failures[1].advice));
    let (lines, _) = report(&path, ReportFormat::JsonLines);
    let row: serde_json::Value =
        serde_json::from_str(lines.lines().next().expect("a row")).expect("JSON");
    assert!(told(row["advice"].as_str().expect("a text")));
}

/// Counts are those of all files, however many there are; three of each kind are named.
#[test]
fn every_code_is_counted_to_its_last_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let mut fates = vec![Fate::Refused(Some(9006)); 30];
    fates.extend([Fate::JobFailed(Some(9103)); 25]);
    fates.push(Fate::Refused(Some(9107)));
    fates.push(Fate::Unknown(Doubt::JobGone));
    drop(lived(&path, &fates, 0));
    let summary = Summary::read(&path).expect("a summary");
    let groups: Vec<_> = summary
        .troubles
        .iter()
        .map(|group| (group.code, group.files, group.examples.len()))
        .collect();
    assert_eq!(
        groups,
        [
            (None, 1, 1),
            (Some(9006), 30, 3),
            (Some(9103), 25, 3),
            (Some(9107), 1, 1)
        ]
    );
}
