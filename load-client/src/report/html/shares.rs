//! Who gets the requests of an edge: a bar of the observed shares, with marks where the declared ones would part it.

use maud::{Markup, html};

use super::Colours;
use super::svg::place;
use crate::report::{EdgeReport, number};

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 16.0;

pub(super) fn picture(edge: &EdgeReport, colours: &Colours) -> Markup {
    let mut from = 0.0;
    let parts: Vec<(f64, f64, &str)> = edge
        .versions
        .iter()
        .map(|version| {
            let width = version.observed.unwrap_or(0.0) * WIDTH;
            from += width;
            (from - width, width, colours.of(&version.version))
        })
        .collect();
    let mut sum = 0.0;
    let marks: Vec<f64> = edge
        .versions
        .iter()
        .map(|version| {
            sum += version.declared;
            sum * WIDTH
        })
        .filter(|mark| *mark > 0.5 && *mark < WIDTH - 0.5)
        .collect();
    html! {
        svg.shares viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(said(edge)) {
            rect.empty x="0" y="3" width=(WIDTH) height="10" {}
            @for (from, width, class) in parts {
                @if width > 0.0 { rect.(class) x=(place(from)) y="3" width=(place(width)) height="10" {} }
            }
            @for mark in marks { line.mark x1=(place(mark)) x2=(place(mark)) y1="0" y2=(HEIGHT) {} }
        }
    }
}

/// `client -> payment-service: v1 90.3 % (declared 90 %), v2 9.7 % (declared 10 %)`.
fn said(edge: &EdgeReport) -> String {
    let decimals = number::decimals(edge.tolerance.unwrap_or(1.0));
    let each: Vec<String> = edge
        .versions
        .iter()
        .map(|v| {
            let observed = v
                .observed
                .map_or("none".to_owned(), |share| number::observed(share, decimals));
            format!(
                "{} {observed} (declared {})",
                v.version,
                number::declared(v.declared)
            )
        })
        .collect();
    format!("{}: {}", edge.edge, each.join(", "))
}
