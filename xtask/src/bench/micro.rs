//! What a bulk answer costs to read, beside the same bytes read as untyped JSON. Measured by the model's own benchmarks.

use crate::cargo;

/// The benchmarks are run so often, and the shortest times count: others on the machine disturb a benchmark of some
/// milliseconds as a whole.
const ROUNDS: usize = 3;

/// How many times as long the typed reading takes.
pub(super) fn decode_beside_untyped() -> Result<f64, String> {
    let (mut typed, mut untyped) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let times = times_ns()?;
        (typed, untyped) = (typed.min(times.0), untyped.min(times.1));
    }
    Ok(typed / untyped)
}

/// The shortest times of reading with types and without.
fn times_ns() -> Result<(f64, f64), String> {
    let output = cargo()
        .args(["bench", "--quiet", "--locked", "--package"])
        .args(["cavatica-model", "--bench", "model", "--", "decode"])
        .output()
        .map_err(|error| format!("cargo bench can't be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let time = |name| {
        let mut lines = text.lines();
        lines
            .find_map(|line| fastest_ns(line, name))
            .ok_or_else(|| format!("the benchmarks don't tell of `{name}`:\n{text}"))
    };
    Ok((time("decode")?, time("decode_untyped")?))
}

/// The shortest time of a benchmark, which others on the machine disturb the least. A line begins
/// `├─ decode   490.1 µs`.
fn fastest_ns(line: &str, name: &str) -> Option<f64> {
    let mut words = line
        .trim_start_matches(['├', '╰', '─', ' '])
        .split_whitespace();
    if words.next()? != name {
        return None;
    }
    let value: f64 = words.next()?.parse().ok()?;
    let factor = match words.next()? {
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(value * factor)
}
