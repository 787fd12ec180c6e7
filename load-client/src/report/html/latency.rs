//! How long answers took, by version: percentiles on a logarithmic scale.

use maud::{Markup, html};

use super::svg::{Scale, place};
use crate::latency::Percentiles;

const WIDTH: f64 = 320.0;
const ROW: f64 = 22.0;
const NAMES: f64 = 44.0;

/// A row of the picture: whose, in which colour, how long.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    pub(super) class: &'a str,
    pub(super) latency: Percentiles,
}

/// A figure with a table of the same numbers; nothing without answers.
pub(super) fn figure(rows: &[Row]) -> Markup {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.latency.max > 0.0).collect();
    if rows.is_empty() {
        return html! {};
    }
    html! {
        figure {
            figcaption { "Latency in ms, from the intended start to the end of the answer" }
            (picture(&rows))
            div.wide tabindex="0" role="region" aria-label="Latency in ms" {
                table.numbers {
                    thead { tr { th { "version" } @for name in NAMED { th.number { (name) } } } }
                    tbody {
                        @for row in &rows {
                            tr {
                                th scope="row" { span.swatch.(row.class) aria-hidden="true" {} (row.name) }
                                @for value in values(row.latency) { td.number { (ms(value)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

const NAMED: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

fn values(latency: Percentiles) -> [f64; 5] {
    [latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max]
}

/// From the median a line through p90 and p99 to the largest, marks at each.
fn picture(rows: &[&Row]) -> Markup {
    let all = || {
        rows.iter()
            .flat_map(|row| values(row.latency))
            .filter(|value| *value > 0.0)
    };
    let low = all().fold(f64::INFINITY, f64::min).log10().floor();
    let high = all().fold(0.0, f64::max).log10().ceil().max(low + 1.0);
    let x = Scale {
        values: (low, high),
        places: (NAMES, WIDTH - 10.0),
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
            @for (index, row) in rows.iter().enumerate() {
                (line(row, index, at))
            }
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

fn said(rows: &[&Row]) -> String {
    let each: Vec<String> = rows
        .iter()
        .map(|row| {
            let Percentiles { p50, p99, max, .. } = row.latency;
            format!(
                "{}: half within {} ms, 99 of 100 within {} ms, all within {} ms",
                row.name,
                ms(p50),
                ms(p99),
                ms(max)
            )
        })
        .collect();
    format!("Latency on a logarithmic scale. {}", each.join("; "))
}

/// Three digits.
fn ms(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}").replace(".0", ""),
        1.0.. => format!("{value:.2}").replace(".00", ""),
        _ => {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}
