//! The public API of each library, recorded so that a change of it is seen in review; and that whatever may grow says so.
//!
//! `rustdoc`'s JSON needs a nightly Rust, so this reads the pages that the stable one makes for people. Another version of it may
//! set them otherwise: a listing is held only against pages of the version that it was made from.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::{Failed, cargo, command, root, say, target};

/// What others depend on, lowest first.
pub(crate) const LIBRARIES: [&str; 6] = [
    "cavatica-model",
    "cavatica-connect",
    "cavatica-transport",
    "cavatica-exports",
    "cavatica-s3",
    "cavatica-transfer",
];

/// Where it stands which types are closed, and why.
const POLICY: &str = "docs/contributing.md";

/// Makes the pages and writes the listings, or with `check` says where they differ.
pub(crate) fn run(check: bool) -> Result<(), Failed> {
    let mut doc = cargo();
    doc.args(["doc", "--workspace", "--no-deps", "--quiet", "--locked"]);
    doc.args(["--features", "cavatica-model/schemars1"]);
    command(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    let policy = read(&root().join(POLICY))?;
    let mut faults = Vec::new();
    for library in LIBRARIES {
        let Public { listing, closed } = public(library)?;
        let unsaid = closed
            .iter()
            .filter(|name| !policy.contains(&format!("`{name}`")));
        faults.extend(unsaid.map(|name| {
            format!("{library}: `{name}` would break whoever uses it if it grew: let it be `#[non_exhaustive]`, or say in {POLICY} why not")
        }));
        let path = root().join("crates").join(library).join("api.txt");
        if !check {
            std::fs::write(&path, listing).map_err(|error| cannot("written", &path, &error))?;
            continue;
        }
        let recorded = std::fs::read_to_string(&path).unwrap_or_default();
        match (recorded.lines().next(), listing.lines().next()) {
            (Some(theirs), Some(ours)) if theirs != ours => say(format_args!(
                "{library}: not compared, its listing says `{theirs}`, and this is `{ours}`"
            )),
            _ => faults.extend(differences(library, &recorded, &listing)),
        }
    }
    for fault in &faults {
        say(fault);
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failed)
    }
}

/// Each line that is only in one of the two.
fn differences(library: &str, recorded: &str, listing: &str) -> Option<String> {
    if recorded == listing {
        return None;
    }
    let mut told = format!("{library}: the public API has changed; `cargo xtask api` records it");
    for (sign, these, those) in [("-", recorded, listing), ("+", listing, recorded)] {
        let those: BTreeSet<&str> = those.lines().collect();
        for line in these.lines().filter(|line| !those.contains(line)) {
            write!(told, "\n{sign}{line}").expect("a text takes more");
        }
    }
    Some(told)
}

/// What the pages of a library show.
struct Public {
    /// Every item, in the order of its paths.
    listing: String,
    /// The types that outsiders can make or take apart whole.
    closed: Vec<String>,
}

fn public(library: &str) -> Result<Public, Failed> {
    let krate = library.replace('-', "_");
    let folder = target().join("doc").join(&krate);
    let all = read(&folder.join("all.html"))?;
    let version = between(&all, "data-rustdoc-version=\"", " ").next();
    let list = all.split_once("<h3 id=").map_or("", |(_, list)| list);
    let items = between(list, "<a href=\"", "\"")
        .filter(|name| name.ends_with(".html") && !name.starts_with("http"));
    let (mut entries, mut closed) = (BTreeSet::new(), Vec::new());
    let mut modules = BTreeSet::from([""]);
    for item in items {
        let (module, file) = item.rsplit_once('/').unwrap_or(("", item));
        modules.insert(module);
        // `struct.NAME.html`
        let name = file.split('.').nth(1).unwrap_or_default();
        let page = read(&folder.join(item))?;
        if is_closed(&one_line(&declaration(&page))) {
            closed.push(name.to_owned());
        }
        let lines = lines(&page);
        entries.insert((path(&[&krate, module, name]), lines));
    }
    for module in modules {
        let page = read(&folder.join(module).join("index.html"))?;
        let handed_on = between(&page, "<dt id=\"reexport.", "</dt>");
        let lines = handed_on.filter_map(|line| line.split_once('>'));
        let lines = lines.map(|(_, line)| plain(line)).collect();
        entries.insert((path(&[&krate, module]), lines));
    }
    let mut listing = format!("rustdoc {}\n", version.unwrap_or_default());
    for (path, lines) in entries {
        writeln!(listing, "{path}").expect("a text takes more");
        for line in lines {
            writeln!(listing, "    {line}").expect("a text takes more");
        }
    }
    Ok(Public { listing, closed })
}

/// The path of an item, as one writes it.
fn path(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("::").replace('/', "::")
}

/// Whether a new field or variant would be noticed by whoever makes such a value, or takes one apart.
fn is_closed(declaration: &str) -> bool {
    let shows_all = !declaration.contains("/* private fields */");
    declaration.starts_with("pub enum ")
        || declaration.starts_with("pub struct ") && declaration.contains("{ pub ") && shows_all
}

/// As the page sets it, a line for each field, variant or function of a trait.
fn declaration(page: &str) -> String {
    let shown = between(page, "<pre class=\"rust item-decl\">", "</pre>").next();
    text(shown.unwrap_or_default()).replace("]pub ", "]\npub ")
}

/// The declaration of an item, its own functions, and the traits that it has.
fn lines(page: &str) -> Vec<String> {
    let declaration = declaration(page);
    let shown = declaration.lines().map(str::trim_end);
    let mut lines: Vec<String> = shown
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    for section in page.split("<h2 id=\"").skip(1) {
        let tag = match section.split('"').next() {
            Some("implementations") => "h4",
            Some("trait-implementations" | "synthetic-implementations") => "h3",
            _ => continue,
        };
        let (begin, end) = (
            format!("<{tag} class=\"code-header\">"),
            format!("</{tag}>"),
        );
        let found = between(section, &begin, &end).map(plain);
        // Of what the compiler finds out by itself, what a type can't do.
        let is_own = !section.starts_with("synthetic");
        let mut found: Vec<String> = found
            .filter(|line| is_own || LACKS.iter().any(|lack| line.contains(lack)))
            .filter(|line| !line.contains("StructuralPartialEq"))
            .collect();
        found.sort_unstable();
        lines.extend(found);
    }
    lines
}

/// What would keep a type from a task of its own.
const LACKS: [&str; 2] = ["!Send", "!Sync"];

/// The parts of a text between two marks.
fn between<'t>(text: &'t str, begin: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    let parts = text.split(begin).skip(1);
    parts.filter_map(move |part| part.split_once(end).map(|(inside, _)| inside))
}

/// A piece of a page as text.
fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        // What a summary says is no code.
        let tag = match tag.starts_with("summary") {
            true => tag.split_once("</summary").map_or(tag, |(_, after)| after),
            false => tag,
        };
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    for (coded, sign) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("\u{a0}", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(coded, sign);
    }
    text
}

/// The same on one line.
fn plain(html: &str) -> String {
    one_line(&text(html))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read(path: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(path).map_err(|error| cannot("read", path, &error))
}

fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> Failed {
    say(format_args!("{} can't be {doing}: {error}", path.display()));
    Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_its_declaration_functions_and_traits() {
        let page = "<pre class=\"rust item-decl\"><code><div>#[non_exhaustive]</div>pub struct A {\n    pub b: <a href=\"x\">B</a>&lt;u8&gt;,\n<details><summary class=\"s\"><span>Show 2 fields</span></summary>    pub c: u8,\n</details>}</code></pre>\
                    <h2 id=\"implementations\"><h3 class=\"code-header\">impl A</h3><h4 class=\"code-header\">pub fn <a>z</a>(&amp;self)</h4><h4 class=\"code-header\">pub fn a()</h4>\
                    <h2 id=\"trait-implementations\"><h3 class=\"code-header\">impl Clone for A</h3><h4 class=\"code-header\">fn clone()</h4>\
                    <h2 id=\"synthetic-implementations\"><h3 class=\"code-header\">impl Freeze for A</h3><h3 class=\"code-header\">impl !Send for A</h3>\
                    <h2 id=\"blanket-implementations\"><h3 class=\"code-header\">impl Any for A</h3>";
        assert_eq!(
            lines(page),
            [
                "#[non_exhaustive]",
                "pub struct A {",
                "    pub b: B<u8>,",
                "    pub c: u8,",
                "}",
                "pub fn a()",
                "pub fn z(&self)",
                "impl Clone for A",
                "impl !Send for A",
            ]
        );
    }

    #[test]
    fn what_outsiders_can_make_or_take_apart_whole_is_closed() {
        for (declaration, closed) in [
            ("pub enum A { B, }", true),
            ("#[non_exhaustive] pub enum A { B, }", false),
            ("pub struct A { pub b: u8, }", true),
            ("pub struct A { pub b: u8, /* private fields */ }", false),
            ("#[non_exhaustive] pub struct A { pub b: u8, }", false),
            ("pub struct A { /* private fields */ }", false),
            ("pub struct A;", false),
        ] {
            assert_eq!(is_closed(declaration), closed, "{declaration}");
        }
    }

    #[test]
    fn a_change_is_told_by_its_lines() {
        let told = differences("a", "x\n    old\n", "x\n    new\n").expect("they differ");
        assert!(told.ends_with("\n-    old\n+    new"), "{told}");
        assert_eq!(differences("a", "x\n", "x\n"), None);
    }
}
