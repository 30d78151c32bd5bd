//! The shape that a reader counts on: short files, one thing for one name, and no circle of files.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Scope, SourceFile};

/// What one can hold in mind.
const MOST_LINES: usize = 500;

/// What fits on a screen, nearly.
const MOST_LINES_OF_A_FUNCTION: usize = 80;

/// How many things a type's name may stand for in the whole workspace.
const MOST_MEANINGS: usize = 2;

pub(super) fn check(files: &[SourceFile], faults: &mut Vec<String>) {
    for file in files.iter().filter(|file| file.lines > MOST_LINES) {
        let path = file.path.display();
        faults.push(format!(
            "{path} has {} lines without its tests, {MOST_LINES} are the most: give its second subject a file",
            file.lines
        ));
    }
    for file in files {
        for (name, lines) in &file.functions {
            if *lines > MOST_LINES_OF_A_FUNCTION {
                let path = file.path.display();
                faults.push(format!(
                    "`{name}` of {path} has {lines} lines, {MOST_LINES_OF_A_FUNCTION} are the most"
                ));
            }
        }
    }
    names(files, faults);
    circles(files, faults);
}

fn names(files: &[SourceFile], faults: &mut Vec<String>) {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in files {
        for definition in file.definitions.iter().filter(|item| item.is_type) {
            let place = file.path.display().to_string();
            places.entry(&definition.name).or_default().push(place);
        }
    }
    for (name, places) in places {
        if places.len() > MOST_MEANINGS {
            faults.push(format!(
                "`{name}` stands for {} things: {}",
                places.len(),
                places.join(", ")
            ));
        }
    }
}

fn circles(files: &[SourceFile], faults: &mut Vec<String>) {
    let scope = Scope::new(files);
    let mut needs: Vec<BTreeMap<usize, &str>> = Vec::new();
    for (from, file) in files.iter().enumerate() {
        let own = file.imports.iter().filter(|import| !import.is_reexport);
        let named = own.map(|import| &import.path).chain(&file.mentions);
        let found = named.filter_map(|path| {
            let to = scope.definer(from, path)?;
            (to != from).then_some((to, path.last()?.as_str()))
        });
        needs.push(found.collect());
    }
    // What needs nothing that is left, or is needed by nothing that is left, lies on no circle.
    let mut left: BTreeSet<usize> = (0..files.len()).collect();
    loop {
        let needed: BTreeSet<usize> = left
            .iter()
            .flat_map(|from| needs[*from].keys().copied())
            .collect();
        let kept: BTreeSet<usize> = left
            .iter()
            .copied()
            .filter(|at| needed.contains(at) && needs[*at].keys().any(|to| left.contains(to)))
            .collect();
        if kept.len() == left.len() {
            break;
        }
        left = kept;
    }
    while let Some(&start) = left.first() {
        let mut walk = vec![start];
        let again = loop {
            let here = walk[walk.len() - 1];
            let Some(&next) = needs[here].keys().find(|to| left.contains(to)) else {
                break here;
            };
            if walk.contains(&next) {
                break next;
            }
            walk.push(next);
        };
        let from = walk.iter().position(|at| *at == again).unwrap_or(0);
        let circle: Vec<String> = walk[from..]
            .iter()
            .enumerate()
            .map(|(step, at)| {
                let next = walk.get(from + step + 1).copied().unwrap_or(again);
                let name = needs[*at].get(&next).copied().unwrap_or_default();
                format!("{} needs `{name}` of", files[*at].path.display())
            })
            .collect();
        if walk.len() - from > 1 {
            faults.push(format!("a circle: {} the first", circle.join(" ")));
        }
        left.retain(|at| !walk.contains(at));
    }
}
