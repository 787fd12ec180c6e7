//! Judges every edge of a call chain from the outcomes of requests, in dispatch order.
//!
//! The probability of error is shared by the edges that are used. Evidence is looked at after every request up to
//! 1,000 and then whenever there is one percent more: the verdict is valid at any look, and later looks see little new.

mod counts;
mod decision;
mod edge;
mod hopeless;
mod sticky;
mod tally;
mod why;

use std::rc::Rc;

use crate::expect::Claim;
use crate::outcome::Outcome;
use crate::stats::plan::Chance;
use crate::stats::{FailOn, Gate, InvalidGate, Verdict};

use serde::{Deserialize, Serialize};

pub use counts::{Answers, EdgeCounts, InvalidCounts};
pub use decision::{Conclusion, Decision};
pub use edge::EdgeState;
pub(crate) use edge::{Seen, is_error, lack, seen};
pub use sticky::Sticky;
pub use tally::Tally;

/// Requests up to which each one is looked at.
const EVERY_REQUEST: u64 = 1_000;
/// Requests after a verdict that something is wrong: they are not counted for it, and tell more about why.
const TO_SEE_WHY: u64 = 300;

/// On which terms to judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Probability of a wrong verdict, for all edges together.
    pub alpha: f64,
    /// Accepted difference of a share on the first hop (0.02 is two percentage points).
    pub tolerance: f64,
    /// The same on the second hop, which fewer requests speak about.
    pub hop_tolerance: f64,
    /// Which deviation is a violation.
    pub fail_on: FailOn,
    /// Requests after which it stays undecided; `None`: what a 99 % chance to decide takes.
    pub budget: Option<u64>,
    /// Where the versions are read, as `--version-from` takes it, for messages.
    pub version_source: String,
    /// Requests with one key, of which the first counts; 1 if each request is a unit of its own.
    pub per_unit: u64,
    /// The key with which a version has to stay, as `--sticky` takes it; `None`: nothing is said about that.
    pub sticky: Option<String>,
}

/// The state of a judgement.
#[derive(Debug)]
pub struct Judge {
    edges: Vec<EdgeState>,
    terms: Terms,
    budget: u64,
    tally: Tally,
    next_look: u64,
    decision: Option<Decision>,
    /// Requests since the decision.
    later: u64,
    sticky: Sticky,
}

/// Indices of requests, each once, in their order; the plain one if there are none.
pub(crate) fn wanted(variants: impl Iterator<Item = usize>) -> Rc<[usize]> {
    let mut wanted: Vec<usize> = variants.collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        wanted.push(0);
    }
    wanted.into()
}

impl Judge {
    /// Nothing taken in yet.
    ///
    /// # Errors
    /// Alpha or a tolerance is not between 0 and 1.
    pub fn new(claims: Vec<Claim>, terms: &Terms) -> Result<Self, InvalidGate> {
        let used = claims.iter().filter(|claim| claim.expected.is_some()).count();
        let streams = used + usize::from(terms.sticky.is_some());
        let gate = |tolerance| Ok(Gate::new(terms.alpha, tolerance, terms.fail_on)?.shared_by(streams));
        let (first, second) = (gate(terms.tolerance)?, gate(terms.hop_tolerance)?);
        let edge = |claim: Claim| {
            let gate = if claim.given.is_some() { second } else { first };
            EdgeState::new(claim, gate)
        };
        let mut judge = Self {
            edges: claims.into_iter().map(edge).collect(),
            terms: terms.clone(),
            budget: 0,
            tally: Tally::default(),
            next_look: 1,
            decision: None,
            later: 0,
            sticky: Sticky::default(),
        };
        judge.budget = terms.budget.unwrap_or_else(|| judge.plan(Chance::High));
        Ok(judge)
    }

    /// Takes in what became of the next request in dispatch order. Once there is a decision it stands, and what comes
    /// after it is not counted, but it is looked at for a cause.
    pub fn take(&mut self, outcome: &Outcome) -> Option<&Decision> {
        if !self.is_done() {
            let decided = self.decision.is_some();
            let first = self.terms.per_unit <= 1 || self.sticky.take(outcome);
            for edge in self.edges.iter_mut().filter(|_| first) {
                edge.record(outcome, !decided);
            }
            if decided {
                self.later += 1;
            } else {
                self.tally.record(outcome);
                self.decision = self.decide();
            }
        }
        self.decision.as_ref()
    }

    /// Takes in the next outcome without looking at the evidence: who has fixed beforehand what is sent looks once, with
    /// [`Judge::stop`].
    pub fn record(&mut self, outcome: &Outcome) {
        for edge in &mut self.edges {
            edge.record(outcome, true);
        }
        self.tally.record(outcome);
    }

    /// Whether there is a decision and more requests would not tell more: when something is wrong, some more are wanted
    /// to see why.
    pub fn is_done(&self) -> bool {
        match self.decision.as_ref().map(|decision| decision.conclusion) {
            None => false,
            Some(Conclusion::Violation | Conclusion::Leak) => self.later >= TO_SEE_WHY,
            Some(_) => true,
        }
    }

    /// Ends the judgement where it is: at the budget, or because somebody wants to stop.
    pub fn stop(&mut self) -> &Decision {
        if self.decision.is_none() {
            self.look();
        }
        let decision = self
            .decision
            .take()
            .or_else(|| self.verdict())
            .unwrap_or_else(|| self.give_up());
        self.decision.insert(decision)
    }

    fn decide(&mut self) -> Option<Decision> {
        let taken = self.tally.requests();
        let leaked = self.edges.iter().any(EdgeState::leaked);
        let due = taken >= self.next_look || taken >= self.budget || leaked;
        if due {
            self.next_look = if taken < EVERY_REQUEST {
                taken + 1
            } else {
                taken + taken / 100
            };
            self.look();
            if let Some(decision) = self.verdict() {
                return Some(decision);
            }
        }
        let hopeless = hopeless::reason(&self.tally, &self.edges, &self.terms.version_source);
        if let Some(reason) = hopeless {
            return Some(self.decision(Conclusion::CouldNotMeasure, Some(reason)));
        }
        (taken >= self.budget).then(|| self.give_up())
    }

    fn look(&mut self) {
        for edge in &mut self.edges {
            edge.look();
        }
    }

    /// The worst verdict of an edge if it is final, or CONFIRMED when all are.
    fn verdict(&self) -> Option<Decision> {
        let mut verdicts = self.edges.iter().filter_map(EdgeState::verdict);
        let any = |wanted| self.edges.iter().any(|edge| edge.verdict() == Some(wanted));
        if self.sticky.flips() > 0 && self.terms.sticky.is_some() {
            return Some(self.decision(Conclusion::Violation, Some(self.flips())));
        }
        let conclusion = if any(Verdict::Leak) {
            Conclusion::Leak
        } else if any(Verdict::Violation) {
            Conclusion::Violation
        } else if verdicts.all(|verdict| verdict == Verdict::Confirmed) && self.stays() {
            Conclusion::Confirmed
        } else {
            return None;
        };
        Some(self.decision(conclusion, None))
    }

    /// Whether versions stay with keys as far as that is asked.
    fn stays(&self) -> bool {
        let bound = || self.sticky.bound(self.sticky_alpha());
        self.terms.sticky.is_none() || bound().is_some_and(|bound| bound <= self.terms.tolerance)
    }

    /// The part of the probability of a wrong verdict that stickiness has.
    pub fn sticky_alpha(&self) -> f64 {
        let used = self.edges.iter().filter(|edge| edge.expected().is_some()).count();
        self.terms.alpha / f64::from(u32::try_from(used + 1).unwrap_or(u32::MAX))
    }

    fn flips(&self) -> String {
        let key = self.terms.sticky.as_deref().unwrap_or_default();
        format!("the version changes although {key} stays the same")
    }

    fn give_up(&self) -> Decision {
        let (conclusion, reason) = hopeless::at_the_end(&self.tally, &self.edges, &self.terms.version_source);
        self.decision(conclusion, Some(reason))
    }

    fn decision(&self, conclusion: Conclusion, reason: Option<String>) -> Decision {
        Decision {
            conclusion,
            requests: self.tally.requests(),
            reason,
        }
    }

    /// The requests that an undecided edge waits for, each once; the plain one if none does.
    pub fn wanted(&self) -> Rc<[usize]> {
        let decided = self.decision.is_some();
        let wrong = |edge: &EdgeState| matches!(edge.verdict(), Some(Verdict::Violation | Verdict::Leak));
        let open = self
            .edges
            .iter()
            .filter(|edge| if decided { wrong(edge) } else { edge.is_open() });
        wanted(open.map(EdgeState::variant))
    }

    /// Requests after which everything is decided with this chance if all is as declared: for each request of the
    /// mix what its slowest edge takes, together.
    pub fn plan(&self, chance: Chance) -> u64 {
        let variants = self.edges.iter().map(EdgeState::variant).max().unwrap_or(0);
        let needed = |variant| {
            let edges = self.edges.iter().filter(move |edge| edge.variant() == variant);
            edges
                .filter_map(|edge| edge.plan(self.traffic(edge), chance))
                .max()
                .unwrap_or(0)
        };
        let units = (0..=variants).map(needed).fold(0, u64::saturating_add);
        let per_unit = self.terms.per_unit.max(1);
        let repeats = if self.terms.sticky.is_some() {
            self.repeats_needed()
        } else {
            0
        };
        units
            .max(repeats / (per_unit - 1).max(1) + 1)
            .saturating_mul(per_unit)
    }

    /// Answers to a key after its first that show that versions stay.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
    fn repeats_needed(&self) -> u64 {
        (self.sticky_alpha().ln() / (-self.terms.tolerance).ln_1p()).ceil() as u64
    }

    /// The part of the requests of its variant that reach an edge.
    pub fn traffic(&self, edge: &EdgeState) -> f64 {
        let first = self
            .edges
            .iter()
            .find(|first| first.variant() == edge.variant() && first.given().is_none());
        match (edge.given(), first) {
            (Some(version), Some(first)) => first.share_of(version),
            _ => 1.0,
        }
    }

    /// Requests after which it stays undecided.
    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// Every edge, used or not.
    pub fn edges(&self) -> &[EdgeState] {
        &self.edges
    }

    /// What was counted, for all edges together.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Version flips per key, when requests come in units.
    pub fn sticky(&self) -> &Sticky {
        &self.sticky
    }

    /// On which terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The decision, once there is one.
    pub fn decision_so_far(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }
}
