//! One plot: what a file costs, over how many there are. Drawn by hand, for light and dark pages.

use std::fmt::Write;

/// One line of the plot.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// Files, and microseconds of processor time per file.
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 48.0;

const STYLE: &str = "\
text { font: 13px sans-serif; fill: #24292f }
.axis { stroke: #57606a; fill: none }
.grid { stroke: #d0d7de; fill: none }
.line { fill: none; stroke-width: 2 }
.l0 { stroke: #0969da } .f0 { fill: #0969da }
.l1 { stroke: #bc4c00 } .f1 { fill: #bc4c00 }
.l2 { stroke: #1a7f37 } .f2 { fill: #1a7f37 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.axis { stroke: #8d96a0 }
.grid { stroke: #30363d }
.l0 { stroke: #4493f8 } .f0 { fill: #4493f8 }
.l1 { stroke: #f0883e } .f1 { fill: #f0883e }
.l2 { stroke: #3fb950 } .f2 { fill: #3fb950 }
}
";

/// The plot as SVG: powers of ten across, from nothing upwards.
pub(super) fn draw(title: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (first, last) = points().fold((f64::MAX, f64::MIN), |(first, last), (files, _)| {
        (first.min(files.log10()), last.max(files.log10()))
    });
    let highest = points().map(|(_, cost)| *cost).fold(1.0, f64::max);
    let step = step(highest);
    let top = (highest / step).ceil() * step;
    let x = |files: f64| {
        let span = (last - first).max(f64::EPSILON);
        LEFT + (files.log10() - first) / span * (WIDTH - LEFT - RIGHT)
    };
    let y = |cost: f64| HEIGHT - BOTTOM - cost / top * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <text x=\"{LEFT}\" y=\"22\">{title}</text>\n"
    );
    let mut put = |text: std::fmt::Arguments<'_>| {
        writeln!(svg, "{text}").expect("a text takes what is written");
    };
    let right = WIDTH - RIGHT;
    let mut cost = 0.0;
    while cost <= top {
        let class = if cost > 0.0 { "grid" } else { "axis" };
        let at = y(cost);
        put(format_args!(
            "<path class=\"{class}\" d=\"M{LEFT} {at:.1}H{right}\"/>"
        ));
        put(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{cost}</text>",
            LEFT - 8.0,
            at + 4.0
        ));
        cost += step;
    }
    let base = HEIGHT - BOTTOM;
    for power in first.ceil() as i32..=last.floor() as i32 {
        let at = x(10f64.powi(power));
        put(format_args!(
            "<path class=\"axis\" d=\"M{at:.1} {base}v5\"/>"
        ));
        put(format_args!(
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            base + 20.0,
            with_commas(10u64.pow(power.unsigned_abs()))
        ));
    }
    put(format_args!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">files</text>",
        f64::midpoint(LEFT, right),
        HEIGHT - 8.0
    ));
    for (number, line) in lines.iter().enumerate() {
        let corners = line
            .points
            .iter()
            .map(|(files, cost)| format!("{:.1},{:.1}", x(*files), y(*cost)));
        put(format_args!(
            "<polyline class=\"line l{number}\" points=\"{}\"/>",
            corners.collect::<Vec<_>>().join(" ")
        ));
        for (files, cost) in &line.points {
            put(format_args!(
                "<circle class=\"f{number}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                x(*files),
                y(*cost)
            ));
        }
        if let Some((_, cost)) = line.points.last() {
            put(format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                right + 10.0,
                y(*cost) + 4.0,
                line.name
            ));
        }
    }
    svg + "</svg>\n"
}

/// The distance of lines that people count in, for four to ten of them.
fn step(highest: f64) -> f64 {
    let magnitude = 10f64.powf(highest.log10().floor());
    match highest / magnitude {
        few if few < 2.0 => magnitude / 5.0,
        some if some < 5.0 => magnitude / 2.0,
        _ => magnitude,
    }
}

/// Thousands apart, as people read them.
pub(super) fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
