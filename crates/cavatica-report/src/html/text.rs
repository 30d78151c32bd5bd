//! Texts on a page. The compiler's templates escape everything; what somebody else wrote is made visible besides.

use cavatica_model::text::visible;
use maud::{Markup, html};

/// A text from outside: markup nowhere, its invisible characters spelt out, its writing direction its own.
pub(super) fn outside(text: impl ToString) -> Markup {
    let text = text.to_string();
    html! { bdi { (visible(&text).to_string()) } }
}

/// A sentence of ours, in which `backticks` mark what is to be typed; names from outside in it are made visible.
pub(super) fn prose(text: impl ToString) -> Markup {
    let text = visible(&text.to_string()).to_string();
    let parts = text.split('`').enumerate();
    let odd = text.matches('`').count() % 2 == 1;
    html! {
        @if odd { bdi { (text) } } @else {
            bdi { @for (index, part) in parts {
                @if index % 2 == 1 { code { (part) } } @else { (part) }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_that_lies_is_seen_through() {
        assert_eq!(
            outside("cod.\u{202e}fdp.exe\n").0,
            "<bdi>cod.\\u{202e}fdp.exe\\n</bdi>"
        );
        assert_eq!(
            prose("say `a<b` now").0,
            "<bdi>say <code>a&lt;b</code> now</bdi>"
        );
        assert_eq!(prose("a stray ` mark").0, "<bdi>a stray ` mark</bdi>");
    }

    proptest! {
        /// No text ends the element that it stands in, and none is lost.
        #[test]
        fn text_stays_text(text in "[&<>\"'a;#{}\\-/!\u{e9}]*|\\PC*") {
            let page = outside(&text).0;
            let inner = page.strip_prefix("<bdi>").and_then(|page| page.strip_suffix("</bdi>"));
            let inner = inner.expect("one element");
            prop_assert!(!inner.contains(['<', '>', '"']));
            let read = inner
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&amp;", "&");
            prop_assert_eq!(read, visible(&text).to_string());
        }
    }
}
