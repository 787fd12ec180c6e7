//! One edge: declared and observed as numbers and as pictures.

use maud::{Markup, html};

use super::{Colours, evidence, interval};
use crate::report::{EdgeReport, EdgeVerdict, VersionReport, number};
use crate::stats::Verdict;

/// A row of a table with the head of [`head`].
pub(super) fn row(edge: &EdgeReport, colours: &Colours) -> Markup {
    let used = edge.verdict != EdgeVerdict::NotUsed;
    html! {
        tr {
            th scope="row" {
                (edge.edge.from) " → " (edge.edge.to)
                @if let Some(variant) = &edge.edge.variant { br; code { (variant) } }
            }
            @if used {
                td data-label="observed" { (versions(edge, colours)) }
                td data-label="difference" { (interval::picture(edge, colours)) }
                td data-label="evidence" { (evidence::picture(edge)) }
                td data-label="requests" { (number::count(edge.n)) br; (failed(edge.errors)) }
                td data-label="verdict" { (verdict(edge.verdict)) }
            } @else {
                td.quiet colspan="5" { "not used: no traffic is declared for it" }
            }
        }
    }
}

pub(super) fn head() -> Markup {
    html! {
        thead {
            tr {
                @for title in ["edge", "observed", "difference from declared", "evidence against it", "requests", "verdict"] {
                    th scope="col" { (title) }
                }
            }
        }
    }
}

/// `no error`, `12 errors`.
fn failed(errors: u64) -> Markup {
    html! {
        @match errors {
            0 => span.quiet { "0 errors" },
            1 => strong { "1 error" },
            more => strong { (number::count(more)) " errors" },
        }
    }
}

fn versions(edge: &EdgeReport, colours: &Colours) -> Markup {
    let decimals = number::decimals(edge.tolerance.unwrap_or(1.0));
    let observed = |v: &VersionReport| {
        v.observed
            .map_or("-".to_owned(), |share| number::observed(share, decimals))
    };
    html! {
        table.versions {
            @for version in &edge.versions {
                tr {
                    td { span.swatch.(colours.of(&version.version)) aria-hidden="true" {} (version.version) }
                    td.number { strong { (observed(version)) } }
                    td.quiet {
                        "of " (number::declared(version.declared))
                        @if let Some(found) = version.interval { br; (number::interval(found, decimals)) }
                    }
                }
            }
        }
    }
}

fn verdict(verdict: EdgeVerdict) -> Markup {
    let (class, sign) = match verdict {
        EdgeVerdict::Used(Verdict::Confirmed) => ("confirmed", "✓ "),
        EdgeVerdict::Used(Verdict::Violation) => ("violation", "✗ "),
        EdgeVerdict::Used(Verdict::Leak) => ("leak", "✗ "),
        EdgeVerdict::Used(Verdict::Undecided) | EdgeVerdict::NotUsed => ("undecided", "? "),
    };
    html! { strong.(class) { span aria-hidden="true" { (sign) } (verdict.text()) } }
}
