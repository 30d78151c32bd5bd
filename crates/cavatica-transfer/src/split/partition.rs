//! Where a plan is cut. Pure.
//!
//! Parts are ranges of the plan's order: so they are disjoint and together the plan whatever the cuts are, and each keeps
//! the order of the platform's lists, in which moved files are looked at.

use std::ops::Range;

use crate::journal::FileWeight;

/// What the parts of a plan have as much of as each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SplitBy {
    /// Files: what the limit on requests is spent on.
    #[default]
    Files,
    /// Bytes: what the platform's jobs take their time for. A file whose size isn't known weighs nothing.
    Bytes,
    /// Files, and no folder is in two parts.
    Folder,
}

/// A folder that lies across a cut is listed by both parts, page by page. To spare that a cut is moved by up to a fortieth of
/// a part, so that no part is larger by more than a twentieth.
const MOVED_BY_UP_TO: u128 = 40;

/// The ranges of the parts, none of them empty. `None` if there are fewer files, or folders where those stay whole, than
/// parts.
pub(crate) fn partition(
    files: &[FileWeight],
    parts: usize,
    by: SplitBy,
) -> Option<Vec<Range<usize>>> {
    let weight = |file: &FileWeight| match by {
        SplitBy::Files | SplitBy::Folder => 1,
        SplitBy::Bytes => u128::from(file.bytes),
    };
    // What all files before each place weigh.
    let mut before = vec![0];
    before.extend(files.iter().scan(0, |sum, file| {
        *sum += weight(file);
        Some(*sum)
    }));
    let places: Vec<usize> = match by {
        SplitBy::Folder => edges(files),
        SplitBy::Files | SplitBy::Bytes => (0..=files.len()).collect(),
    };
    let mut cuts = even_cuts(&places, &before, parts)?;
    if by != SplitBy::Folder {
        keep_folders(&mut cuts, &edges(files), &before);
    }
    Some(cuts.windows(2).map(|pair| pair[0]..pair[1]).collect())
}

/// How many folders there are that can stay whole; a file without one counts as one.
pub(super) fn folders(files: &[FileWeight]) -> usize {
    edges(files).len() - 1
}

/// The places between two folders, both ends included. Files without a folder are each on their own.
fn edges(files: &[FileWeight]) -> Vec<usize> {
    let between = files.windows(2).enumerate();
    let between =
        between.filter(|(_, pair)| pair[0].folder.is_none() || pair[0].folder != pair[1].folder);
    let between = between.map(|(index, _)| index + 1);
    let ends = (!files.is_empty()).then_some(files.len());
    [0].into_iter().chain(between).chain(ends).collect()
}

/// Cuts at some of these places, so that the parts weigh as much as each other; both ends included.
fn even_cuts(places: &[usize], before: &[u128], parts: usize) -> Option<Vec<usize>> {
    let pieces = places.len().checked_sub(1)?;
    if parts == 0 || pieces < parts {
        return None;
    }
    let whole = before[places[pieces]];
    let mut chosen = vec![0];
    for part in 1..parts {
        // As many pieces are left on either side as there are parts.
        let (first, last) = (chosen[part - 1] + 1, pieces - (parts - part));
        let ideal = whole * part as u128 / parts as u128;
        let weigh = |place: &usize| before[*place];
        let behind = places.partition_point(|place| weigh(place) < ideal);
        let nearest =
            if behind > 0 && ideal - weigh(&places[behind - 1]) <= weigh(&places[behind]) - ideal {
                behind - 1
            } else {
                behind
            };
        chosen.push(nearest.clamp(first, last));
    }
    chosen.push(pieces);
    Some(chosen.into_iter().map(|index| places[index]).collect())
}

/// Moves cuts to the edges of folders where one is near.
fn keep_folders(cuts: &mut [usize], edges: &[usize], before: &[u128]) {
    let parts = cuts.len() - 1;
    let whole = before[cuts[parts]];
    let near = whole / parts as u128 / MOVED_BY_UP_TO;
    for part in 1..parts {
        let (cut, room) = (cuts[part], cuts[part - 1] + 1..cuts[part + 1]);
        let behind = edges.partition_point(|edge| *edge < cut);
        let around = edges[behind.saturating_sub(1)..].iter().take(2).copied();
        let moved = around
            .filter(|edge| room.contains(edge))
            .map(|edge| (before[edge].abs_diff(before[cut]), edge))
            .filter(|(distance, _)| *distance <= near)
            .min();
        if let Some((_, edge)) = moved {
            cuts[part] = edge;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::FolderId;

    fn file(folder: i64, bytes: u64) -> FileWeight {
        FileWeight {
            folder: (folder > 0).then_some(FolderId(folder)),
            bytes,
        }
    }

    /// Folders of the most different sizes, some files in none, and sizes with the edges of what there is.
    fn plans() -> impl Strategy<Value = Vec<FileWeight>> {
        let bytes = prop_oneof![Just(0), 0..1000_u64, Just(1 << 60)];
        let folder = (0..9_i64, proptest::collection::vec(bytes, 1..60));
        proptest::collection::vec(folder, 1..12).prop_map(|folders| {
            let files = folders.into_iter().enumerate();
            let files = files.flat_map(|(number, (kind, sizes))| {
                // Some have no folder, and none comes twice.
                let folder = if kind == 0 { 0 } else { number as i64 + 1 };
                sizes.into_iter().map(move |bytes| file(folder, bytes))
            });
            files.collect()
        })
    }

    fn by() -> impl Strategy<Value = SplitBy> {
        prop_oneof![
            Just(SplitBy::Files),
            Just(SplitBy::Bytes),
            Just(SplitBy::Folder)
        ]
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_and_together_the_plan(plan in plans(), parts in 1..40_usize, by in by()) {
            let Some(ranges) = partition(&plan, parts, by) else {
                let pieces = match by {
                    SplitBy::Folder => folders(&plan),
                    SplitBy::Files | SplitBy::Bytes => plan.len(),
                };
                prop_assert!(pieces < parts);
                return Ok(());
            };
            prop_assert_eq!(ranges.len(), parts);
            prop_assert_eq!(ranges[0].start, 0);
            prop_assert_eq!(ranges[parts - 1].end, plan.len());
            for pair in ranges.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
            }
            prop_assert!(ranges.iter().all(|range| !range.is_empty()));
        }

        #[test]
        fn parts_by_files_differ_by_a_twentieth_and_a_file(plan in plans(), parts in 1..40_usize) {
            let Some(ranges) = partition(&plan, parts, SplitBy::Files) else { return Ok(()) };
            let even = plan.len() as f64 / parts as f64;
            for range in ranges {
                prop_assert!((range.len() as f64 - even).abs() <= even / 20.0 + 1.0, "{range:?} of {even}");
            }
        }

        #[test]
        fn parts_by_bytes_differ_by_a_twentieth_and_the_largest_file(plan in plans(), parts in 1..10_usize) {
            let Some(ranges) = partition(&plan, parts, SplitBy::Bytes) else { return Ok(()) };
            let bytes = |files: &[FileWeight]| files.iter().map(|file| u128::from(file.bytes)).sum::<u128>();
            let largest = plan.iter().map(|file| u128::from(file.bytes)).max().unwrap_or(0);
            let even = bytes(&plan) / parts as u128;
            // No part is empty, even where a few files hold all the bytes: those next to it have what it lacks.
            let room = even / 20 + 2 * largest + parts as u128;
            for range in ranges {
                prop_assert!(bytes(&plan[range]) <= even + room);
            }
        }

        #[test]
        fn a_folder_that_stays_whole_is_in_one_part(plan in plans(), parts in 1..12_usize) {
            let Some(ranges) = partition(&plan, parts, SplitBy::Folder) else { return Ok(()) };
            for cut in ranges.iter().skip(1).map(|range| range.start) {
                let (left, right) = (plan[cut - 1].folder, plan[cut].folder);
                prop_assert!(left.is_none() || left != right);
            }
        }
    }

    #[test]
    fn a_cut_is_moved_to_the_edge_of_a_folder_only_where_that_costs_little() {
        let plan = |first: usize, second: usize| -> Vec<FileWeight> {
            let folders = [vec![file(1, 1); first], vec![file(2, 1); second]];
            folders.concat()
        };
        let cut = |plan: &[FileWeight]| {
            let ranges = partition(plan, 2, SplitBy::Files).expect("enough files");
            ranges[1].start
        };
        assert_eq!(cut(&plan(102, 98)), 102, "two files more than half");
        assert_eq!(cut(&plan(98, 102)), 98);
        assert_eq!(cut(&plan(110, 90)), 100, "a tenth more than half");
        assert_eq!(cut(&plan(200, 0)), 100);
    }

    #[test]
    fn too_few_files_or_folders_make_no_parts() {
        let plan = [vec![file(1, 1); 5], vec![file(2, 1); 5]].concat();
        assert!(partition(&plan, 11, SplitBy::Files).is_none());
        assert!(partition(&plan, 3, SplitBy::Folder).is_none());
        assert_eq!(
            partition(&plan, 2, SplitBy::Folder),
            Some(vec![0..5, 5..10])
        );
        assert!(partition(&[], 1, SplitBy::Files).is_none());
    }
}
