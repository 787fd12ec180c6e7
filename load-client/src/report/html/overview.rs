//! The walk on one screen: a row for each stage.

use maud::{Markup, html};

use super::{Colours, badge, shares};
use crate::report::document::Document;
use crate::report::{EdgeReport, EdgeVerdict, Report, StageReport, number};

pub(super) fn section(document: &Document, colours: &Colours) -> Markup {
    let several = document.stages.iter().any(|stage| stage.paths.len() > 1);
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
                    @for (index, stage) in document.stages.iter().enumerate() {
                        (row(index, stage, colours, several))
                    }
                }
            }
        }
    }
}

fn row(index: usize, stage: &StageReport, colours: &Colours, several: bool) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=(format!("#stage-{index}")) { (stage.stage) }
                @if stage.rollback { br; span.quiet { "rollback" } }
            }
            td data-label="who answers" { @for edge in first_hops(stage) { (bar(edge, colours)) } }
            td data-label="verdict" {
                (badge(stage.verdict))
                @if several { @for path in &stage.paths { br; span.quiet { (path.path) ": " (path.verdict) } } }
            }
            td.number data-label="requests" { (number::count(stage.requests())) }
            td.number data-label="failed during the change" { (changed(stage)) }
            td.number data-label="in force after" {
                (stage.in_force_after_seconds.map_or("-".to_owned(), number::time))
            }
        }
    }
}

fn changed(stage: &StageReport) -> Markup {
    let of = number::count(stage.change_requests);
    html! {
        @if stage.change_errors == 0 { "0 of " (of) }
        @else { strong.violation { (number::count(stage.change_errors)) " of " (of) } }
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
