//! When more requests would not help, and why nothing is known at the end.

use super::decision::Conclusion;
use super::edge::EdgeState;
use super::tally::Tally;
use crate::outcome::Failure;
use crate::stats::{Verdict, plan};

/// Requests in a row without a single answer, or good answers without a single version, that say enough.
const NONE_OF: u64 = 20;
/// Requests of an edge from which on more than half without a version says enough. Failures are waited for that long: who
/// fails, and how often, is for the error gate of a rollout to find, and it needs some tens of them.
const HALF_OF: u64 = 200;

/// Why no number of requests will lead to a verdict, if that is so.
pub(super) fn reason(tally: &Tally, edges: &[EdgeState], version_source: &str) -> Option<String> {
    if tally.answers() == 0 && tally.requests() >= NONE_OF {
        return Some(no_answer(tally));
    }
    if tally.named() == 0 && tally.answers() >= NONE_OF {
        return Some(no_version(tally, version_source));
    }
    edges.iter().find_map(|edge| {
        let stream = edge.stream()?;
        let most = stream.total() >= HALF_OF && stream.unattributed() > stream.total() / 2;
        let all = stream.total() >= NONE_OF && stream.unattributed() == stream.total() && edge.errors() == 0;
        (most || all).then(|| unattributed(tally, edge))
    })
}

/// Why it is undecided.
pub(super) fn at_the_end(tally: &Tally, edges: &[EdgeState], version_source: &str) -> (Conclusion, String) {
    if tally.requests() == 0 {
        return (Conclusion::CouldNotMeasure, "no request was sent".to_owned());
    }
    if tally.answers() == 0 {
        return (Conclusion::CouldNotMeasure, no_answer(tally));
    }
    if tally.named() == 0 {
        return (Conclusion::CouldNotMeasure, no_version(tally, version_source));
    }
    let doubtful = edges.iter().find(|edge| match (edge.gate(), edge.stream()) {
        (Some(gate), Some(stream)) => !gate.attributes_enough(stream),
        _ => false,
    });
    if let Some(edge) = doubtful {
        return (Conclusion::CouldNotMeasure, unattributed(tally, edge));
    }
    let open = edges
        .iter()
        .filter(|edge| edge.verdict() == Some(Verdict::Undecided));
    let reasons: Vec<String> = open.map(more).collect();
    (Conclusion::Undecided, reasons.join("; "))
}

fn no_answer(tally: &Tally) -> String {
    let worst = tally
        .failures()
        .iter()
        .max_by_key(|(_, count)| **count)
        .map(|(failure, _)| *failure);
    let advice = match worst {
        Some(Failure::Connect) | None => "nobody listens there; start the mesh, or correct --url",
        Some(Failure::Closed) => {
            "the connection is closed before an answer comes; look at what listens there"
        }
        Some(Failure::Timeout) => "no answer comes in time; see what it waits for, or raise --timeout",
        Some(Failure::Protocol) => "what listens there does not speak HTTP/1.1; correct --url",
    };
    format!(
        "none of {} requests was answered ({}): {advice}",
        tally.requests(),
        failures(tally)
    )
}

fn no_version(tally: &Tally, version_source: &str) -> String {
    format!(
        "none of {} answers names a version in {version_source} (statuses: {}): correct --url if something else answers \
         there, or name another place with --version-from (header:NAME, json:/POINTER, regex:RE)",
        tally.answers(),
        counts(tally.statuses().iter())
    )
}

fn unattributed(tally: &Tally, edge: &EdgeState) -> String {
    let (unknown, total) = edge
        .stream()
        .map_or((0, 0), |stream| (stream.unattributed(), stream.total()));
    let why = if edge.given().is_some() {
        "the answers of the first service do not name the second (x-served-by: first/version/instance, \
         second/version/instance), or there is no answer"
    } else {
        "they failed, or something answered that is not the service"
    };
    format!(
        "{unknown} of {total} requests on {} have no known version, more than half of the tolerance: {why}. Statuses: \
         {}; without an answer: {}",
        edge.edge(),
        counts(tally.statuses().iter()),
        failures(tally)
    )
}

fn more(edge: &EdgeState) -> String {
    let further = edge
        .stream()
        .zip(edge.gate())
        .and_then(|(stream, gate)| plan::further(stream, gate));
    match further {
        Some(further) => format!("{} needs about {further} more requests of its own", edge.edge()),
        None => format!(
            "{} lies so near to the edge of the tolerance that more requests do not help",
            edge.edge()
        ),
    }
}

fn failures(tally: &Tally) -> String {
    counts(tally.failures().iter())
}

/// `503 (9), 200 (1)`, or `none`.
fn counts<'a, K: std::fmt::Display>(counts: impl Iterator<Item = (K, &'a u64)>) -> String {
    let words: Vec<String> = counts.map(|(what, count)| format!("{what} ({count})")).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}
