//! How a request is conducted, with all that goes wrong on purpose before it, in it and after it.

use std::sync::Arc;
use std::time::Duration;

use super::tamper;
use crate::clock::millis;
use crate::control::fault::Fault;
use crate::control::hub::Hub;
use crate::route::{self, Acceptance, FilesShown, JobsShown, Request};
use crate::wire::answer::Reply;
use crate::wire::refusal::Code;

/// How long an answer that never comes keeps its connection.
const HANG: Duration = Duration::from_secs(3600);

/// Carries a request out. What is accepted bit by bit goes on being accepted when the client has heard something, or has
/// gone.
pub(crate) async fn conduct(hub: &Arc<Hub>, mut request: Request) -> Result<Conducted, Dropped> {
    let faults = hub.faults().strike(request.route);
    for fault in &faults {
        if let Some(early) = before(fault).await {
            let date_ahead = date_ahead(&faults);
            return early.map(|outcome| Conducted {
                date_ahead,
                ..outcome
            });
        }
    }
    request.acceptance = acceptance(&faults);
    request.jobs_shown = jobs_shown(&faults);
    request.files_shown = files_shown(&faults);
    let answer = if request.acceptance.over.is_zero() {
        route::dispatch(hub, &request).await
    } else {
        let own = Arc::clone(hub);
        let accepting = tokio::spawn(async move { route::dispatch(&own, &request).await });
        hub.goes_on(accepting.abort_handle());
        if faults.iter().any(needs_no_answer) {
            // What is said instead doesn't wait for it.
            Ok(Reply::nothing())
        } else {
            let accepted = accepting.await;
            accepted.unwrap_or_else(|_| Err(Code::UNAVAILABLE.error()))
        }
    };
    let answer = answer.unwrap_or_else(|error| Reply::error(&error));
    let mut outcome = Conducted {
        date_ahead: date_ahead(&faults),
        ..Conducted::plain(answer)
    };
    for fault in &faults {
        after(fault, &mut outcome).await?;
    }
    Ok(outcome)
}

/// What comes back without the request having been carried out.
async fn before(fault: &Fault) -> Option<Result<Conducted, Dropped>> {
    let outcome = match fault {
        Fault::DropBefore => return Some(Err(Dropped)),
        Fault::HangBefore => {
            tokio::time::sleep(HANG).await;
            return Some(Err(Dropped));
        }
        Fault::Refuse { status, code } => Conducted::plain(refusal(*status, Code(*code))),
        Fault::HtmlBefore { status } => Conducted::plain(Reply::html(*status, GATEWAY_PAGE)),
        Fault::Throttle => Conducted {
            rate_headers: RateHeaders::Missing,
            ..Conducted::plain(Reply::error(&Code::RATE_LIMIT.error()))
        },
        Fault::Maintenance => Conducted::plain(Reply::error(&Code::MAINTENANCE.error())),
        _ => return None,
    };
    Some(Ok(outcome))
}

/// Changes what comes back of a request that was carried out.
async fn after(fault: &Fault, outcome: &mut Conducted) -> Result<(), Dropped> {
    let answer = &mut outcome.answer;
    match fault {
        Fault::DropAfter => return Err(Dropped),
        Fault::HangAfter => {
            tokio::time::sleep(HANG).await;
            return Err(Dropped);
        }
        Fault::RefuseAfter { status, code } => *answer = refusal(*status, Code(*code)),
        Fault::ErrorAfter { status } => *answer = refusal(*status, Code::GATEWAY),
        Fault::HtmlAfter { status } => *answer = Reply::html(*status, GATEWAY_PAGE),
        Fault::Truncate => outcome.length = Length::Half,
        Fault::Shuffle => tamper::shuffle(answer),
        Fault::Omit { items } => tamper::omit(answer, *items),
        Fault::OddItems { items } => tamper::spoil(answer, *items),
        Fault::OddState { state } => tamper::disguise(answer, state),
        Fault::Nameless => tamper::unname(answer),
        Fault::JobClock { seconds } => tamper::shift_times(answer, *seconds),
        Fault::Zoneless { hours } => tamper::strip_zone(answer, *hours),
        Fault::NoTimes => tamper::drop_times(answer),
        Fault::Respell { form } => tamper::respell(answer, *form),
        _ => {}
    }
    Ok(())
}

/// Whether what comes back says nothing of what was accepted.
fn needs_no_answer(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::DropAfter
            | Fault::HangAfter
            | Fault::RefuseAfter { .. }
            | Fault::ErrorAfter { .. }
            | Fault::HtmlAfter { .. }
    )
}

fn acceptance(faults: &[Fault]) -> Acceptance {
    let mut acceptance = Acceptance::default();
    for fault in faults {
        match fault {
            Fault::Take { items } => acceptance.first = *items,
            Fault::TakeEvery { nth } => acceptance.every = *nth,
            Fault::Spread { over } => acceptance.over = *over,
            _ => {}
        }
    }
    acceptance
}

fn jobs_shown(faults: &[Fault]) -> JobsShown {
    let mut shown = JobsShown::default();
    for fault in faults {
        match fault {
            Fault::LateList { by } => shown.listed_after = millis(*by),
            Fault::CapList { items } => shown.most = *items,
            Fault::LackNewest { items } => shown.lacking = *items,
            Fault::Disorder => shown.disorder = true,
            Fault::Forget { after } => shown.kept_for = millis(*after),
            _ => {}
        }
    }
    shown
}

fn files_shown(faults: &[Fault]) -> FilesShown {
    let mut shown = FilesShown::default();
    for fault in faults {
        match fault {
            Fault::CapScroll { items } => shown.most = (*items).max(1),
            Fault::LateFiles { by } => shown.late_by = millis(*by),
            Fault::Snapshot => shown.snapshot = true,
            Fault::ExpireTokens { after } => shown.tokens_last = millis(*after),
            Fault::Restless => shown.restless = true,
            _ => {}
        }
    }
    shown
}

/// A clock that is wrong is wrong for every answer, whoever gives it.
fn date_ahead(faults: &[Fault]) -> Option<i64> {
    faults.iter().rev().find_map(|fault| match fault {
        Fault::Date { seconds } => Some(*seconds),
        _ => None,
    })
}

fn refusal(status: u16, code: Code) -> Reply {
    Reply::error(&code.error().with_status(status))
}

const GATEWAY_PAGE: &str = "<html>\n<head><title>Bad Gateway</title></head>\n\
<body><h1>The server is not available right now</h1></body>\n</html>\n";

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
pub(crate) struct Dropped;

/// An answer and the way it goes out.
pub(crate) struct Conducted {
    pub(crate) answer: Reply,
    pub(crate) rate_headers: RateHeaders,
    pub(crate) length: Length,
    /// How far the `Date` header is ahead, if it isn't right; seconds.
    pub(crate) date_ahead: Option<i64>,
}

pub(crate) enum RateHeaders {
    Shown,
    Missing,
}

pub(crate) enum Length {
    Whole,
    Half,
}

impl Conducted {
    pub(crate) fn plain(answer: Reply) -> Conducted {
        Conducted {
            answer,
            rate_headers: RateHeaders::Shown,
            length: Length::Whole,
            date_ahead: None,
        }
    }
}
