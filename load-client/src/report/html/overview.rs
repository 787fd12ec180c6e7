//! The walk on one screen: a row for each stage.

use maud::{Markup, html};

use super::{Colours, badge, shares};
use crate::judge::Conclusion;
use crate::report::document::Document;
use crate::report::{EdgeReport, EdgeVerdict, Report, StageReport, number};

pub(super) fn section(document: &Document, colours: &Colours) -> Markup {
    html! {
        section {
            h2 { "The stages" }
            p.legend {
                @for version in document.versions() {
                    span { span.swatch.(colours.of(&version)) aria-hidden="true" {} (version) " " }
                }
                span.quiet { "bars: the observed shares of the first hop; marks: where they are declared to part" }
            }
            table.overview.cards {
                thead {
                    tr {
                        th scope="col" { "stage" }
                        th scope="col" { "who answers" }
                        th scope="col" { "verdict" }
                        th.number scope="col" { "requests" }
                        th.number scope="col" { "failed during the change" }
                        th.number scope="col" { "in force after" }
                    }
                }
                tbody {
                    @for (index, (name, stage)) in document.named().enumerate() {
                        (row(index, &name, stage, colours))
                    }
                }
            }
        }
    }
}

fn row(index: usize, name: &str, stage: &StageReport, colours: &Colours) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=(format!("#stage-{index}")) { (name) }
            }
            td data-label="who answers" { @for edge in first_hops(stage) { (bar(edge, colours)) } }
            td data-label="verdict" {
                (badge(stage.verdict))
                (paths(stage))
            }
            td.number data-label="requests" { (number::count(stage.requests())) }
            td.number data-label="failed during the change" { (changed(stage)) }
            td.number data-label="in force after" {
                (stage.in_force_after_seconds.map_or("-".to_owned(), number::time))
            }
        }
    }
}

/// The verdicts of several paths: by name if they are not all that of the stage.
fn paths(stage: &StageReport) -> Markup {
    let unlike = stage.paths.iter().any(|path| path.verdict != stage.verdict);
    let names: Vec<String> = stage.paths.iter().map(|path| path.path.to_string()).collect();
    html! {
        @if stage.verdict == Conclusion::Errors {
            br; span.quiet { "by the error gate" }
        } @else if unlike {
            @for path in &stage.paths { br; span.quiet { (path.path) ": " (path.verdict) } }
        } @else if names.len() > 1 {
            br; span.quiet { (names.join(" and ")) }
        }
    }
}

fn changed(stage: &StageReport) -> Markup {
    let of = number::count(stage.change_requests);
    html! {
        @if stage.change_errors == 0 { "none of " (of) }
        @else {
            strong.violation { (number::count(stage.change_errors)) " of " (of) }
            @for (what, count) in &stage.change_errors_with { br; span.quiet { (what) ": " (number::count(*count)) } }
        }
    }
}

/// The edges of the first path on which the client itself calls, each kind of request.
fn first_hops(stage: &StageReport) -> impl Iterator<Item = &EdgeReport> {
    let first = stage.paths.first();
    let from = first
        .and_then(|path| path.edges.first())
        .map(|edge| edge.edge.from.as_str());
    let edges = first.into_iter().flat_map(|path: &Report| &path.edges);
    edges.filter(move |edge| Some(edge.edge.from.as_str()) == from && edge.verdict != EdgeVerdict::NotUsed)
}

fn bar(edge: &EdgeReport, colours: &Colours) -> Markup {
    html! {
        @if let Some(variant) = &edge.edge.variant { span.quiet { "with " code { (variant) } } }
        (shares::picture(edge, colours))
    }
}
