//! The charts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::chart::{Coordinate, Frame, Path, Scale, WIDTH, count_ticks, round_ticks, time_step};
use super::digest::Digest;
use super::durations::Durations;
use super::requests::{self, Requests};
use super::timeline::{Slice, Timeline};
use super::words::{Bytes, FileCount, Number, Span};
use crate::Overview;

const FRAME: Frame = Frame {
    left: 76.0,
    right: WIDTH - 12.0,
    top: 14.0,
    bottom: 196.0,
};

/// One layer of the timeline: its class in the style sheet, its name, and which files it counts.
type Layer = (&'static str, &'static str, fn(&Slice) -> u64);

/// From the bottom up. What was sent and hasn't ended is on top.
const LAYERS: [Layer; 4] = [
    ("done", "arrived", |step| step.completed),
    ("failed", "failed", |step| step.failed),
    ("unknown", "unknown", |step| step.unknown),
    ("running", "submitted, queued or running", |step| {
        step.sent
            .saturating_sub(step.completed + step.failed + step.unknown)
    }),
];

/// The one chart that answers whether it went well: where the files stood over time.
pub(super) fn first(digest: &Digest, overview: &Overview) -> Markup {
    let (line, planned) = (&digest.timeline, overview.files);
    if digest.runs.is_empty() || line.steps().is_empty() || planned == 0 {
        return html! {};
    }
    let last = line.sums().last().unwrap_or_default();
    let told = format!(
        "Files over time: {} planned, {} submitted, {} arrived and {} failed within {}",
        Number(planned),
        Number(last.sent),
        Number(last.completed),
        Number(last.failed),
        Span(seconds(line.span_s()))
    );
    let (x, y) = (FRAME.x(0.0..=line.span_s()), FRAME.y(planned as f64));
    let level = y.at(planned as f64);
    html! {
        section { figure {
            figcaption { "Where the files stood" }
            p.legend {
                @for (class, name, _) in LAYERS {
                    span { svg.key viewBox="0 0 12 12" aria-hidden="true" { rect class=(class) width="12" height="12" {} } (name) }
                }
                span { svg.key viewBox="0 0 12 12" aria-hidden="true" { line.planned x1="0" x2="12" y1="6" y2="6" {} } "planned" }
            }
            div.wide { svg viewBox="0 0 760 238" role="img" aria-label=(told) {
                (FRAME.grid(&y, &counts(planned)))
                (layers(&x, &y, line))
                line.planned x1=(Coordinate(FRAME.left)) x2=(Coordinate(FRAME.right)) y1=(level) y2=(level) {}
                (time_axis(&x, line))
            } }
        } }
    }
}

/// Each layer on top of those below it.
fn layers(x: &Scale, y: &Scale, line: &Timeline) -> Markup {
    let mut floor = vec![0; line.steps().len() + 1];
    let point =
        |(index, level): (usize, &u64)| (x.at(index as f64 * line.step_s()), y.at(*level as f64));
    let mut outlines = Vec::new();
    for (class, _, count) in LAYERS {
        let mut ceiling = vec![0];
        ceiling.extend(line.sums().map(|sum| count(&sum)));
        for (ceiling, floor) in ceiling.iter_mut().zip(&floor) {
            *ceiling += floor;
        }
        if ceiling != floor {
            let mut outline: Vec<_> = ceiling.iter().enumerate().map(point).collect();
            outline.extend(floor.iter().enumerate().map(point).rev());
            outlines.push((class, format!("{}Z", Path(&outline))));
        }
        floor = ceiling;
    }
    html! { @for (class, outline) in outlines { path class=(class) d=(outline) {} } }
}

/// The charts about the machinery.
pub(super) fn for_engineers(digest: &Digest) -> Markup {
    let line = &digest.timeline;
    let classes = digest.durations.present();
    html! {
        @if line.steps().iter().any(|step| step.bytes > 0) { (throughput(line)) }
        @if !line.steps().is_empty() { (requests(digest)) }
        @if !classes.is_empty() { (durations(&classes)) }
    }
}

/// How many bytes arrived in a second.
fn throughput(line: &Timeline) -> Markup {
    let rates: Vec<f64> = line
        .steps()
        .iter()
        .map(|step| step.bytes as f64 / line.step_s())
        .collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let bytes: u64 = line.steps().iter().map(|step| step.bytes).sum();
    let ticks = round_ticks(highest, 1024.0);
    let (x, y) = (
        FRAME.x(0.0..=line.span_s()),
        FRAME.y(ticks.last().copied().unwrap_or(1.0)),
    );
    let labels: Vec<_> = ticks
        .iter()
        .map(|tick| (*tick, format!("{}/s", Bytes(*tick))))
        .collect();
    let steps = rates
        .iter()
        .enumerate()
        .map(|(index, rate)| (index as f64 * line.step_s(), *rate));
    html! {
        figure {
            figcaption { "Throughput" }
            p.legend { span {
                "Bytes of files that arrived, by when the platform finished them: "
                (Bytes(bytes as f64 / line.span_s().max(0.001))) "/s on the whole, "
                (Bytes(highest)) "/s at most (over " (Span(seconds(line.step_s()))) ")"
            } }
            div.wide { svg viewBox="0 0 760 238" role="img" aria-label="Bytes per second over time" {
                (FRAME.grid(&y, &labels))
                (bars((&x, &y), line.step_s(), steps))
                (time_axis(&x, line))
            } }
        }
    }
}

/// Requests against the limit.
fn requests(digest: &Digest) -> Markup {
    let line = &digest.timeline;
    let Some(requests) = Requests::of(line, digest) else {
        return html! {};
    };
    let top = requests.allowed.max(requests.busiest().ceil() as u64);
    let (x, y) = (FRAME.x(0.0..=line.span_s()), FRAME.y(top as f64));
    let windows = requests
        .windows
        .iter()
        .enumerate()
        .map(|(index, count)| (index as f64 * requests::WINDOW_S, *count));
    let (limit, right) = (y.at(requests.allowed as f64), Coordinate(FRAME.right));
    html! {
        figure {
            figcaption { "Requests against the limit" }
            p.legend { span {
                (Number(requests.total)) " in all, at most " (Number(requests.busiest().ceil() as u64))
                " in five minutes, of " (Number(requests.allowed)) " that the platform allows "
                @match digest.accounts { 1 => "your account", accounts => { (Number(accounts)) " accounts" } }
            } }
            // One bar would tell no more than the sentence.
            @if requests.windows.len() >= 2 {
                div.wide { svg viewBox="0 0 760 238" role="img" aria-label="Requests in each five minutes, against the limit" {
                    (FRAME.grid(&y, &counts(top)))
                    (bars((&x, &y), requests::WINDOW_S, windows))
                    line.limit x1=(Coordinate(FRAME.left)) x2=(right) y1=(limit) y2=(limit) {}
                    text.tick.end x=(right) y=(Coordinate(limit.0 + 14.0)) { "limit" }
                    (time_axis(&x, line))
                } }
            }
        }
    }
}

/// Round counts up to the highest.
fn counts(highest: u64) -> Vec<(f64, String)> {
    count_ticks(highest)
        .into_iter()
        .filter(|tick| *tick <= highest as f64)
        .map(|tick| (tick, Number(tick as u64).to_string()))
        .collect()
}

fn bars((x, y): (&Scale, &Scale), width: f64, values: impl Iterator<Item = (f64, f64)>) -> Markup {
    html! {
        @for (begin, value) in values.filter(|(_, value)| *value > 0.0) {
            @let (left, right, top) = (x.at(begin), x.at(begin + width), y.at(value));
            @let gap = if right.0 - left.0 > 4.0 { 1.0 } else { 0.0 };
            rect.bar x=(left) y=(top) width=(Coordinate((right.0 - left.0 - gap).max(0.5))) height=(Coordinate((FRAME.bottom - top.0).max(0.5))) {}
        }
    }
}

/// Round times of the clock, in UTC.
fn time_axis(x: &Scale, line: &Timeline) -> Markup {
    let step = time_step(line.span_s());
    let format = match step {
        86_400.0.. => "%d %b",
        60.0.. if line.span_s() > 86_400.0 => "%d %b %H:%M",
        60.0.. => "%H:%M",
        _ => "%H:%M:%S",
    };
    let begin = line.begin().as_millisecond() as f64 / 1000.0;
    let first = (begin / step).ceil() * step;
    let ticks: Vec<_> = (0..12)
        .map(|index| first + f64::from(index) * step)
        .filter(|moment| moment - begin <= line.span_s())
        .map(|moment| {
            let moment_of = Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(moment);
            (moment - begin, moment_of.strftime(format).to_string())
        })
        .collect();
    html! {
        (FRAME.axis(x, &ticks))
        text.tick.end x=(Coordinate(FRAME.right)) y=(Coordinate(FRAME.bottom + 38.0)) { "UTC" }
    }
}

/// How long exports took, by size: from the quickest tenth to the slowest, with the middle one.
fn durations(classes: &[&Durations]) -> Markup {
    const ROW: f64 = 30.0;
    let frame = Frame {
        left: 132.0,
        right: WIDTH - 170.0,
        top: 6.0,
        bottom: 10.0 + ROW * classes.len() as f64,
    };
    let quantile = |class: &Durations, share| class.quantile(share).as_secs_f64().log10();
    let each = |share| classes.iter().map(move |class| quantile(class, share));
    let low = each(0.1).fold(f64::INFINITY, f64::min);
    let high = each(0.9).fold(f64::NEG_INFINITY, f64::max);
    let x = frame.x(low - 0.15..=high + 0.15);
    html! {
        figure {
            figcaption { "How long an export took, by size" }
            p.legend { span { "From queued to finished, as the platform told. The bar holds eight of ten files, the mark is the middle one." } }
            div.wide { svg viewBox={ "0 0 760 " (frame.bottom + 30.0) } role="img" aria-label="Durations by size; the figures stand beside the bars" {
                (frame.axis(&x, &log_ticks(&x)))
                @for (index, class) in classes.iter().enumerate() {
                    @let middle = frame.top + ROW * (index as f64 + 0.5);
                    @let [short, median, long] = [0.1, 0.5, 0.9].map(|share| x.at(quantile(class, share)));
                    text.tick.end x=(Coordinate(frame.left - 10.0)) y=(Coordinate(middle + 4.0)) { (class.class) }
                    rect.range x=(short) y=(Coordinate(middle - 6.0)) width=(Coordinate((long.0 - short.0).max(3.0))) height="12" rx="2" {}
                    line.median x1=(median) x2=(median) y1=(Coordinate(middle - 9.0)) y2=(Coordinate(middle + 9.0)) {}
                    text.tick x=(Coordinate(frame.right + 12.0)) y=(Coordinate(middle + 4.0)) { (Span(class.quantile(0.5))) ", " (FileCount(class.files)) }
                }
            } }
        }
    }
}

/// Round spans within a logarithmic scale.
fn log_ticks(scale: &Scale) -> Vec<(f64, String)> {
    let spans = [
        (0.1, "0.1 s"),
        (1.0, "1 s"),
        (10.0, "10 s"),
        (60.0, "1 min"),
        (600.0, "10 min"),
        (3_600.0, "1 h"),
        (36_000.0, "10 h"),
        (86_400.0, "1 d"),
        (864_000.0, "10 d"),
    ];
    spans
        .into_iter()
        .map(|(span, name): (f64, _)| (span.log10(), name.to_owned()))
        .filter(|(place, _)| scale.domain.contains(place))
        .collect()
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
