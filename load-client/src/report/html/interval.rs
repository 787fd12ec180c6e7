//! How far the observed shares of an edge are from the declared ones, in points, with their intervals; what is accepted is
//! shaded.

use maud::{Markup, html};

use super::Colours;
use super::svg::{Scale, place, round_up};
use crate::report::{EdgeReport, VersionReport, number};

const WIDTH: f64 = 260.0;
const ROW: f64 = 20.0;
/// Of the line below the rows.
const AXIS: f64 = 16.0;
/// Left free on both sides.
const MARGIN: f64 = 6.0;

pub(super) fn picture(edge: &EdgeReport, colours: &Colours) -> Markup {
    let tolerance = edge.tolerance.unwrap_or(0.0);
    let end = end(edge, tolerance);
    let x = Scale {
        values: (-end, end),
        places: (MARGIN, WIDTH - MARGIN),
    };
    #[allow(clippy::cast_precision_loss)] // a handful
    let bottom = edge.versions.len() as f64 * ROW;
    let (left, right) = (x.at(-tolerance), x.at(tolerance));
    html! {
        svg.interval viewBox=(format!("0 0 {WIDTH} {}", bottom + AXIS)) role="img" aria-label=(said(edge)) {
            rect.accepted x=(place(left)) y="0" width=(place(right - left)) height=(place(bottom)) {}
            line.zero x1=(place(x.at(0.0))) x2=(place(x.at(0.0))) y1="0" y2=(place(bottom)) {}
            line.axis x1=(place(MARGIN)) x2=(place(WIDTH - MARGIN)) y1=(place(bottom)) y2=(place(bottom)) {}
            @for (index, version) in edge.versions.iter().enumerate() {
                (row(version, index, x, colours.of(&version.version)))
            }
            text x=(place(MARGIN)) y=(place(bottom + 12.0)) { "−" (points(end)) }
            text.middle x=(place(x.at(0.0))) y=(place(bottom + 12.0)) { "as declared" }
            text.end x=(place(WIDTH - MARGIN)) y=(place(bottom + 12.0)) { "+" (points(end)) }
        }
    }
}

/// A version's interval with the observed share in it.
fn row(version: &VersionReport, index: usize, x: Scale, class: &str) -> Markup {
    #[allow(clippy::cast_precision_loss)] // a handful
    let y = (index as f64 + 0.5) * ROW;
    let ends = version
        .interval
        .map(|found| (found.low - version.declared, found.high - version.declared));
    html! {
        @if let Some((low, high)) = ends {
            line.bar.(class) x1=(place(x.at(low))) x2=(place(x.at(high))) y1=(place(y)) y2=(place(y)) {}
        }
        @if let Some(observed) = version.observed {
            circle.(class) cx=(place(x.at(observed - version.declared))) cy=(place(y)) r="4" {}
        }
    }
}

/// Half of the scale: all intervals and what is accepted have room.
fn end(edge: &EdgeReport, tolerance: f64) -> f64 {
    let ends = edge.versions.iter().flat_map(|version| {
        let seen = version.observed.unwrap_or(version.declared);
        let (low, high) = version
            .interval
            .map_or((seen, seen), |found| (found.low, found.high));
        [
            (low - version.declared).abs(),
            (high - version.declared).abs(),
            (seen - version.declared).abs(),
        ]
    });
    round_up(ends.fold(tolerance * 1.25, f64::max)).min(1.0)
}

fn points(share: f64) -> String {
    number::declared(share).trim_end_matches(" %").to_owned() + " points"
}

fn said(edge: &EdgeReport) -> String {
    let decimals = number::decimals(edge.tolerance.unwrap_or(1.0));
    let each: Vec<String> = edge
        .versions
        .iter()
        .map(|v| {
            let observed = v
                .observed
                .map_or("nothing".to_owned(), |share| number::observed(share, decimals));
            let interval = v.interval.map_or("no interval".to_owned(), |found| {
                format!("interval {} %", number::interval(found, decimals))
            });
            format!(
                "{}: {observed} observed, {interval}, {} declared",
                v.version,
                number::declared(v.declared)
            )
        })
        .collect();
    let accepted = edge.tolerance.map(number::points).unwrap_or_default();
    format!(
        "Difference from what is declared, accepted within {accepted}. {}",
        each.join("; ")
    )
}
