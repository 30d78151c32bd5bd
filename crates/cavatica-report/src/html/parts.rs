//! The parts of a plan, each with how it stands.

use maud::{Markup, html};

use super::sections::verdict;
use super::text::outside;
use super::words::{Number, Share};
use crate::Overview;

/// Nothing where there is a single transfer.
pub(super) fn table(parts: &[Overview]) -> Markup {
    if parts.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "The parts" }
            div.wide { table.stacks {
                thead { tr {
                    th scope="col" { "Part" } th scope="col" { "Account" } th scope="col" { "State" } th.num scope="col" { "Files" }
                    th.num scope="col" { "Arrived" } th.num scope="col" { "Failed" } th.num scope="col" { "Unknown" } th.num scope="col" { "Left" }
                } }
                tbody { @for part in parts { (row(part)) } }
            } }
        }
    }
}

fn row(part: &Overview) -> Markup {
    let (_, mark, word) = verdict(part);
    html! {
        tr {
            th scope="row" { (outside(&part.transfer)) }
            td data-th="Account" { (outside(&part.account)) }
            td.state data-th="State" { span.mark aria-hidden="true" { (mark) } " " (word) }
            td.num data-th="Files" { (Number(part.files)) }
            td.num data-th="Arrived" { (Number(part.completed)) " (" (Share(part.completed, part.files)) ")" }
            td.num data-th="Failed" { (Number(part.failed)) }
            td.num data-th="Unknown" { (Number(part.unknown)) }
            td.num data-th="Left" { (Number(part.left)) }
        }
    }
}
