//! What the client saw, and what the proxies counted, beside what the proxies hold.

use super::traffic::Counted;
use super::{EdgeState, Finding, Reading, Trouble};
use crate::expect::{Edge, Question};
use crate::report::count;

/// What the client saw on an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The edge.
    pub edge: Edge,
    /// True: the declared split; false: another one; `None`: not known.
    pub as_declared: Option<bool>,
    /// Requests that came this way.
    pub requests: u64,
}

/// Of the requests that the client saw, so many in a hundred must have been counted by the proxies: those in flight when
/// the counters were read may be missing.
const COUNTED: u64 = 99;

/// What the proxies of each caller counted; callers whose proxies do not count are left out.
pub(super) fn counted(questions: &[Question], reading: &Reading) -> Vec<Counted> {
    let mut rows: Vec<Counted> = Vec::new();
    for question in questions {
        let (from, to) = (&question.edge.from, &question.edge.to);
        // Variants of a request have the same caller and are counted with it.
        if rows.iter().any(|row| row.from == *from && row.to == *to) {
            continue;
        }
        let mut row = Counted {
            from: from.clone(),
            to: to.clone(),
            versions: [].into(),
        };
        let mut counts = false;
        for pod in callers(questions, from, reading) {
            if let Some(counters) = reading.counted.get(&pod) {
                let services = question
                    .declared
                    .keys()
                    .filter_map(|cluster| cluster.rsplit('|').next());
                let services: std::collections::BTreeSet<&str> = services.collect();
                counters.add_to(services.into_iter(), &mut row.versions);
                counts = true;
            }
        }
        rows.extend(counts.then_some(row));
    }
    rows
}

/// Proxies of all callers that an edge calls by this name.
fn callers(questions: &[Question], from: &str, reading: &Reading) -> std::collections::BTreeSet<String> {
    let asked = questions.iter().filter(|question| question.edge.from == from);
    asked
        .flat_map(|question| reading.pods_of(&question.caller).map(super::Pod::proxy))
        .collect()
}

/// Traffic that does not go through the proxies that were read.
pub(super) fn bypassed(edges: &[EdgeState], counted: &[Counted], seen: &[Seen]) -> Vec<Finding> {
    let by_split = seen.iter().filter_map(|seen| otherwise(seen, edges));
    let by_count = counted.iter().filter_map(|counted| uncounted(counted, seen));
    let finding = |text| Finding {
        proxy: None,
        trouble: Trouble::Bypassed,
        text,
        fix: "is the Service's port named http? how is a pod seen: istioctl x describe pod POD".to_owned(),
    };
    by_split.chain(by_count).map(finding).collect()
}

/// The client saw another split, and every proxy holds the declared one.
fn otherwise(seen: &Seen, edges: &[EdgeState]) -> Option<String> {
    let mut states = edges.iter().filter(|edge| edge.edge == seen.edge).peekable();
    states.peek()?;
    let all_agree =
        states.all(|edge| !edge.proxies.is_empty() && edge.proxies.iter().all(|proxy| proxy.agrees));
    (seen.as_declared == Some(false) && all_agree).then(|| {
        format!(
            "{}: the client saw another split than every proxy of the caller holds, so part of the traffic does not \
             go through them, or not by this route",
            seen.edge
        )
    })
}

/// The proxies counted fewer requests than the client saw.
fn uncounted(counted: &Counted, seen: &[Seen]) -> Option<String> {
    let on_edge = seen
        .iter()
        .filter(|seen| seen.edge.from == counted.from && seen.edge.to == counted.to);
    let seen: u64 = on_edge.map(|seen| seen.requests).sum();
    (counted.total() * 100 < seen * COUNTED).then(|| {
        format!(
            "{} -> {}: the client saw {} requests, the proxies of the caller counted {}; the others did not go through \
             them",
            counted.from,
            counted.to,
            count(seen),
            count(counted.total())
        )
    })
}
