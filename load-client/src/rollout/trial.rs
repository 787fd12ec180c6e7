//! A stage that is in force, while it is judged on every path.

use std::rc::Rc;
use std::time::Duration;

use super::Plan;
use super::comparison::{Comparison, edge_by_edge, hop_by_hop};
use crate::cause::Knowledge;
use crate::expect::Claim;
use crate::judge::{Conclusion, Judge, Terms};
use crate::outcome::Outcome;
use crate::referee::{Sent, Watch};
use crate::report::{EdgeReport, ErrorReport, Report};
use crate::stats::InvalidGate;
use crate::stats::plan::Chance;

/// The judgement of the load that never pauses, what a client inside the mesh found, and the error gate over both.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) judge: Judge,
    /// Of the load that never pauses: goes on after the verdict.
    outside: Vec<Comparison>,
    inside: Vec<Comparison>,
    /// On which terms the client inside judges; it is never fed. `None`: there is no such client.
    pub(super) inside_judge: Option<Rc<Judge>>,
    pub(super) inside_report: Option<Report>,
    /// What could be in force instead of the stage.
    pub(super) knowledge: Knowledge,
}

impl Trial {
    /// A stage of the plan. `before`: the stage that is in force until then, if that is known.
    ///
    /// The probability of a wrong verdict is shared by all edges of all paths, and the same once more by all
    /// comparisons of the error gate.
    ///
    /// # Errors
    /// No verdict can be reached on these terms.
    pub(super) fn new(
        plan: &Plan,
        stage: usize,
        before: Option<usize>,
        terms: &Terms,
    ) -> Result<Self, InvalidGate> {
        let planned = &plan.stages[stage];
        let (claims, inside_claims) = (&planned.claims, &planned.inside_claims);
        let all = edges(claims) + edges(inside_claims);
        let part = |claims| Terms {
            alpha: terms.alpha * edges(claims) / all,
            ..terms.clone()
        };
        let asked = plan.asks_inside();
        let inside_judge = asked.then(|| judge(inside_claims, part(inside_claims)));
        let old = before.and_then(|before| plan.claims_before(before, stage));
        let inside_old = before.and_then(|before| plan.inside_claims_before(before, stage));
        let mut trial = Trial {
            judge: judge(claims, part(claims))?,
            inside_judge: inside_judge.transpose()?.map(Rc::new),
            outside: hop_by_hop(plan.path(), claims, old.as_deref()),
            inside: edge_by_edge(plan.inside_path(), inside_claims, inside_old.as_deref()),
            inside_report: None,
            knowledge: plan.knowledge(stage, before),
        };
        let all = u32::try_from(trial.outside.len() + trial.inside.len()).unwrap_or(u32::MAX);
        for comparison in trial.outside.iter_mut().chain(&mut trial.inside) {
            comparison.set_alpha(terms.alpha / f64::from(all));
        }
        Ok(trial)
    }

    /// For the error gate, on the load of this client, an answer that takes longer is a failure. What a client inside the mesh counts
    /// are failures alone.
    #[must_use]
    pub(super) fn with_slower_than(mut self, limit: Option<Duration>) -> Self {
        for comparison in &mut self.outside {
            comparison.set_slower_than(limit);
        }
        self
    }

    /// Takes in what a client inside the mesh found.
    pub(super) fn take_inside(&mut self, report: Report) {
        for comparison in &mut self.inside {
            let same = |edge: &&EdgeReport| edge.edge == *comparison.edge();
            if let Some(edge) = report.edges.iter().find(same) {
                comparison.take_counts(edge);
            }
        }
        self.inside_report = Some(report);
    }

    /// The comparison that found the new versions to fail more often. A split that is not as declared makes the shares
    /// wrong that the failures are compared with: then there is no alarm on its path.
    pub(super) fn alarm(&self) -> Option<ErrorReport> {
        let outside = self.judge.decision_so_far().map(|decision| decision.conclusion);
        let inside = self.inside_report.as_ref().map(|report| report.verdict);
        let sound = |of: Option<Conclusion>| !matches!(of, Some(Conclusion::Violation | Conclusion::Leak));
        let outside = self.outside.iter().filter(|_| sound(outside));
        let inside = self.inside.iter().filter(|_| sound(inside));
        let loud = outside.chain(inside).filter(|comparison| comparison.alarm());
        loud.map(Comparison::report)
            .max_by(|a, b| a.log_e.total_cmp(&b.log_e))
    }

    /// All comparisons.
    pub(super) fn errors(&self) -> Vec<ErrorReport> {
        let all = self.outside.iter().chain(&self.inside);
        all.map(Comparison::report).collect()
    }
}

/// Edges that are used.
fn edges(claims: &[Claim]) -> f64 {
    let used = claims.iter().filter(|claim| claim.expected.is_some());
    used.map(|_| 1.0).sum()
}

/// A walk has many verdicts, none of which should be missing: unless told otherwise it spends more on each than a
/// single verification does.
fn judge(claims: &[Claim], terms: Terms) -> Result<Judge, InvalidGate> {
    let judge = Judge::new(claims.to_vec(), &terms)?;
    if terms.budget.is_some() {
        return Ok(judge);
    }
    let budget = Some(judge.plan(Chance::NearlyCertain));
    Judge::new(claims.to_vec(), &Terms { budget, ..terms })
}

impl Watch for Trial {
    fn wanted(&self) -> Rc<[usize]> {
        self.judge.wanted()
    }

    fn take(&mut self, outcome: &Outcome, sent: &Sent) {
        self.judge.take(outcome);
        for comparison in &mut self.outside {
            comparison.take(outcome, &sent.from);
        }
    }

    /// Is there a verdict on the load that never pauses?
    fn is_done(&self) -> bool {
        self.judge.is_done() || self.outside.iter().any(Comparison::alarm)
    }
}
