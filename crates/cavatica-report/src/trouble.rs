//! What is said of a file that didn't arrive, or whose object isn't as it was to be: in one place, so that every table, page
//! and line says the same.

use std::borrow::Cow;
use std::collections::HashMap;

use cavatica_model::ExportMode;
use cavatica_model::error::StatusCode;
use cavatica_model::finding::Reason;
use cavatica_transfer::Finding;
use cavatica_transfer::journal::{ItemRow, JournalError, TransferFile, TroubledItem};
use cavatica_transfer::state::State;
use serde::Serialize;

use crate::rows::attempts_of_run;

/// What to do about an outcome that isn't known.
const UNKNOWN_ADVICE: &str = "it was not sent again; run the transfer once more, it asks the platform first, or look into the bucket and at the file";

/// What to do about an object that isn't there any more, by what became of the platform's copy.
fn missing_advice(mode: ExportMode) -> &'static str {
    match mode {
        ExportMode::Move => {
            "the platform deleted its copy when the file arrived: find out at once who removed the object, and bring it back from an older version or a backup of the bucket; delete nothing else before that"
        }
        ExportMode::Copy => {
            "the platform still has its copy: find out who removed the object, then plan the file again with `--existing skip`"
        }
    }
}

/// What to do about an object that isn't the one that was exported.
const DIFFERS_ADVICE: &str = "somebody may have written another object there: find out who, and look for an older version in the bucket, before anything else is deleted";

/// The most groups that are told apart; what comes behind them is counted together.
const GROUPS: usize = 100;

/// How many files are named for a group.
const EXAMPLES: usize = 3;

/// How many files are read at a time, so that a run beside it can write.
const PAGE: usize = 2_000;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble<'a> {
    /// `missing` and `differs` of an object that was there to be; `unknown` and `failed` of a file that didn't arrive.
    pub kind: TroubleKind,
    /// `transient`, `permanent` and so on: whether it is worth trying again without anybody changing anything. Empty where
    /// the file didn't fail.
    pub class: &'static str,
    /// The platform's number, if it gave one.
    pub code: Option<i64>,
    /// The HTTP status, embedded or of the call.
    pub status: Option<u16>,
    /// What the platform said, or why the outcome isn't known.
    pub message: Cow<'a, str>,
    /// What to do about it.
    pub advice: Cow<'static, str>,
    /// The request that brought the news, for the platform's support.
    pub request_id: Option<&'a str>,
}

/// In what way a file needs attention, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TroubleKind {
    /// It arrived, and a later look found no object.
    Missing,
    /// It arrived, and a later look found another object.
    Differs,
    /// Its outcome can't be known.
    Unknown,
    /// The platform refused it, or its job failed.
    Failed,
}

impl TroubleKind {
    /// Its name, as `cavatica explain` knows it; it doesn't change.
    pub fn name(self) -> &'static str {
        match self {
            TroubleKind::Missing => "missing",
            TroubleKind::Differs => "differs",
            TroubleKind::Unknown => "unknown",
            TroubleKind::Failed => "failed",
        }
    }
}

impl<'a> Trouble<'a> {
    /// What is wrong with a planned file; `None` where nothing is.
    pub fn of_item(mode: ExportMode, item: &'a ItemRow) -> Option<Self> {
        let finding = item.verified.as_ref().map(|seen| seen.finding);
        Trouble::of(mode, &item.state, finding, item.warned.as_deref())
    }

    /// The same of a file that was read because something is wrong with it.
    pub fn of_troubled(mode: ExportMode, item: &'a TroubledItem) -> Option<Self> {
        Trouble::of(mode, &item.state, item.finding, item.warned.as_deref())
    }

    fn of(
        mode: ExportMode,
        state: &'a State,
        finding: Option<Finding>,
        warned: Option<&str>,
    ) -> Option<Self> {
        let trouble = |kind, message: Cow<'a, str>, advice: &'static str| Trouble {
            kind,
            class: "",
            code: None,
            status: None,
            message,
            advice: advice.into(),
            request_id: None,
        };
        match (state, finding) {
            (State::Completed { .. }, Some(Finding::Missing)) => Some(trouble(
                TroubleKind::Missing,
                "it arrived, and the newest look found no object".into(),
                missing_advice(mode),
            )),
            (State::Completed { .. }, Some(Finding::Differs)) => Some(trouble(
                TroubleKind::Differs,
                "it arrived, and the newest look found another object".into(),
                DIFFERS_ADVICE,
            )),
            (
                State::Planned | State::Intended | State::Accepted { .. } | State::Completed { .. },
                _,
            ) => None,
            (State::Unknown { doubt, .. }, _) => Some(trouble(
                TroubleKind::Unknown,
                doubt.to_string().into(),
                UNKNOWN_ADVICE,
            )),
            (State::Failed { failure, .. }, _) => Some(Trouble {
                kind: TroubleKind::Failed,
                class: failure.class().as_str(),
                code: failure.code,
                status: failure.status,
                message: failure.message.as_str().into(),
                advice: match warned.filter(|_| failure.code == Some(StatusCode::NOT_EXPORTABLE)) {
                    Some(name) => foretold(name, failure.advice()),
                    None => failure.advice().into(),
                },
                request_id: failure.request_id.as_deref(),
            }),
        }
    }
}

/// The advice about a refusal that the plan had warned of.
fn foretold(name: &str, advice: &'static str) -> Cow<'static, str> {
    match Reason::lookup(name) {
        Some(reason) => format!(
            "the plan had warned of it ({}): {}",
            reason.name, reason.advice
        )
        .into(),
        None => advice.into(),
    }
}

/// Files that need attention in the same way, with their true number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TroubleGroup {
    /// `missing`, `differs`, `unknown` or `failed`.
    pub kind: TroubleKind,
    /// See [`Trouble::class`].
    #[serde(skip_serializing_if = "str::is_empty")]
    pub class: &'static str,
    /// The platform's number, if it gave one.
    pub code: Option<i64>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// What was said of the first file.
    pub message: String,
    /// What to do about it.
    pub advice: Cow<'static, str>,
    /// How many files.
    pub files: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
    /// The first three of them.
    pub examples: Vec<TroubledFile>,
}

/// A file of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TroubledFile {
    /// The file.
    pub file_id: String,
    /// Where it was to go.
    pub location: String,
    /// What was said of it.
    pub message: String,
}

impl TroubleGroup {
    /// Everything that needs attention in these transfers, the gravest kind first and within it most files first.
    ///
    /// # Errors
    ///
    /// If one can't be read.
    pub fn read_all(transfers: &[TransferFile]) -> Result<Vec<Self>, JournalError> {
        let mut groups = HashMap::new();
        for transfer in transfers {
            let mode = transfer.terms().mode;
            each(
                |after| transfer.astray(after, PAGE),
                |item| enter(&mut groups, mode, item),
            )?;
            let counts = counted_failures(transfer);
            each(
                |after| transfer.failures(after, PAGE),
                |item| {
                    if counts(item) {
                        enter(&mut groups, mode, item);
                    }
                },
            )?;
        }
        let mut groups: Vec<Self> = groups.into_values().collect();
        groups.sort_by(|one, other| {
            let key = |group: &Self| (group.kind, u64::MAX - group.files);
            (key(one), one.code, one.status, &one.advice).cmp(&(
                key(other),
                other.code,
                other.status,
                &other.advice,
            ))
        });
        Ok(groups)
    }
}

/// Which failures count.
pub(crate) fn counted_failures(transfer: &TransferFile) -> impl Fn(&TroubledItem) -> bool + use<> {
    let most = attempts_of_run(transfer);
    move |item| !most.is_some_and(|most| item.state.is_sent_again(item.attempts, most))
}

/// Visits all troubled files of one sort, page by page.
pub(crate) fn each(
    page: impl Fn(Option<cavatica_transfer::state::ItemId>) -> Result<Vec<TroubledItem>, JournalError>,
    mut visit: impl FnMut(&TroubledItem),
) -> Result<(), JournalError> {
    let mut after = None;
    loop {
        let items = page(after)?;
        let Some(last) = items.last() else {
            return Ok(());
        };
        after = Some(last.id);
        items.iter().for_each(&mut visit);
    }
}

type Key = (TroubleKind, Option<i64>, Option<u16>, Cow<'static, str>);

fn enter(groups: &mut HashMap<Key, TroubleGroup>, mode: ExportMode, item: &TroubledItem) {
    let Some(trouble) = Trouble::of_troubled(mode, item) else {
        return;
    };
    // Without a code the status tells failures apart; doubts are told apart by their words.
    let apart = match trouble.kind {
        TroubleKind::Unknown => trouble.message.clone().into_owned().into(),
        TroubleKind::Missing | TroubleKind::Differs | TroubleKind::Failed => trouble.advice.clone(),
    };
    let key = (trouble.kind, trouble.code, trouble.status, apart);
    let key = if groups.len() < GROUPS || groups.contains_key(&key) {
        key
    } else {
        (TroubleKind::Failed, None, None, "".into())
    };
    let group = groups.entry(key).or_insert_with(|| TroubleGroup {
        kind: trouble.kind,
        class: trouble.class,
        code: trouble.code,
        status: trouble.status,
        message: trouble.message.clone().into_owned(),
        advice: trouble.advice.clone(),
        files: 0,
        bytes: 0,
        examples: Vec::new(),
    });
    group.files += 1;
    group.bytes += item.size.unwrap_or(0);
    if group.examples.len() < EXAMPLES {
        group.examples.push(TroubledFile {
            file_id: item.file.to_string(),
            location: item.location.clone(),
            message: trouble.message.into_owned(),
        });
    }
}
