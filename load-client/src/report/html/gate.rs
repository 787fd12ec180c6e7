//! What the error gate compared at a stage.

use maud::{Markup, html};

use super::prose::arrows;
use super::svg::{Scale, place};
use crate::report::{ErrorReport, number};

const WIDTH: f64 = 240.0;

/// A figure for each comparison in which anything failed, a sentence for the others.
pub(super) fn section(gates: &[ErrorReport]) -> Markup {
    let (loud, quiet): (Vec<&ErrorReport>, Vec<&ErrorReport>) = gates
        .iter()
        .partition(|gate| gate.new_errors + gate.other_errors > 0);
    html! {
        @if !gates.is_empty() {
            h3 { "Does the new version fail more often?" }
            @if loud.is_empty() {
                p { "No: none of " (number::count(requests(&quiet))) " requests of new versions failed." }
            }
            @for gate in loud { (comparison(gate)) }
        }
    }
}

fn comparison(gate: &ErrorReport) -> Markup {
    let (new, others) = (
        rate(gate.new_errors, gate.new_requests),
        rate(gate.other_errors, gate.other_requests),
    );
    let x = Scale {
        values: (0.0, new.max(others).max(0.01)),
        places: (0.0, WIDTH),
    };
    let class = if gate.alarm { "violation" } else { "confirmed" };
    let each = [
        (
            gate.new.join(", "),
            new,
            gate.new_errors,
            gate.new_requests,
            class,
        ),
        (
            gate.others.join(", "),
            others,
            gate.other_errors,
            gate.other_requests,
            "other",
        ),
    ];
    html! {
        figure.gate {
            figcaption { (arrows(&gate.edge.to_string())) ", " (gate.path) ": "
                strong.(class) { @if gate.alarm { "yes" } @else { "not shown" } }
                ", the evidence is " (number::evidence(gate.log_e)) ", " (number::evidence(-gate.alpha.ln())) " is enough"
                @if let Some(ms) = gate.slower_than_ms { "; an answer that takes more than " (ms) " ms counts as a failure" }
            }
            table.numbers {
                tbody {
                    @for (name, rate, errors, requests, class) in each {
                        tr {
                            th scope="row" { (name) }
                            td.number { (number::observed(rate, 1)) " fail" }
                            td.number { (number::count(errors)) " of " (number::count(requests)) }
                            td { svg.rate viewBox=(format!("0 0 {WIDTH} 12")) role="img"
                                aria-label=(format!("{name}: {} of its requests failed", number::observed(rate, 1))) {
                                rect.empty x="0" y="1" width=(WIDTH) height="10" {}
                                rect.(class) x="0" y="1" width=(place(x.at(rate))) height="10" {}
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn requests(gates: &[&ErrorReport]) -> u64 {
    gates.iter().map(|gate| gate.new_requests).sum()
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn rate(errors: u64, requests: u64) -> f64 {
    errors as f64 / requests.max(1) as f64
}
