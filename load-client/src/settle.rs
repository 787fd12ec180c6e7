//! When is a new stage in force? Not after some seconds: when the answers say so.
//!
//! Each edge whose declared split changes has a detector of its own, since every proxy changes at its own time. The
//! stage is in force when all have gone off; what is judged is sent after that, so the requests that showed the change
//! are not counted as evidence for it.

use std::rc::Rc;
use std::time::Instant;

use crate::expect::{Claim, Expected};
use crate::judge::{Seen, seen, wanted};
use crate::outcome::Outcome;
use crate::referee::{Sent, Watch};
use crate::stats::{Detector, Split, change_point};

/// Over this many requests a change is expected at any of them alike. A later one is found as well, a little later.
const HORIZON: u64 = 10_000;

/// The edges that change.
#[derive(Debug)]
pub(crate) struct Settling {
    changes: Vec<Change>,
    alpha: f64,
}

#[derive(Debug)]
struct Change {
    claim: Claim,
    old_is_known: bool,
    old: Split,
    new: Split,
    detector: Detector,
    in_force: bool,
    /// Which version answered, and when that was asked.
    answers: Vec<(usize, Instant)>,
}

impl Settling {
    /// `before` is `None` at the first stage, where nobody knows what the mesh does. `alpha` is the chance to see a
    /// change that has not come, shared by the edges.
    pub(crate) fn new(before: Option<&[Claim]>, after: &[Claim], alpha: f64) -> Self {
        let splits = |claim: &Claim| {
            let same = |other: &&Claim| other.variant == claim.variant && other.given == claim.given;
            let old = before.and_then(|claims| claims.iter().find(same)?.expected.as_ref());
            let new = claim.expected.as_ref()?;
            Some((
                claim.clone(),
                old.is_some(),
                old_split(old, new)?,
                new.split().clone(),
            ))
        };
        let splits: Vec<_> = after.iter().filter_map(splits).collect();
        let alpha = alpha / f64::from(u32::try_from(splits.len().max(1)).unwrap_or(u32::MAX));
        let change = |(claim, old_is_known, old, new): (Claim, bool, Split, Split)| Change {
            detector: Detector::new(&old, &new, HORIZON, alpha),
            claim,
            old_is_known,
            old,
            new,
            in_force: false,
            answers: Vec::new(),
        };
        Settling {
            changes: splits.into_iter().map(change).collect(),
            alpha,
        }
    }

    /// When the first request was sent that saw the new split everywhere; `None` if no edge changes, or none that had
    /// a known split before: an edge that only now gets traffic says when that came, not when its rules changed.
    pub(crate) fn since(&self) -> Option<Instant> {
        let known = self.changes.iter().filter(|change| change.old_is_known);
        known.filter_map(|change| change.since(self.alpha)).max()
    }

    /// Edges that have not been seen to change, for people.
    pub(crate) fn missing(&self) -> Vec<String> {
        let missing = self.changes.iter().filter(|change| !change.in_force);
        missing.map(|change| change.claim.edge.to_string()).collect()
    }
}

impl Watch for Settling {
    fn wanted(&self) -> Rc<[usize]> {
        let waiting = self.changes.iter().filter(|change| !change.in_force);
        wanted(waiting.map(|change| change.claim.variant))
    }

    fn take(&mut self, outcome: &Outcome, sent: &Sent) {
        for change in &mut self.changes {
            change.take(outcome, sent.at);
        }
    }

    /// Has every edge changed?
    fn is_done(&self) -> bool {
        self.changes.iter().all(|change| change.in_force)
    }
}

impl Change {
    fn take(&mut self, outcome: &Outcome, sent: Instant) {
        let Seen::Hop(hop) = seen(&self.claim, outcome) else {
            return;
        };
        // A version that neither split knows says nothing about which of them is in force.
        if let Some(version) = self
            .claim
            .expected
            .as_ref()
            .and_then(|expected| expected.index_of(hop))
        {
            self.answers.push((version, sent));
            self.in_force = self.detector.observe(version);
        }
    }

    /// At the most likely change point.
    fn since(&self, alpha: f64) -> Option<Instant> {
        let versions: Vec<usize> = self.answers.iter().map(|(version, _)| *version).collect();
        let before = change_point(&versions, &self.old, &self.new, alpha).estimate;
        self.answers.get(before).map(|(_, sent)| *sent)
    }
}

/// The old split over the versions of the new one; `None` if nothing changes.
///
/// An old split that is not known (the first stage, an edge that had no traffic) is taken to be equal shares: most
/// splits are far from that, and one that is equal shares itself is judged at once.
fn old_split(old: Option<&Expected>, new: &Expected) -> Option<Split> {
    let same_versions = |old: &&Expected| {
        let names = |expected: &Expected| {
            expected
                .versions()
                .map(|(name, _)| name.to_owned())
                .collect::<Vec<_>>()
        };
        names(old) == names(new)
    };
    let old = match old.filter(same_versions) {
        Some(old) => old.split().clone(),
        None => Split::new(&vec![1.0; new.split().weights().len()]).ok()?,
    };
    let mut shares = old.weights().iter().zip(new.split().weights());
    shares.any(|(a, b)| (a - b).abs() > 1e-9).then_some(old)
}
