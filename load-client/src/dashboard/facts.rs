//! The same in words and figures.

use maud::{Markup, html};

use super::board::{Board, EdgeRow};
use super::edge::VersionNow;
use super::field;
use crate::report::number;
use crate::stats::Verdict;

/// A version's part of an edge, as it is written.
pub(super) struct Share {
    pub(super) declared: String,
    pub(super) observed: String,
    /// In percent.
    pub(super) interval: String,
}

/// With as many digits as the tolerance is worth.
pub(super) fn share(version: &VersionNow, tolerance: f64) -> Share {
    let decimals = number::decimals(tolerance);
    let dash = || "–".to_owned();
    Share {
        declared: number::declared(version.declared),
        observed: version
            .observed
            .map_or_else(dash, |share| number::observed(share, decimals)),
        interval: version
            .interval
            .map_or_else(dash, |interval| number::interval(interval, decimals)),
    }
}

/// The verdict on an edge.
pub(super) fn verdict_of(verdict: Verdict) -> Markup {
    let (class, text) = match verdict {
        Verdict::Confirmed => ("confirmed", "CONFIRMED"),
        Verdict::Violation => ("violation", "VIOLATION"),
        Verdict::Leak => ("leak", "LEAK"),
        Verdict::Undecided => ("undecided", "undecided"),
    };
    html! { strong.state.(class) { (text) } }
}

/// Every version of every edge; of a run, which judges nothing, the versions alone.
pub(super) fn table(board: &Board) -> Markup {
    if board.edges.is_empty() {
        return versions(board);
    }
    let names = field::names(board);
    html! {
        table {
            caption.quiet {
                @match &board.edges_of {
                    Some(stage) => { "Of " (stage) },
                    None => "Of this judgement",
                }
            }
            thead { tr {
                th scope="col" { "edge" } th scope="col" { "version" } th scope="col" { "declared" }
                th scope="col" { "observed" } th scope="col" { "interval %" } th scope="col" { "n" }
                th scope="col" { "errors" } th scope="col" { "verdict" }
            } }
            @for row in &board.edges { (rows(row, &names)) }
        }
    }
}

fn rows(row: &EdgeRow, names: &[&str]) -> Markup {
    let edge = &row.now;
    let span = edge.versions.len();
    html! {
        tbody {
            @for (index, version) in edge.versions.iter().enumerate() {
                @let share = share(version, edge.tolerance);
                tr {
                    @if index == 0 { th scope="rowgroup" rowspan=(span) { (edge.name()) } }
                    th.(field::class(names, &version.version)) scope="row" { (version.version) }
                    td.figures { (share.declared) }
                    td.figures { (share.observed) }
                    td.figures { (share.interval) }
                    td.figures { (number::count(version.count)) }
                    td.figures { (number::count(version.errors)) }
                    @if index == 0 { td rowspan=(span) { (verdict_of(edge.verdict)) } }
                }
            }
        }
    }
}

fn versions(board: &Board) -> Markup {
    let names = field::names(board);
    let attributed: u64 = board.answers.versions.iter().map(|(_, count)| count).sum();
    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    let share = |count: u64| number::observed(count as f64 / attributed.max(1) as f64, 2);
    let mut versions: Vec<&(String, u64)> = board.answers.versions.iter().collect();
    versions.sort_unstable();
    html! {
        @if versions.is_empty() { p.quiet { "No answer has named a version yet." } }
        @else {
            table {
                thead { tr { th scope="col" { "version" } th scope="col" { "answers" } th scope="col" { "share" } } }
                tbody {
                    @for (name, count) in versions {
                        tr {
                            th.(field::class(&names, name)) scope="row" { (name) }
                            td.figures { (number::count(*count)) }
                            td.figures { (share(*count)) }
                        }
                    }
                }
            }
        }
    }
}

/// What failed, by status or by what went wrong.
pub(super) fn errors(board: &Board) -> Markup {
    html! {
        @if board.answers.errors.is_empty() { p.quiet { "None." } }
        @else {
            ul.errors {
                @for (what, count) in &board.answers.errors {
                    li { strong.violation { (what) } " " span.figures { (number::count(*count)) } }
                }
            }
        }
    }
}

/// The likeliest cause of each edge that is not as declared.
pub(super) fn causes(board: &Board) -> Markup {
    html! {
        @if board.causes.is_empty() { p.quiet { "Nothing has been found that is not as declared." } }
        @for (edge, cause) in &board.causes {
            p.cause {
                span.quiet { (edge.to_string()) } br;
                strong { (cause.what) } br;
                (cause.evidence) br;
                (cause.advice)
            }
        }
    }
}
