//! The public API of each library, as its documentation shows it, recorded so that a change of it is seen in review.
//!
//! `rustdoc`'s JSON is not stable, its pages are what people read: their declarations are taken as they stand.

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

/// Writes the listings, or with `check` says where they differ.
pub(crate) fn run(check: bool) -> Result<(), Failed> {
    let mut doc = cargo();
    doc.args(["doc", "--no-deps", "--quiet"]);
    // As `ci` has it, so that nothing is documented twice.
    doc.env("RUSTDOCFLAGS", "-D warnings");
    doc.args(LIBRARIES.iter().flat_map(|name| ["--package", name]));
    command(&mut doc)?;
    let mut differs = false;
    for library in LIBRARIES {
        let pages = target().join("doc").join(library.replace('-', "_"));
        let listing = listing(&pages)?;
        let path = root().join("crates").join(library).join("api.txt");
        if !check {
            std::fs::write(&path, listing).map_err(|error| cannot("written", &path, &error))?;
        } else if std::fs::read_to_string(&path).unwrap_or_default() != listing {
            differs = true;
            say(format_args!(
                "{}: the public API has changed; `cargo xtask api` records it",
                path.display()
            ));
        }
    }
    if differs { Err(Failed) } else { Ok(()) }
}

/// Every item of a library, in the order of its paths.
fn listing(pages: &Path) -> Result<String, Failed> {
    let all = read(&pages.join("all.html"))?;
    let list = all.split_once("<h3 id=").map_or("", |(_, list)| list);
    let mut names: Vec<&str> = between(list, "<a href=\"", "\"")
        .filter(|name| name.ends_with(".html") && !name.starts_with("http"))
        .collect();
    names.sort_unstable_by_key(|name| name.replace(".html", ""));
    names.dedup();
    let mut listing = String::new();
    for name in names {
        let page = read(&pages.join(name))?;
        let item = name.trim_end_matches(".html").replace('/', "::");
        writeln!(listing, "{item}").expect("a text takes more");
        for line in lines(&page) {
            writeln!(listing, "    {line}").expect("a text takes more");
        }
    }
    Ok(listing)
}

/// The declaration of an item, its own functions, and the traits that it has.
fn lines(page: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let declaration = between(page, "<pre class=\"rust item-decl\">", "</pre>").next();
    lines.extend(declaration.map(plain));
    for section in page.split("<h2 id=\"").skip(1) {
        let header = match section.split('"').next() {
            Some("implementations") => "<h4 class=\"code-header\">",
            Some("trait-implementations") => "<h3 class=\"code-header\">",
            _ => continue,
        };
        let end = header.replace("<h", "</h");
        let end = end.split(' ').next().expect("a tag").to_owned() + ">";
        let mut found: Vec<String> = between(section, header, &end).map(plain).collect();
        found.sort_unstable();
        lines.extend(found);
    }
    lines
}

/// The parts of a text between two marks.
fn between<'t>(text: &'t str, begin: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    let parts = text.split(begin).skip(1);
    parts.filter_map(move |part| part.split_once(end).map(|(inside, _)| inside))
}

/// A piece of a page as one line of text.
fn plain(html: &str) -> String {
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
        let page = "<pre class=\"rust item-decl\"><code>pub struct A {\n    pub b: <a href=\"x\">B</a>&lt;u8&gt;,\n<details><summary class=\"s\"><span>Show 2 fields</span></summary>    pub c: u8,\n</details>}</code></pre>\
                    <h2 id=\"implementations\"><h3 class=\"code-header\">impl A</h3><h4 class=\"code-header\">pub fn <a>z</a>(&amp;self)</h4><h4 class=\"code-header\">pub fn a()</h4>\
                    <h2 id=\"trait-implementations\"><h3 class=\"code-header\">impl Clone for A</h3><h4 class=\"code-header\">fn clone()</h4>\
                    <h2 id=\"blanket-implementations\"><h3 class=\"code-header\">impl Any for A</h3>";
        assert_eq!(
            lines(page),
            [
                "pub struct A { pub b: B<u8>, pub c: u8, }",
                "pub fn a()",
                "pub fn z(&self)",
                "impl Clone for A",
            ]
        );
    }
}
