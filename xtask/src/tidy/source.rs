//! The sources as text: files, the names that each defines, and the paths by which it names others.
//!
//! No parser: words are enough, because rustfmt has set every file the same way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{Failed, say};

/// A source file that ships; tests are left out.
pub(super) struct SourceFile {
    /// From the top folder.
    pub(super) path: PathBuf,
    pub(super) lines: usize,
    /// The crate's name, then the modules down to this file.
    pub(super) module: Vec<String>,
    /// Defined here, outside of any block.
    pub(super) definitions: Vec<Definition>,
    /// The functions, each with its lines.
    pub(super) functions: Vec<(String, usize)>,
    /// What it brings into scope.
    pub(super) imports: Vec<Import>,
    /// Every `a::b` in the code.
    pub(super) mentions: Vec<Vec<String>>,
}

pub(super) struct Import {
    /// The last word, or the word after `as`; `*` for all of a module.
    name: String,
    pub(super) path: Vec<String>,
    /// Handed on to others, and no need of the file's own.
    pub(super) is_reexport: bool,
}

pub(super) struct Definition {
    pub(super) name: String,
    pub(super) is_type: bool,
}

/// All files below `crates/*/src` and `xtask/src`.
pub(super) fn read(root: &Path) -> Result<Vec<SourceFile>, Failed> {
    let mut roots = vec![root.join("xtask/src")];
    roots.extend(
        list(&root.join("crates"))?
            .into_iter()
            .map(|at| at.join("src")),
    );
    let mut files = Vec::new();
    for sources in roots.iter().filter(|sources| sources.is_dir()) {
        let mut open = vec![sources.clone()];
        while let Some(folder) = open.pop() {
            for entry in list(&folder)? {
                if entry.is_dir() {
                    open.push(entry);
                } else if entry.extension().is_some_and(|ending| ending == "rs") {
                    files.extend(file(root, sources, &entry)?);
                }
            }
        }
    }
    Ok(files)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Failed> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        say(format_args!(
            "{} can't be listed: {error}",
            folder.display()
        ));
        Failed
    })?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn file(root: &Path, sources: &Path, path: &Path) -> Result<Option<SourceFile>, Failed> {
    let inside = path
        .strip_prefix(sources)
        .unwrap_or(path)
        .with_extension("");
    let mut words: Vec<String> = inside
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if words.iter().any(|word| word == "tests") {
        return Ok(None);
    }
    let is_root = matches!(words.join("/").as_str(), "lib" | "main");
    if is_root || words.last().is_some_and(|word| word == "mod") {
        words.pop();
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        say(format_args!("{} can't be read: {error}", path.display()));
        Failed
    })?;
    let shipped = text
        .find("\n#[cfg(test)]\nmod tests {")
        .map_or(&*text, |at| &text[..at]);
    let code: String = shipped
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .fold(String::new(), |code, line| code + line + "\n");
    let home = sources
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default();
    words.insert(0, home.to_string_lossy().into_owned());
    Ok(Some(SourceFile {
        path: path.strip_prefix(root).unwrap_or(path).to_owned(),
        lines: shipped.lines().count(),
        module: words,
        definitions: code.lines().filter_map(definition).collect(),
        functions: functions(shipped),
        imports: imports(&code),
        mentions: mentions(&code),
    }))
}

/// The item that a line without indentation begins.
fn definition(line: &str) -> Option<Definition> {
    const KINDS: &[&str] = &[
        "struct",
        "enum",
        "union",
        "trait",
        "type",
        "fn",
        "const",
        "static",
        "macro_rules!",
    ];
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let next = words.peek().copied().unwrap_or_default();
        if KINDS.contains(&word) && !KINDS.contains(&next) {
            let end = next.find(|c: char| !c.is_alphanumeric() && c != '_');
            return Some(Definition {
                name: next[..end.unwrap_or(next.len())].to_owned(),
                is_type: matches!(word, "struct" | "enum" | "union" | "trait" | "type"),
            });
        }
        if !word.starts_with("pub") && !matches!(word, "unsafe" | "async" | "const" | "extern") {
            return None;
        }
    }
    None
}

/// From the line that names a function to the brace that stands under it.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &str| {
        let (before, after) = line.trim_start().split_once("fn ")?;
        let is_head = before.split_whitespace().all(|word| {
            word.starts_with("pub") || matches!(word, "async" | "const" | "unsafe" | "in")
        });
        let name = after.split(['(', '<']).next()?;
        is_head.then(|| name.to_owned())
    };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = begins(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = lines[at..].iter().position(|line| {
            line.strip_prefix(indent).is_some_and(|rest| {
                rest == "}" || (rest.starts_with(|c: char| c != ' ') && rest.ends_with([';', '}']))
            })
        });
        found.extend(end.map(|end| (name, end + 1)));
    }
    found
}

fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].rsplit('\n').next().unwrap_or_default().trim();
        rest = &rest[at + "use ".len()..];
        let is_use = before.is_empty() || before == "pub" || before.starts_with("pub(");
        if let (true, Some(end)) = (is_use, rest.find(';')) {
            let mut paths = Vec::new();
            branch(&rest[..end], &[], &mut paths);
            found.extend(paths.into_iter().map(|(name, path)| Import {
                name,
                path,
                is_reexport: !before.is_empty(),
            }));
        }
    }
    found
}

/// Unfolds `a::{b, c::d as e}`.
fn branch(tree: &str, above: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let (stem, twigs) = tree.split_once('{').unwrap_or((tree, ""));
    let (stem, alias) = stem.split_once(" as ").unwrap_or((stem, ""));
    let mut path = above.to_vec();
    let words = stem
        .split("::")
        .map(str::trim)
        .filter(|word| !word.is_empty());
    path.extend(words.map(str::to_owned));
    if !tree.contains('{') {
        path.pop_if(|word| word == "self");
        let name = Some(alias.trim()).filter(|alias| !alias.is_empty());
        let name = name.map(str::to_owned).or_else(|| path.last().cloned());
        found.extend(name.map(|name| (name, path)));
        return;
    }
    let mut depth = 0_u32;
    let inside = twigs.trim_end().strip_suffix('}').unwrap_or(twigs);
    for twig in inside.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    }) {
        if !twig.trim().is_empty() {
            branch(twig, &path, found);
        }
    }
}

/// Leaves out what `use` says, which is told apart.
fn mentions(code: &str) -> Vec<Vec<String>> {
    let statements = code.split_inclusive([';', '{', '}']);
    let is_use = |statement: &&str| {
        let words = statement.split_whitespace().take(2);
        !words.into_iter().any(|word| word == "use")
    };
    statements
        .filter(is_use)
        .flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':'))
        .map(|word| word.trim_matches(':'))
        .filter(|word| word.contains("::"))
        .map(|word| word.split("::").map(str::to_owned).collect())
        .collect()
}

/// Which file defines what a path names, seen from a file.
pub(super) struct Scope<'a> {
    files: &'a [SourceFile],
    modules: BTreeMap<&'a [String], usize>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(files: &'a [SourceFile]) -> Self {
        let modules = files
            .iter()
            .enumerate()
            .map(|(at, file)| (&*file.module, at))
            .collect();
        Self { files, modules }
    }

    /// `None` for what another crate, a block or a macro defines.
    pub(super) fn definer(&self, from: usize, path: &[String]) -> Option<usize> {
        self.find(from, path, 8)
    }

    fn find(&self, from: usize, path: &[String], patience: u32) -> Option<usize> {
        let file = &self.files[from];
        let (first, rest) = path.split_first()?;
        let depth = file.module.len();
        let module = match first.as_str() {
            "crate" => Some(file.module[..1].to_vec()),
            "self" => Some(file.module.clone()),
            "super" => Some(file.module[..depth.saturating_sub(1)].to_vec()),
            name => Some([&*file.module, &[name.to_owned()]].concat()),
        };
        if let Some(&at) = module.and_then(|module| self.modules.get(&*module)) {
            return if rest.is_empty() {
                None
            } else {
                self.find(at, rest, patience)
            };
        }
        if file
            .definitions
            .iter()
            .any(|definition| definition.name == *first)
        {
            return Some(from);
        }
        let patience = patience.checked_sub(1)?;
        file.imports
            .iter()
            .filter_map(|import| {
                let (last, above) = import.path.split_last()?;
                if import.name == *first {
                    Some([&*import.path, rest].concat())
                } else {
                    (last == "*").then(|| [above, path].concat())
                }
            })
            .filter(|longer| longer != path)
            .find_map(|longer| self.find(from, &longer, patience))
    }
}
