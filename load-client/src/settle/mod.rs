//! When is a new stage in force? Not after some seconds: when the answers say so.
//!
//! Every proxy changes at its own time, so each edge whose declared split changes has a detector for each caller that
//! the answers tell apart. The stage is in force when all have gone off; what is judged is sent after that, so the
//! requests that showed the change are not counted as evidence for it.

mod edge;

use std::rc::Rc;
use std::time::Instant;

use edge::Change;

use crate::expect::{Claim, Expected};
use crate::judge::wanted;
use crate::outcome::Outcome;
use crate::referee::{Sent, Watch};
use crate::stats::Split;

/// The edges that change.
#[derive(Debug)]
pub(crate) struct Settling {
    changes: Vec<Change>,
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
        let change = |(claim, old_is_known, old, new)| Change::new(claim, old_is_known, old, new, alpha);
        Settling {
            changes: splits.into_iter().map(change).collect(),
        }
    }

    /// When the first request was sent that saw the new split everywhere; `None` if no edge changes, or none that had
    /// a known split before: an edge that only now gets traffic says when that came, not when its rules changed.
    pub(crate) fn since(&self) -> Option<Instant> {
        let known = self.changes.iter().filter(|change| change.old_is_known());
        known.filter_map(Change::since).max()
    }

    /// Edges that have not been seen to change, each with the callers that still see the old split, for people.
    pub(crate) fn missing(&self) -> Vec<String> {
        let missing = self.changes.iter().filter(|change| !change.in_force());
        missing.map(ToString::to_string).collect()
    }
}

impl Watch for Settling {
    fn wanted(&self) -> Rc<[usize]> {
        let waiting = self.changes.iter().filter(|change| !change.in_force());
        wanted(waiting.map(Change::variant))
    }

    fn take(&mut self, outcome: &Outcome, sent: &Sent) {
        for change in &mut self.changes {
            change.take(outcome, sent.at);
        }
    }

    /// Has every edge changed?
    fn is_done(&self) -> bool {
        self.changes.iter().all(Change::in_force)
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
