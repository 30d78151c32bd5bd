//! `cavatica explain`: what a code of the platform, or a name that a check tells, means and what to do.

use cavatica_exports::model::error::{Class, StatusCode};
use cavatica_exports::model::finding::Reason;
use serde::Serialize;

use crate::args;
use crate::failure::{Exit, Failure, nearest};
use crate::ui::Ui;

/// Where the platform documents its codes.
const STATUS_CODES: &str = "https://docs.cavatica.org/docs/api-status-codes";

pub(crate) fn run(args: &args::Explain, ui: &Ui) -> Result<Exit, Failure> {
    if let Ok(code) = args.what.parse() {
        return code_in_words(code, ui);
    }
    let name = args.what.to_ascii_lowercase();
    let Some(reason) = Reason::lookup(&name) else {
        let names = || Reason::all().iter().map(|reason| reason.name);
        let similar: Vec<&str> = names().filter(|known| known.contains(&name)).collect();
        let hint = match (&similar[..], nearest(&name, names())) {
            ([], Some(nearest)) => format!("did you mean `{nearest}`?"),
            ([], None) => "a code is a number, such as 9107; a name is printed with each objection, warning and bad row, such as volume-read-only".to_owned(),
            (similar, _) => format!("there are {}", similar.join(", ")),
        };
        return Err(Failure::usage(format!(
            "`{}` is neither a code nor a known name",
            args.what
        ))
        .hint(hint));
    };
    if ui.is_json() {
        ui.json(reason)?;
    } else {
        ui.line(format_args!("{}  {}", reason.name, reason.kind.meaning()))?;
        ui.hanging("  meaning  ", reason.meaning, 11)?;
        ui.hanging("  advice   ", reason.advice, 11)?;
    }
    Ok(Exit::Done)
}

/// A code that the table doesn't have, or an HTTP status.
#[derive(Serialize)]
struct Unlisted {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<&'static str>,
    advice: &'static str,
}

fn code_in_words(code: i64, ui: &Ui) -> Result<Exit, Failure> {
    if let Some(entry) = StatusCode::lookup(code) {
        if ui.is_json() {
            ui.json(entry)?;
        } else {
            ui.line(format_args!("{code}  {}", entry.meaning))?;
            ui.line(format_args!(
                "  class   {}: {}",
                entry.class,
                entry.class.meaning()
            ))?;
            ui.line(format_args!("  HTTP    {}, usually", entry.http))?;
            ui.hanging("  cause   ", entry.cause, 10)?;
            ui.hanging("  advice  ", entry.advice, 10)?;
            ui.line(format_args!("  source  {STATUS_CODES}"))?;
        }
        return Ok(Exit::Done);
    }

    // The platform has no codes of three digits, so these are meant as HTTP statuses.
    let http = u16::try_from(code)
        .ok()
        .filter(|code| (400..600).contains(code));
    let class = http.map(Class::of_http);
    let unlisted = Unlisted {
        code: http.is_none().then_some(code),
        http,
        class,
        area: StatusCode::area(code),
        advice: class.map_or(
            "look at the HTTP status and the message that came with it; 5xx and 429 may pass by waiting, others don't",
            Class::advice,
        ),
    };
    if ui.is_json() {
        ui.json(&unlisted)?;
        return Ok(Exit::Done);
    }
    match (class, unlisted.area) {
        (Some(class), _) => {
            ui.line(format_args!("HTTP {code}, without a code of the platform"))?;
            ui.line(format_args!("  class   {class}: {}", class.meaning()))?;
        }
        (None, Some(area)) => ui.line(format_args!("{code}  an unlisted code about {area}"))?,
        (None, None) => ui.line(format_args!("{code}  an unlisted code"))?,
    }
    ui.hanging("  advice  ", unlisted.advice, 10)?;
    ui.line(format_args!("  source  {STATUS_CODES}"))?;
    Ok(Exit::Done)
}
