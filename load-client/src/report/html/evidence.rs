//! How the evidence against the declared split grew with the requests of an edge, on a logarithmic scale, and where it
//! would be enough.

use std::f64::consts::LN_10;

use maud::{Markup, html};

use super::svg::{Scale, place};
use crate::report::{EdgeReport, number};

const WIDTH: f64 = 220.0;
const BOTTOM: f64 = 54.0;
const HEIGHT: f64 = 70.0;
/// Decades of the scale below 1.
const BELOW: f64 = 1.0;

/// Nothing where there is no evidence: no traffic.
pub(super) fn picture(edge: &EdgeReport) -> Markup {
    let Some(alpha) = edge.alpha.filter(|_| edge.n > 0) else {
        return html! {};
    };
    let enough = -alpha.log10();
    let points: Vec<(f64, f64)> = edge
        .evidence
        .iter()
        .map(|(n, ln)| (float(*n), ln / LN_10))
        .collect();
    let highest = points.iter().map(|point| point.1).fold(enough, f64::max);
    let x = Scale {
        values: (0.0, float(edge.n)),
        places: (2.0, WIDTH - 4.0),
    };
    let y = Scale {
        values: (-BELOW, highest * 1.12),
        places: (BOTTOM, 4.0),
    };
    let at = |point: &(f64, f64)| format!("{},{}", place(x.at(point.0)), place(y.at(point.1)));
    let way: Vec<String> = points.iter().map(at).collect();
    let class = if edge.refuted_at.is_some() {
        "violation"
    } else {
        "confirmed"
    };
    html! {
        svg.evidence viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(said(edge, alpha)) {
            line.axis x1="2" x2=(WIDTH - 4.0) y1=(place(BOTTOM)) y2=(place(BOTTOM)) {}
            line.one x1="2" x2=(WIDTH - 4.0) y1=(place(y.at(0.0))) y2=(place(y.at(0.0))) {}
            line.enough x1="2" x2=(WIDTH - 4.0) y1=(place(y.at(enough))) y2=(place(y.at(enough))) {}
            text x="2" y=(place(y.at(enough) + 11.0)) { "enough at " (number::evidence(-alpha.ln())) }
            @if let Some(refuted) = edge.refuted_at {
                @let at = place(x.at(float(refuted)));
                line.refuted x1=(at) x2=(at) y1="4" y2=(place(BOTTOM)) {}
            }
            polyline.(class) points=(way.join(" ")) {}
            @if let Some(last) = points.last() {
                circle.(class) cx=(place(x.at(last.0))) cy=(place(y.at(last.1))) r="3" {}
            }
            text x="2" y=(HEIGHT - 4.0) { "0" }
            text.end x=(WIDTH - 4.0) y=(HEIGHT - 4.0) { (number::count(edge.n)) " requests" }
        }
    }
}

fn said(edge: &EdgeReport, alpha: f64) -> String {
    let enough = number::evidence(-alpha.ln());
    let most = edge.evidence.iter().map(|point| point.1).reduce(f64::max);
    let most = most.map_or("none".to_owned(), number::evidence);
    match edge.refuted_at {
        Some(n) => format!(
            "Evidence against the declared split over {} requests: enough after {} ({enough} is), at most {most}",
            number::count(edge.n),
            number::count(n)
        ),
        None => format!(
            "Evidence against the declared split over {} requests: at most {most}, {enough} would be enough",
            number::count(edge.n)
        ),
    }
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn float(count: u64) -> f64 {
    count as f64
}
