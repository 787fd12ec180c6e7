//! The change of one edge, caller by caller.

use std::fmt;
use std::time::Instant;

use crate::expect::Claim;
use crate::judge::{Seen, seen};
use crate::outcome::Outcome;
use crate::stats::{Detector, Split, change_point};

/// Over this many requests a change is expected at any of them alike. A later one is found as well, a little later.
const HORIZON: u64 = 10_000;

/// A caller is gone when so many answers in a row, for each caller, came from others: of callers that all get their
/// share, one is missed for that long with probability `e^-20`.
const SILENCE: u64 = 20;

/// An edge whose declared split changes.
///
/// The pods of a caller have a proxy each, and istiod tells them one after the other: seconds may lie between two of
/// them on a busy node. Pooled over the pods, the new split would be called in force when the first proxies have it.
#[derive(Debug)]
pub(super) struct Change {
    claim: Claim,
    old_is_known: bool,
    old: Split,
    new: Split,
    alpha: f64,
    callers: Vec<Caller>,
    answers: u64,
}

/// One of the proxies that draw for this edge.
#[derive(Debug)]
struct Caller {
    /// The pod; `None` where answers do not name one: the client itself, the gateway.
    pod: Option<String>,
    detector: Detector,
    in_force: bool,
    /// Which version answered, and when that was asked.
    answers: Vec<(usize, Instant)>,
    /// The number of the edge's answer that was the last through this caller.
    last: u64,
    alpha: f64,
}

impl Change {
    /// `alpha` is the chance to see a change that has not come, at any caller.
    pub(super) fn new(claim: Claim, old_is_known: bool, old: Split, new: Split, alpha: f64) -> Self {
        Change {
            claim,
            old_is_known,
            old,
            new,
            alpha,
            callers: Vec::new(),
            answers: 0,
        }
    }

    pub(super) fn variant(&self) -> usize {
        self.claim.variant
    }

    pub(super) fn old_is_known(&self) -> bool {
        self.old_is_known
    }

    pub(super) fn take(&mut self, outcome: &Outcome, sent: Instant) {
        let Seen::Hop(hop) = seen(&self.claim, outcome) else {
            return;
        };
        // A version that neither split knows says nothing about which of them is in force.
        let expected = self.claim.expected.as_ref();
        let Some(version) = expected.and_then(|expected| expected.index_of(hop)) else {
            return;
        };
        self.answers += 1;
        let last = self.answers;
        let caller = self.caller(pod(&self.claim, outcome));
        caller.last = last;
        caller.answers.push((version, sent));
        caller.in_force = caller.detector.observe(version);
    }

    /// The caller with this name, a new one if need be. The i-th gets `alpha / (i (i + 1))`, which adds up to `alpha`
    /// however many there are.
    fn caller(&mut self, pod: Option<&str>) -> &mut Caller {
        let known = self
            .callers
            .iter()
            .position(|caller| caller.pod.as_deref() == pod);
        let index = known.unwrap_or(self.callers.len());
        if known.is_none() {
            let number = f64::from(u32::try_from(index + 1).unwrap_or(u32::MAX));
            let alpha = self.alpha / (number * (number + 1.0));
            self.callers.push(Caller {
                pod: pod.map(str::to_owned),
                detector: Detector::new(&self.old, &self.new, HORIZON, alpha),
                in_force: false,
                answers: Vec::new(),
                last: 0,
                alpha,
            });
        }
        &mut self.callers[index]
    }

    /// Has every caller changed that still calls?
    pub(super) fn in_force(&self) -> bool {
        self.callers.iter().any(|caller| caller.in_force) && self.waiting().next().is_none()
    }

    /// Callers that still see the old split. A pod that was deleted is not waited for.
    fn waiting(&self) -> impl Iterator<Item = &Caller> {
        let count = u64::try_from(self.callers.len()).unwrap_or(u64::MAX);
        let gone = move |caller: &Caller| self.answers - caller.last > SILENCE.saturating_mul(count);
        self.callers
            .iter()
            .filter(move |caller| !caller.in_force && !gone(caller))
    }

    /// When the first request was sent after which every caller saw the new split, at the most likely change points.
    pub(super) fn since(&self) -> Option<Instant> {
        let changed = self.callers.iter().filter(|caller| caller.in_force);
        changed
            .filter_map(|caller| caller.since(&self.old, &self.new))
            .max()
    }
}

impl fmt::Display for Change {
    /// The edge, and the pods that it waits for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pods: Vec<&str> = self
            .waiting()
            .filter_map(|caller| caller.pod.as_deref())
            .collect();
        write!(f, "{}", self.claim.edge)?;
        if pods.is_empty() {
            return Ok(());
        }
        write!(f, " (as sent by {})", pods.join(", "))
    }
}

impl Caller {
    fn since(&self, old: &Split, new: &Split) -> Option<Instant> {
        let versions: Vec<usize> = self.answers.iter().map(|(version, _)| *version).collect();
        let before = change_point(&versions, old, new, self.alpha).estimate;
        self.answers.get(before).map(|(_, sent)| *sent)
    }
}

/// The pod whose proxy drew for this edge: of the second hop the one that answered the first.
fn pod<'a>(claim: &Claim, outcome: &'a Outcome) -> Option<&'a str> {
    claim.given.as_ref()?;
    let answer = outcome.result.as_ref().ok()?;
    let first = answer.served_by.as_ref()?.first()?;
    Some(first.instance.as_str()).filter(|instance| !instance.is_empty())
}
