//! Goes from stage to stage under load that never pauses.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Orders;
use super::apply::ApplyError;
use crate::judge::{Conclusion, Judge, Terms};
use crate::progress::{Progress, Step};
use crate::referee::{Referee, until_done};
use crate::report::{Report, StageReport};
use crate::settle::Settling;
use crate::stats::InvalidGate;
use crate::stats::plan::Chance;
use crate::verify;

/// The walk so far; readable while it goes on.
pub(super) struct Walk<'a> {
    orders: &'a Orders,
    progress: &'a Progress,
    referee: Rc<RefCell<Referee>>,
    done: Rc<Notify>,
    now: RefCell<Option<Now>>,
    reports: RefCell<Vec<StageReport>>,
}

/// The stage that is being walked.
#[derive(Clone)]
struct Now {
    stage: usize,
    rollback: bool,
    in_force_after: Option<Duration>,
    judge: Rc<RefCell<Judge>>,
    /// What a reader of the verdict has to know.
    reason: Option<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(orders: &'a Orders, progress: &'a Progress, referee: Rc<RefCell<Referee>>) -> Self {
        let done = referee.borrow().done();
        Walk {
            orders,
            progress,
            referee,
            done,
            now: RefCell::new(None),
            reports: RefCell::new(Vec::new()),
        }
    }

    /// Every stage in order, as long as each is confirmed; then the load ends. Returns why the walk ended early.
    pub(super) async fn run(&self) -> Result<Option<String>, InvalidGate> {
        let reason = self.stages().await;
        self.referee.borrow_mut().end();
        reason
    }

    async fn stages(&self) -> Result<Option<String>, InvalidGate> {
        let count = self.orders.plan.stages.len();
        let back = (self.orders.return_to_first && count > 1).then_some(0);
        let mut confirmed = None;
        for stage in (0..count).chain(back) {
            let conclusion = self.stage(stage, confirmed, false).await?;
            if conclusion != Conclusion::Confirmed {
                return self.roll_back(stage, confirmed).await.map(Some);
            }
            confirmed = Some(stage);
        }
        Ok(None)
    }

    async fn roll_back(&self, failed: usize, confirmed: Option<usize>) -> Result<String, InvalidGate> {
        let failed = self.name(failed);
        match confirmed {
            _ if !self.orders.rollback_on_failure => Ok(format!("stopped at {failed}")),
            None => Ok(format!(
                "stopped at {failed}: there is no earlier stage to roll back to"
            )),
            Some(target) => {
                // What the failed stage left in force is not known.
                let conclusion = self.stage(target, None, true).await?;
                Ok(format!(
                    "{failed} was rolled back to {}: {conclusion}",
                    self.name(target)
                ))
            }
        }
    }

    /// Applies a stage, waits until it is in force, judges it. `before`: the stage that is known to be in force.
    async fn stage(
        &self,
        stage: usize,
        before: Option<usize>,
        rollback: bool,
    ) -> Result<Conclusion, InvalidGate> {
        let judge = Rc::new(RefCell::new(self.judge(stage)?));
        let mut now = Now {
            stage,
            rollback,
            in_force_after: None,
            judge: Rc::clone(&judge),
            reason: None,
        };
        self.now.replace(Some(now.clone()));
        match self.put_into_force(stage, before).await {
            Err(error) => now.reason = Some(error.to_string()),
            Ok(settled) => {
                (now.in_force_after, now.reason) = settled;
                self.now.replace(Some(now.clone()));
                self.referee.borrow_mut().assign(judge.clone());
                until_done(&judge, &self.done).await;
            }
        }
        self.now.replace(None);
        let report = self.report(&now);
        let conclusion = report.report.verdict;
        self.progress
            .line(&format!("{}: {}", report.stage, report.report.headline()));
        self.reports.borrow_mut().push(report);
        Ok(conclusion)
    }

    /// A walk has many verdicts, none of which should be missing: unless told otherwise it spends more on each than a
    /// single verification does.
    fn judge(&self, stage: usize) -> Result<Judge, InvalidGate> {
        let claims = &self.orders.plan.stages[stage].claims;
        let judge = Judge::new(claims.clone(), &self.orders.terms)?;
        if self.orders.terms.budget.is_some() {
            return Ok(judge);
        }
        let budget = Some(judge.plan(Chance::NearlyCertain));
        let terms = Terms {
            budget,
            ..self.orders.terms.clone()
        };
        Judge::new(claims.clone(), &terms)
    }

    /// How long after the end of the command the new split was first seen (`None`: nothing changes, or it was not
    /// seen), and what there is to say about it.
    async fn put_into_force(
        &self,
        stage: usize,
        before: Option<usize>,
    ) -> Result<(Option<Duration>, Option<String>), ApplyError> {
        let plan = &self.orders.plan;
        let before = before.and_then(|before| plan.claims_before(before, stage));
        let after = &plan.stages[stage];
        let settling = Settling::new(before.as_deref(), &after.claims, self.orders.terms.alpha);
        let settling = Rc::new(RefCell::new(settling));
        self.referee.borrow_mut().assign(settling.clone());
        self.orders.apply.run(&after.stage.path).await?;
        let accepted = Instant::now();
        let limit = self.orders.settle_within;
        if tokio::time::timeout(limit, until_done(&settling, &self.done))
            .await
            .is_ok()
        {
            let since = settling.borrow().since();
            return Ok((since.map(|since| since.saturating_duration_since(accepted)), None));
        }
        let missing = settling.borrow().missing().join(", ");
        let reason =
            format!("the new split was not seen within {limit:?} on {missing}; judged as it was then");
        Ok((None, Some(reason)))
    }

    fn report(&self, now: &Now) -> StageReport {
        let mut judge = now.judge.borrow_mut();
        let decision = judge.stop().clone();
        let mut report = Report::new(&judge, &decision);
        if now.reason.is_some() {
            report.reason.clone_from(&now.reason);
        }
        let (requests, errors) = self.referee.borrow_mut().take_counts();
        StageReport {
            stage: self.name(now.stage).to_owned(),
            rollback: now.rollback,
            in_force_after_seconds: now.in_force_after.map(|time| time.as_secs_f64()),
            change_requests: requests.saturating_sub(report.requests),
            change_errors: errors.saturating_sub(report.errors),
            report,
        }
    }

    /// All stages so far, the current one as far as it is known.
    pub(super) fn reports(&self) -> Vec<StageReport> {
        let mut reports = self.reports.borrow().clone();
        match &*self.now.borrow() {
            Some(now) => reports.push(self.report(now)),
            // What was in flight when the last verdict came.
            None => {
                let (requests, errors) = self.referee.borrow_mut().take_counts();
                if let Some(last) = reports.last_mut() {
                    last.change_requests += requests;
                    last.change_errors += errors;
                }
            }
        }
        reports
    }

    /// Where the walk is.
    pub(super) fn step(&self) -> Step {
        let now = self.now.borrow();
        let Some(now) = &*now else { return Step::default() };
        let judge = now.judge.borrow();
        let step = verify::step(&judge);
        let words = if judge.tally().requests() == 0 {
            "waiting for the new split"
        } else {
            &step.message
        };
        Step {
            position: step.position,
            message: format!("{}: {words}", self.name(now.stage)),
        }
    }

    fn name(&self, stage: usize) -> &str {
        &self.orders.plan.stages[stage].stage.name
    }
}
