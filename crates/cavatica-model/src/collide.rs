//! Whether locations of one transfer meet: the same key twice, keys that only differ in ways that tools lose, or a key that
//! is the folder of another.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};

use unicode_normalization::UnicodeNormalization;

use crate::visible::is_invisible;

/// The form in which two keys are the same if they differ only in letter case, in Unicode form, or in what nobody sees:
/// invisible characters, and blanks of different kinds.
///
/// S3 keeps such keys apart; a disk on macOS or Windows, to which somebody will copy the bucket one day, doesn't, and nor
/// does a reader.
///
/// ```
/// use cavatica_model::destination::fold;
///
/// assert_eq!(fold("Run1/A.BAM"), fold("run1/a.bam"));
/// // One letter, or a letter and an accent.
/// assert_eq!(fold("caf\u{e9}.txt"), fold("cafe\u{301}.txt"));
/// assert_eq!(fold("a\u{200b}b.txt"), fold("ab.txt"));
/// assert_ne!(fold("a.bam"), fold("b.bam"));
/// ```
pub fn fold(key: &str) -> String {
    if key.is_ascii() {
        return key.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(key.len());
    let mut rest = key;
    while !rest.is_empty() {
        // Plain ASCII is most of most keys and needs none of the tables; only its last character can belong to an accent.
        let ascii = rest.bytes().take_while(u8::is_ascii).count();
        let plain = if ascii == rest.len() {
            ascii
        } else {
            ascii.saturating_sub(1)
        };
        let (text, after) = rest.split_at(plain);
        let begin = folded.len();
        folded.push_str(text);
        folded[begin..].make_ascii_lowercase();
        let end = after
            .char_indices()
            .skip(1)
            .find(|(_, letter)| letter.is_ascii());
        let (text, after) = after.split_at(end.map_or(after.len(), |(position, _)| position));
        folded.extend(fold_anything(text));
        rest = after;
    }
    folded
}

fn fold_anything(text: &str) -> impl Iterator<Item = char> {
    // Up and down again, because some letters have a partner in one direction only (`ß` and `SS`, the two small sigmas).
    let seen = text.chars().filter(|letter| !is_invisible(*letter));
    seen.map(|letter| {
        if letter.is_whitespace() && !letter.is_ascii() {
            ' '
        } else {
            letter
        }
    })
    .nfd()
    .flat_map(char::to_uppercase)
    .flat_map(char::to_lowercase)
    .nfc()
}

/// The first of two passes over any number of locations: it finds out which ones deserve a second look.
///
/// It keeps 8 bytes per location, a hash of its [`fold`]ed form: 8 MB for a million, and as much for each folder. The hash
/// can only raise a false alarm, which the second pass, [`Suspects`], settles by comparing the texts; it can't miss a collision.
///
/// ```
/// use cavatica_model::destination::{Census, Meeting};
///
/// let keys = ["run1/a.bam", "run2/a.bam", "run1/A.bam", "run2/a.bam"];
/// let mut census = Census::default();
/// for key in keys {
///     census.count(key);
/// }
/// let mut suspects = census.suspects();
/// for (line, key) in (1..).zip(keys) {
///     suspects.look(line, key);
/// }
/// let collisions = suspects.collisions();
/// assert_eq!(collisions.len(), 2);
/// assert_eq!((collisions[0].meeting, &collisions[0].lines[..]), (Meeting::Twins, &[1, 3][..]));
/// assert_eq!((collisions[1].meeting, &collisions[1].lines[..]), (Meeting::Same, &[2, 4][..]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Census {
    hashes: Vec<u64>,
    folders: HashSet<u64>,
    /// The folder of the key that was counted last: most often the next one lies beside it.
    last_folder: String,
}

impl Census {
    /// With room for so many locations: then it takes eight bytes for each and no more while it grows.
    pub fn with_capacity(locations: usize) -> Self {
        Census {
            hashes: Vec::with_capacity(locations),
            ..Census::default()
        }
    }

    /// Takes one location in.
    pub fn count(&mut self, key: &str) {
        self.hashes.push(folded_hash(key));
        let folder = key.rfind('/').map_or("", |slash| &key[..slash]);
        if folder != self.last_folder {
            folder.clone_into(&mut self.last_folder);
            let above = folder.match_indices('/').map(|(slash, _)| &folder[..slash]);
            self.folders.extend(above.chain([folder]).map(folded_hash));
        }
    }

    /// What must be looked at in the second pass.
    pub fn suspects(mut self) -> Suspects {
        self.hashes.sort_unstable();
        let mut repeated = Vec::new();
        for pair in self.hashes.windows(2) {
            if pair[0] == pair[1] && repeated.last() != Some(&pair[0]) {
                repeated.push(pair[0]);
            }
        }
        self.hashes.dedup();
        self.hashes.retain(|hash| self.folders.contains(hash));
        Suspects {
            repeated,
            folders: self.hashes,
            groups: BTreeMap::new(),
            nests: BTreeMap::new(),
            kept_keys: 0,
            unlisted: 0,
        }
    }
}

/// The hash of the [`fold`]ed form.
fn folded_hash(key: &str) -> u64 {
    // Without a branch for each letter.
    let is_folded = key.bytes().fold(true, |all, byte| {
        all & byte.is_ascii() & !byte.is_ascii_uppercase()
    });
    if is_folded {
        hash(key)
    } else {
        hash(&fold(key))
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The second of two passes: the locations that may meet, compared as texts.
#[derive(Clone, Debug)]
pub struct Suspects {
    repeated: Vec<u64>,
    /// Keys that are folders of others, too.
    folders: Vec<u64>,
    /// By folded key, then by key: the lines it was seen on.
    groups: BTreeMap<String, BTreeMap<String, LineNumbers>>,
    /// By folded key: the key, and the keys below it.
    nests: BTreeMap<String, Nest>,
    kept_keys: usize,
    unlisted: u64,
}

#[derive(Clone, Debug, Default)]
struct LineNumbers {
    first: Vec<u64>,
    count: u64,
}

#[derive(Clone, Debug, Default)]
struct Nest {
    key: Option<(u64, String)>,
    first_below: Option<(u64, String)>,
    below: u64,
}

/// The most lines that are kept of one key, and the most keys that are kept at all, so that a manifest in which every row
/// meets another fits into memory.
const KEPT_LINES: usize = 20;
const KEPT_KEYS: usize = 10_000;

impl Suspects {
    /// Whether nothing meets, so that the second pass can be spared.
    pub fn is_empty(&self) -> bool {
        self.repeated.is_empty() && self.folders.is_empty()
    }

    /// Whether this very key was looked at before.
    pub fn has_seen(&self, key: &str) -> bool {
        !self.repeated.is_empty()
            && self
                .groups
                .get(&fold(key))
                .is_some_and(|group| group.contains_key(key))
    }

    /// Looks at one location again. Lines, or whatever number names a row, are expected in rising order.
    pub fn look(&mut self, line: u64, key: &str) {
        if self.is_empty() {
            return;
        }
        let folded = fold(key);
        if !self.folders.is_empty() {
            self.look_for_folders(line, key, &folded);
        }
        if self.repeated.binary_search(&hash(&folded)).is_err() {
            return;
        }
        let known = self
            .groups
            .get(&folded)
            .is_some_and(|group| group.contains_key(key));
        if !known {
            if self.kept_keys == KEPT_KEYS {
                self.unlisted += 1;
                return;
            }
            self.kept_keys += 1;
        }
        let group = self.groups.entry(folded).or_default();
        let lines = group.entry(key.to_owned()).or_default();
        lines.count += 1;
        if lines.first.len() < KEPT_LINES {
            lines.first.push(line);
        }
    }

    fn look_for_folders(&mut self, line: u64, key: &str, folded: &str) {
        let levels = folded.match_indices('/').map(|(slash, _)| slash);
        for end in levels.chain([folded.len()]) {
            let level = &folded[..end];
            // Warnings need no more examples than that.
            let is_full = self.nests.len() == KEPT_KEYS && !self.nests.contains_key(level);
            if is_full || self.folders.binary_search(&hash(level)).is_err() {
                continue;
            }
            let nest = self.nests.entry(level.to_owned()).or_default();
            let seen = || (line, key.to_owned());
            if end == folded.len() {
                nest.key.get_or_insert_with(seen);
            } else {
                nest.below += 1;
                nest.first_below.get_or_insert_with(seen);
            }
        }
    }

    /// How many suspicious rows were only counted, because 10,000 locations that meet others are kept already.
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// What meets: first come, first named.
    pub fn collisions(self) -> Vec<Collision> {
        let mut collisions = Vec::new();
        for group in self.groups.into_values() {
            if group.len() > 1 {
                let mut lines: Vec<u64> = group.values().map(|lines| lines.first[0]).collect();
                lines.sort_unstable();
                let mut keys: Vec<(u64, &String)> = group
                    .iter()
                    .map(|(key, lines)| (lines.first[0], key))
                    .collect();
                keys.sort_unstable();
                collisions.push(Collision {
                    meeting: Meeting::Twins,
                    keys: keys.into_iter().map(|(_, key)| key.clone()).collect(),
                    rows: lines.len() as u64,
                    lines,
                });
            }
            for (key, lines) in group {
                if lines.count > 1 {
                    collisions.push(Collision {
                        meeting: Meeting::Same,
                        keys: vec![key],
                        lines: lines.first,
                        rows: lines.count,
                    });
                }
            }
        }
        for nest in self.nests.into_values() {
            if let (Some((line, key)), Some((first, below))) = (nest.key, nest.first_below) {
                collisions.push(Collision {
                    meeting: Meeting::Nested,
                    keys: vec![key, below],
                    lines: vec![line, first],
                    rows: 1 + nest.below,
                });
            }
        }
        collisions.sort_by(|a, b| (&a.lines, a.meeting).cmp(&(&b.lines, b.meeting)));
        collisions
    }
}

/// How locations meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meeting {
    /// They are the same: one file would overwrite the other, or fail. An error.
    Same,
    /// They differ only in letter case, Unicode form or what nobody sees. A warning.
    Twins,
    /// One is also the folder that others lie in, which no file system can hold. A warning.
    Nested,
}

/// Locations of one transfer that meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collision {
    /// How they meet.
    pub meeting: Meeting,
    /// The locations: one; or all the twins in the order in which they were first seen; or the one that is also a folder,
    /// and the first in it.
    pub keys: Vec<String>,
    /// The first 20 lines on which the location stands, or the first line of each of several.
    pub lines: Vec<u64>,
    /// How many rows there are, those without a line here included.
    pub rows: u64,
}
