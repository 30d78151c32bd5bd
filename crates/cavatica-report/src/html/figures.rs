//! The charts.

use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::chart::{Frame, Path, Place, Scale, WIDTH, count_ticks, round_ticks, time_step};
use super::digest::Digest;
use super::durations::Durations;
use super::page::Page;
use super::requests::{self, Requests};
use super::timeline::{Step, Timeline};
use super::words::{Bytes, Number, Span};

const FRAME: Frame = Frame {
    left: 76.0,
    right: WIDTH - 12.0,
    top: 14.0,
    bottom: 196.0,
};

/// One layer of the timeline: its class in the style sheet, its name, and which files it counts.
type Layer = (&'static str, &'static str, fn(&Step) -> u64);

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

/// Where the files stood over time.
pub(super) fn timeline(page: &mut Page<'_>, digest: &Digest) -> io::Result<()> {
    let line = &digest.timeline;
    let planned = digest.tally.total().files;
    page.raw(r#"<figure><figcaption>Where the files stood</figcaption><p class="legend">"#)?;
    for (class, name, _) in LAYERS {
        page.put(
            r#"<span><svg class="key" viewBox="0 0 12 12" aria-hidden="true"><rect class="{}" width="12" height="12"/></svg>{}</span>"#,
            &[&class, &name],
        )?;
    }
    page.raw(r#"<span><svg class="key" viewBox="0 0 12 12" aria-hidden="true"><line class="planned" x1="0" x2="12" y1="6" y2="6"/></svg>planned</span></p>"#)?;
    let last = line.sums().last().unwrap_or_default();
    page.put(
        r#"<div class="wide"><svg viewBox="0 0 760 238" role="img" aria-label="Files over time: {} planned, {} submitted, {} arrived and {} failed within {}">"#,
        &[
            &Number(planned),
            &Number(last.sent),
            &Number(last.completed),
            &Number(last.failed),
            &Span(seconds(line.span_s())),
        ],
    )?;
    let (x, y) = (FRAME.x(0.0..=line.span_s()), FRAME.y(planned as f64));
    FRAME.grid(page, &y, &counts(planned))?;
    let mut floor = vec![0; line.steps().len() + 1];
    for (class, _, count) in LAYERS {
        let mut ceiling = vec![0];
        ceiling.extend(line.sums().map(|sum| count(&sum)));
        for (ceiling, floor) in ceiling.iter_mut().zip(&floor) {
            *ceiling += floor;
        }
        if ceiling != floor {
            area(page, class, (&x, &y), line, &floor, &ceiling)?;
        }
        floor = ceiling;
    }
    let level = y.at(planned as f64);
    page.put(
        r#"<line class="planned" x1="{}" x2="{}" y1="{}" y2="{}"/>"#,
        &[&Place(FRAME.left), &Place(FRAME.right), &level, &level],
    )?;
    time_axis(page, &x, line)?;
    page.raw("</svg></div></figure>")
}

fn area(
    page: &mut Page<'_>,
    class: &'static str,
    (x, y): (&Scale, &Scale),
    line: &Timeline,
    floor: &[u64],
    ceiling: &[u64],
) -> io::Result<()> {
    let point =
        |(index, level): (usize, &u64)| (x.at(index as f64 * line.step_s()), y.at(*level as f64));
    let mut outline: Vec<_> = ceiling.iter().enumerate().map(point).collect();
    outline.extend(floor.iter().enumerate().map(point).rev());
    page.put(r#"<path class="{}" d="{}Z"/>"#, &[&class, &Path(&outline)])
}

/// How many bytes arrived in a second.
pub(super) fn throughput(page: &mut Page<'_>, line: &Timeline) -> io::Result<()> {
    let rates: Vec<f64> = line
        .steps()
        .iter()
        .map(|step| step.bytes as f64 / line.step_s())
        .collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let bytes: u64 = line.steps().iter().map(|step| step.bytes).sum();
    page.put(
        r#"<figure><figcaption>Throughput</figcaption><p class="legend"><span>Bytes of files that arrived, by when the platform finished them: {}/s on the whole, {}/s at most (over {})</span></p>"#,
        &[
            &Bytes(bytes as f64 / line.span_s().max(0.001)),
            &Bytes(highest),
            &Span(seconds(line.step_s())),
        ],
    )?;
    page.raw(r#"<div class="wide"><svg viewBox="0 0 760 238" role="img" aria-label="Bytes per second over time">"#)?;
    let ticks = round_ticks(highest, 1024.0);
    let (x, y) = (
        FRAME.x(0.0..=line.span_s()),
        FRAME.y(ticks.last().copied().unwrap_or(1.0)),
    );
    let label = |tick: &f64| (*tick, format!("{}/s", Bytes(*tick)));
    FRAME.grid(page, &y, &ticks.iter().map(label).collect::<Vec<_>>())?;
    let steps = rates
        .iter()
        .enumerate()
        .map(|(index, rate)| (index as f64 * line.step_s(), *rate));
    bars(page, (&x, &y), line.step_s(), steps)?;
    time_axis(page, &x, line)?;
    page.raw("</svg></div></figure>")
}

/// Requests against the limit.
pub(super) fn requests(page: &mut Page<'_>, digest: &Digest) -> io::Result<()> {
    let Some(requests) = Requests::of(&digest.timeline, &digest.runs, &digest.pulses) else {
        return Ok(());
    };
    page.put(
        r#"<figure><figcaption>Requests against the limit</figcaption><p class="legend"><span>{} in all, at most {} in five minutes, of {} that the platform allows your account</span></p>"#,
        &[
            &Number(requests.total),
            &Number(requests.busiest().ceil() as u64),
            &Number(requests.allowed),
        ],
    )?;
    if requests.windows.len() < 2 {
        // One bar would tell no more than the sentence.
        return page.raw("</figure>");
    }
    page.raw(r#"<div class="wide"><svg viewBox="0 0 760 238" role="img" aria-label="Requests in each five minutes, against the limit">"#)?;
    let line = &digest.timeline;
    let top = requests.allowed.max(requests.busiest().ceil() as u64);
    let (x, y) = (FRAME.x(0.0..=line.span_s()), FRAME.y(top as f64));
    FRAME.grid(page, &y, &counts(top))?;
    let windows = requests
        .windows
        .iter()
        .enumerate()
        .map(|(index, count)| (index as f64 * requests::WINDOW_S, *count));
    bars(page, (&x, &y), requests::WINDOW_S, windows)?;
    let limit = y.at(requests.allowed as f64);
    page.put(
        r#"<line class="limit" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick end" x="{}" y="{}">limit</text>"#,
        &[
            &Place(FRAME.left),
            &Place(FRAME.right),
            &limit,
            &limit,
            &Place(FRAME.right),
            &Place(limit.0 + 14.0),
        ],
    )?;
    time_axis(page, &x, line)?;
    page.raw("</svg></div></figure>")
}

/// Round counts up to the highest.
fn counts(highest: u64) -> Vec<(f64, String)> {
    count_ticks(highest)
        .into_iter()
        .filter(|tick| *tick <= highest as f64)
        .map(|tick| (tick, Number(tick as u64).to_string()))
        .collect()
}

fn bars(
    page: &mut Page<'_>,
    (x, y): (&Scale, &Scale),
    width: f64,
    values: impl Iterator<Item = (f64, f64)>,
) -> io::Result<()> {
    for (begin, value) in values.filter(|(_, value)| *value > 0.0) {
        let (left, right, top) = (x.at(begin), x.at(begin + width), y.at(value));
        let gap = if right.0 - left.0 > 4.0 { 1.0 } else { 0.0 };
        page.put(
            r#"<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>"#,
            &[
                &left,
                &top,
                &Place((right.0 - left.0 - gap).max(0.5)),
                &Place((FRAME.bottom - top.0).max(0.5)),
            ],
        )?;
    }
    Ok(())
}

/// Round times of the clock, in UTC.
fn time_axis(page: &mut Page<'_>, x: &Scale, line: &Timeline) -> io::Result<()> {
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
    FRAME.axis(page, x, &ticks)?;
    page.put(
        r#"<text class="tick end" x="{}" y="{}">UTC</text>"#,
        &[&Place(FRAME.right), &Place(FRAME.bottom + 38.0)],
    )
}

/// How long exports took, by size: from the quickest tenth to the slowest, with the middle one.
pub(super) fn durations(page: &mut Page<'_>, classes: &[&Durations]) -> io::Result<()> {
    const ROW: f64 = 30.0;
    page.raw(r#"<figure><figcaption>How long an export took, by size</figcaption><p class="legend"><span>From queued to finished, as the platform told. The bar holds eight of ten files, the mark is the middle one.</span></p><div class="wide">"#)?;
    let frame = Frame {
        left: 132.0,
        right: WIDTH - 170.0,
        top: 6.0,
        bottom: 10.0 + ROW * classes.len() as f64,
    };
    page.put(
        r#"<svg viewBox="0 0 760 {}" role="img" aria-label="Durations by size; the figures stand beside the bars">"#,
        &[&(frame.bottom + 30.0)],
    )?;
    let quantile = |class: &Durations, share| class.quantile(share).as_secs_f64().log10();
    let each = |share| classes.iter().map(move |class| quantile(class, share));
    let low = each(0.1).fold(f64::INFINITY, f64::min);
    let high = each(0.9).fold(f64::NEG_INFINITY, f64::max);
    let x = frame.x(low - 0.15..=high + 0.15);
    frame.axis(page, &x, &log_ticks(&x))?;
    for (index, class) in classes.iter().enumerate() {
        let middle = frame.top + ROW * (index as f64 + 0.5);
        let [short, median, long] = [0.1, 0.5, 0.9].map(|share| x.at(quantile(class, share)));
        page.put(
            r#"<text class="tick end" x="{}" y="{}">{}</text><rect class="range" x="{}" y="{}" width="{}" height="12" rx="2"/><line class="median" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}">{}, {}</text>"#,
            &[
                &Place(frame.left - 10.0),
                &Place(middle + 4.0),
                &class.class,
                &short,
                &Place(middle - 6.0),
                &Place((long.0 - short.0).max(3.0)),
                &median,
                &median,
                &Place(middle - 9.0),
                &Place(middle + 9.0),
                &Place(frame.right + 12.0),
                &Place(middle + 4.0),
                &Span(class.quantile(0.5)),
                &super::words::Files(class.files),
            ],
        )?;
    }
    page.raw("</svg></div></figure>")
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
