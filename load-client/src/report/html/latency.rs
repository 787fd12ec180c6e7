//! How long answers took, by version: percentiles on a logarithmic scale.

use maud::{Markup, html};

use super::Colours;
use super::prose::arrows;
use super::svg::{Scale, place};
use crate::latency::Percentiles;
use crate::report::{EdgeReport, Report};

const WIDTH: f64 = 360.0;
const ROW: f64 = 22.0;
/// Of a letter of a name.
const LETTER: f64 = 5.8;
/// Right of the last mark, for half of its label.
const MARGIN: f64 = 18.0;
const NAMED: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

/// A row of the picture: whose, in which colour, how long.
struct Row {
    name: String,
    class: &'static str,
    latency: Percentiles,
}

/// A figure for each edge on which the client itself calls: its answers are the ones that were timed.
pub(super) fn section(path: &Report, colours: &Colours) -> Markup {
    let from = path.edges.first().map(|edge| edge.edge.from.as_str());
    let first = path
        .edges
        .iter()
        .filter(|edge| Some(edge.edge.from.as_str()) == from);
    html! { div.figures-of-path { @for edge in first { (figure(edge, &rows(edge, colours))) } } }
}

fn rows(edge: &EdgeReport, colours: &Colours) -> Vec<Row> {
    let mut rows = Vec::new();
    for version in &edge.versions {
        let class = colours.of(&version.version);
        let row = |name: String, latency: &Percentiles| Row {
            name,
            class,
            latency: *latency,
        };
        let (sent, intended) = (&version.latency_ms, &version.latency_from_intended_ms);
        rows.extend(sent.as_ref().map(|latency| row(version.version.clone(), latency)));
        // In a closed loop it is the same.
        let waited = intended.as_ref().filter(|_| sent != intended);
        rows.extend(waited.map(|latency| row(format!("{}, waited", version.version), latency)));
    }
    rows
}

/// The picture and a table of the same numbers; nothing without answers.
fn figure(edge: &EdgeReport, rows: &[Row]) -> Markup {
    html! {
        @if !rows.is_empty() {
            figure {
                figcaption { "Latency in ms, " (arrows(&edge.edge.to_string())) }
                div.side {
                    (picture(rows))
                    div.wide tabindex="0" role="region" aria-label="Latency in ms" { (table(rows)) }
                }
            }
        }
    }
}

fn table(rows: &[Row]) -> Markup {
    html! {
        table.numbers {
            thead { tr { th scope="col" { "version" } @for name in NAMED { th.number scope="col" { (name) } } } }
            tbody { @for row in rows { (numbers(row)) } }
        }
    }
}

fn numbers(row: &Row) -> Markup {
    html! {
        tr {
            th scope="row" { span.swatch.(row.class) aria-hidden="true" {} (row.name) }
            @for value in values(row.latency) { td.number { (ms(value)) } }
        }
    }
}

fn values(latency: Percentiles) -> [f64; 5] {
    [latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max]
}

/// From the median a bar to p99 and a line to the largest, marks at each.
fn picture(rows: &[Row]) -> Markup {
    let all = || {
        rows.iter()
            .flat_map(|row| values(row.latency))
            .filter(|value| *value > 0.0)
    };
    let low = all().fold(f64::INFINITY, f64::min).log10().floor();
    let low = if low.is_finite() { low } else { 0.0 };
    let high = all().fold(0.0, f64::max).log10().ceil().max(low + 1.0);
    let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    #[allow(clippy::cast_precision_loss)] // a handful
    let names = (longest as f64 * LETTER + 14.0).min(WIDTH / 2.0);
    let x = Scale {
        values: (low, high),
        places: (names, WIDTH - MARGIN),
    };
    let at = |value: f64| place(x.at(value.max(1e-6).log10()));
    #[allow(clippy::cast_precision_loss)] // a handful
    let bottom = rows.len() as f64 * ROW;
    #[allow(clippy::cast_possible_truncation)] // exponents of milliseconds
    let decades = low as i32..=high as i32;
    html! {
        svg.latency viewBox=(format!("0 0 {WIDTH} {}", bottom + 16.0)) role="img" aria-label=(said(rows)) {
            @for decade in decades {
                @let x = at(10f64.powi(decade));
                line.grid x1=(x) x2=(x) y1="0" y2=(place(bottom)) {}
                text.middle x=(x) y=(place(bottom + 12.0)) { (ms(10f64.powi(decade))) }
            }
            @for (index, row) in rows.iter().enumerate() { (line(row, index, at)) }
        }
    }
}

fn line(row: &Row, index: usize, at: impl Fn(f64) -> String) -> Markup {
    #[allow(clippy::cast_precision_loss)] // a handful
    let y = (index as f64 + 0.5) * ROW;
    let [p50, p90, p99, p99_9, max] = values(row.latency);
    html! {
        text x="0" y=(place(y + 4.0)) { (row.name) }
        line.thin.(row.class) x1=(at(p50)) x2=(at(max)) y1=(place(y)) y2=(place(y)) {}
        line.bar.(row.class) x1=(at(p50)) x2=(at(p99)) y1=(place(y)) y2=(place(y)) {}
        circle.(row.class) cx=(at(p50)) cy=(place(y)) r="5" {}
        @for value in [p90, p99, p99_9, max] {
            line.tick.(row.class) x1=(at(value)) x2=(at(value)) y1=(place(y - 6.0)) y2=(place(y + 6.0)) {}
        }
    }
}

fn said(rows: &[Row]) -> String {
    let one = |row: &Row| {
        let Percentiles { p50, p99, max, .. } = row.latency;
        format!(
            "{}: half within {} ms, 99 of 100 within {} ms, all within {} ms",
            row.name,
            ms(p50),
            ms(p99),
            ms(max)
        )
    };
    let each: Vec<String> = rows.iter().map(one).collect();
    format!("Latency on a logarithmic scale. {}", each.join("; "))
}

/// Three digits.
fn ms(value: f64) -> String {
    let text = match value {
        100.0.. => return format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
