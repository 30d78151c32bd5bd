//! What happened, in words that a person can follow: a few lines of the log.

/// The lines of a log that tell the story, with times of the day counted from its beginning.
#[must_use]
pub fn story(log: &str) -> String {
    let mut told = String::new();
    let mut last = String::new();
    for line in log.lines() {
        let line = line.trim_start();
        let Some((at, words)) = line.split_once(' ') else {
            continue;
        };
        let Some(words) = in_words(words) else {
            continue;
        };
        if words == last {
            continue;
        }
        let seconds = at.parse::<u64>().unwrap_or(0) / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        told += &format!("{hours}:{minutes:02}:{:02}  {words}\n", seconds % 60);
        last = words;
    }
    told
}

fn in_words(line: &str) -> Option<String> {
    const START: &str = "POST /v2/bulk/storage/exports/create";
    if let Some((who, said)) = line.split_once(" says ") {
        return (said.starts_with(START) && who != "the platform")
            .then(|| format!("{who} sends a call"));
    }
    if let Some(heard) = line.strip_prefix("the platform hears ") {
        return heard
            .starts_with(START)
            .then(|| "the call arrives at the platform".to_owned());
    }
    let events = [
        "AnswersLost",
        "Reconciled",
        "FilesHeld",
        "FileUnclear",
        "FilesCompleted",
        "Paused",
        "SendingStopped",
    ];
    if let Some((who, event)) = line.split_once(": ")
        && events.iter().any(|name| event.starts_with(name))
    {
        return Some(format!("{who} says: {event}"));
    }
    let plain = [
        "dies at step",
        "power fails",
        " ended",
        "backup is put back",
        "others export",
        "judged",
        "nothing goes wrong",
    ];
    plain
        .iter()
        .any(|part| line.contains(part))
        .then(|| line.to_owned())
}
