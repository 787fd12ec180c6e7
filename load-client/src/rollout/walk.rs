//! Goes from stage to stage under load that never pauses.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Orders;
use super::apply::{ApplyError, apply};
use super::read_back::{NotRead, ReadBack, StageReading};
use super::trial::Trial;
use crate::cause::Lack;
use crate::dashboard::{EdgeNow, Event, Judged};
use crate::judge::{Conclusion, Decision, Judge};
use crate::progress::{Progress, Step};
use crate::referee::{Referee, until_done};
use crate::report::{Outcome, Report, StageReport};
use crate::settle::Settling;
use crate::stats::InvalidGate;
use crate::verify;

/// The walk so far; readable while it goes on.
pub(super) struct Walk<'a> {
    orders: &'a Orders,
    progress: &'a Progress,
    read_back: Option<ReadBack<'a>>,
    referee: Rc<RefCell<Referee>>,
    done: Rc<Notify>,
    now: RefCell<Option<Now>>,
    reports: RefCell<Vec<StageReport>>,
}

/// The stage that is being walked.
struct Now {
    stage: usize,
    began: Instant,
    rollback: bool,
    in_force_after: Option<Duration>,
    /// It is in force, and requests are judged.
    judging: bool,
    trial: Rc<RefCell<Trial>>,
    /// What a reader of the verdict has to know.
    reason: Option<String>,
}

/// For people: `503`, `timeout`.
fn named(with: &BTreeMap<Lack, u64>) -> BTreeMap<String, u64> {
    with.iter()
        .map(|(lack, count)| (lack.to_string(), *count))
        .collect()
}

/// How the walk ended, and why if it did before its last stage.
pub(super) type Ended = (Outcome, Option<String>);

impl<'a> Walk<'a> {
    pub(super) fn new(orders: &'a Orders, progress: &'a Progress, referee: Rc<RefCell<Referee>>) -> Self {
        let done = referee.borrow().done();
        Walk {
            orders,
            progress,
            read_back: orders
                .mesh
                .as_ref()
                .map(|tools| ReadBack::new(tools, orders.settle_within)),
            referee,
            done,
            now: RefCell::new(None),
            reports: RefCell::new(Vec::new()),
        }
    }

    /// Every stage in order, as long as each is confirmed; then the load ends.
    pub(super) async fn run(&self) -> Result<Ended, InvalidGate> {
        let ended = self.stages().await;
        self.referee.borrow_mut().end();
        ended
    }

    async fn stages(&self) -> Result<Ended, InvalidGate> {
        self.progress.live().tell(|| self.begun());
        let mut confirmed = Vec::new();
        for stage in self.planned() {
            let conclusion = self.stage(stage, confirmed.last().copied(), false).await?;
            if conclusion != Conclusion::Confirmed {
                return self.roll_back(stage, conclusion, &confirmed).await;
            }
            confirmed.push(stage);
        }
        Ok((Outcome::Promoted, None))
    }

    /// Back to the last confirmed stage; further back if the error gate says that the new version fails there as well.
    async fn roll_back(
        &self,
        failed: usize,
        conclusion: Conclusion,
        confirmed: &[usize],
    ) -> Result<Ended, InvalidGate> {
        let failed = self.name(failed);
        if !self.orders.rollback_on_failure {
            return Ok((Outcome::Stopped, Some(format!("stopped at {failed}"))));
        }
        let (outcome, by) = match conclusion {
            Conclusion::Errors => (Outcome::RolledBackByErrorGate, " by the error gate"),
            _ => (Outcome::RolledBack, ""),
        };
        let mut ended = (
            Outcome::Stopped,
            format!("stopped at {failed}: there is no earlier stage to roll back to"),
        );
        for &target in confirmed.iter().rev() {
            // What the failed stage left in force is not known.
            let conclusion = self.stage(target, None, true).await?;
            let reason = format!(
                "{failed} was rolled back to {}{by}: {conclusion}",
                self.name(target)
            );
            let restored = conclusion == Conclusion::Confirmed;
            ended = (
                if restored {
                    outcome
                } else {
                    Outcome::RollbackFailed
                },
                reason,
            );
            if conclusion != Conclusion::Errors {
                break;
            }
        }
        let (outcome, reason) = ended;
        Ok((outcome, Some(reason)))
    }

    /// Applies a stage, waits until it is in force, judges it. `before`: the stage that is known to be in force.
    async fn stage(
        &self,
        stage: usize,
        before: Option<usize>,
        rollback: bool,
    ) -> Result<Conclusion, InvalidGate> {
        let trial = Trial::new(&self.orders.plan, stage, before, &self.orders.terms)?;
        let trial = Rc::new(RefCell::new(trial.with_slower_than(self.orders.slower_than)));
        self.now.replace(Some(Now {
            stage,
            began: Instant::now(),
            rollback,
            in_force_after: None,
            judging: false,
            trial: Rc::clone(&trial),
            reason: None,
        }));
        self.progress.live().tell(|| Event::Applying {
            stage: self.name(stage).to_owned(),
            rollback,
        });
        let mut read = None;
        match self.put_into_force(stage, before).await {
            Err(error) => self.note(|now| now.reason = Some(error.to_string())),
            Ok(settled) => {
                let in_force_after = settled.0;
                self.note(|now| (now.in_force_after, now.reason) = settled);
                self.progress.live().tell(|| Event::Judging { in_force_after });
                read = self.judge_and_read(stage, &trial).await;
            }
        }
        let Some(mut report) = self.now.take().map(|now| self.report(&now)) else {
            return Ok(Conclusion::CouldNotMeasure);
        };
        if let (Some(back), Some(read)) = (&self.read_back, read) {
            report.held = Some(back.held(read, &report.paths[0].edges).await);
        }
        let conclusion = report.verdict;
        self.progress
            .line(&format!("{}: {}", report.stage, report.headline()));
        self.progress.live().tell(|| Event::Judged(Judged::from(&report)));
        self.reports.borrow_mut().push(report);
        Ok(conclusion)
    }

    /// Until there is a verdict; if the proxies are read back, until they have been.
    async fn judge_and_read(
        &self,
        stage: usize,
        trial: &Rc<RefCell<Trial>>,
    ) -> Option<Result<StageReading, NotRead>> {
        let judge = async {
            self.note(|now| now.judging = true);
            self.referee.borrow_mut().assign(trial.clone());
            self.judge(stage, trial).await;
        };
        let Some(back) = &self.read_back else {
            judge.await;
            return None;
        };
        let questions = self.orders.plan.questions(stage);
        let alarm = || trial.borrow().alarm().is_some();
        Some(back.during(questions, judge, alarm).await)
    }

    fn note(&self, what: impl FnOnce(&mut Now)) {
        if let Some(now) = &mut *self.now.borrow_mut() {
            what(now);
        }
    }

    /// Until there is a verdict on every path, or an alarm of the error gate. A violation on one path waits for the
    /// others: whether it is one path or all tells much about the cause.
    async fn judge(&self, stage: usize, trial: &RefCell<Trial>) {
        let judge = trial.borrow().inside_judge.clone();
        let mut waiting = judge.is_some();
        let mut inside = pin!(self.inside(stage, judge));
        loop {
            let decided = trial.borrow().judge.is_done();
            if (decided && !waiting) || trial.borrow().alarm().is_some() {
                return;
            }
            tokio::select! {
                () = self.done.notified() => {}
                report = &mut inside, if waiting => {
                    waiting = false;
                    trial.borrow_mut().take_inside(report);
                }
            }
        }
    }

    /// What a client inside the mesh finds, on the terms of `judge`.
    async fn inside(&self, stage: usize, judge: Option<Rc<Judge>>) -> Report {
        let (Some(inside), Some(judge)) = (&self.orders.inside, judge) else {
            return std::future::pending().await;
        };
        let plan = &self.orders.plan;
        let folder = &plan.stages[stage].stage.path;
        let report = inside.verify(folder, judge.terms().alpha, judge.budget()).await;
        report.unwrap_or_else(|error| {
            let decision = Decision {
                conclusion: Conclusion::CouldNotMeasure,
                requests: 0,
                reason: Some(error.to_string()),
            };
            Report::new(plan.inside_path(), &judge, &decision)
        })
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
        apply(&self.orders.apply, &after.stage.path).await?;
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
        let mut trial = now.trial.borrow_mut();
        let alarm = trial.alarm();
        let decision = trial.judge.stop().clone();
        let report = Report::new(self.orders.plan.path(), &trial.judge, &decision);
        let mut paths = vec![report.explained(&trial.judge, &trial.knowledge)];
        paths.extend(trial.inside_report.clone());
        let found = alarm.iter().map(|_| Conclusion::Errors);
        let verdicts = paths.iter().map(|path| path.verdict).chain(found);
        let mut counts = self.referee.borrow_mut().take_counts();
        if !now.judging {
            counts = counts.all_before();
        }
        StageReport {
            stage: self.name(now.stage).to_owned(),
            rollback: now.rollback,
            verdict: Conclusion::worst(verdicts).unwrap_or(Conclusion::CouldNotMeasure),
            reason: alarm.map(|alarm| alarm.to_string()).or(now.reason.clone()),
            in_force_after_seconds: now.in_force_after.map(|time| time.as_secs_f64()),
            seconds: now.began.elapsed().as_secs_f64(),
            change_requests: counts.before.requests,
            change_errors: counts.before.errors,
            change_errors_with: named(&counts.before.with),
            later_requests: counts.since.requests.saturating_sub(paths[0].requests),
            later_errors: counts.since.errors.saturating_sub(paths[0].errors),
            paths,
            gates: trial.errors(),
            held: None,
        }
    }

    /// All stages so far, the current one as far as it is known.
    pub(super) fn reports(&self) -> Vec<StageReport> {
        let mut reports = self.reports.borrow().clone();
        match &*self.now.borrow() {
            Some(now) => reports.push(self.report(now)),
            // What was in flight when the last verdict came.
            None => {
                let rest = self.referee.borrow_mut().take_counts().all_before().before;
                if let Some(last) = reports.last_mut() {
                    last.later_requests += rest.requests;
                    last.later_errors += rest.errors;
                }
            }
        }
        reports
    }

    /// Where the walk is.
    pub(super) fn step(&self) -> Step {
        let now = self.now.borrow();
        let Some(now) = &*now else { return Step::default() };
        let trial = now.trial.borrow();
        let step = verify::step(&trial.judge);
        let waiting = trial.inside_judge.is_some() && trial.inside_report.is_none();
        let words = if trial.judge.tally().requests() == 0 {
            "waiting for the new split"
        } else if waiting && trial.judge.decision_so_far().is_some() {
            "waiting for the verdict from inside the mesh"
        } else {
            &step.message
        };
        Step {
            position: step.position,
            message: format!("{}: {words}", self.name(now.stage)),
        }
    }

    /// The edges that are judged by the load that never pauses, as of now.
    pub(super) fn edges(&self) -> Vec<EdgeNow> {
        let now = self.now.borrow();
        let judged = now.as_ref().filter(|now| now.judging);
        judged.map_or_else(Vec::new, |now| {
            EdgeNow::all(self.orders.plan.path(), &now.trial.borrow().judge)
        })
    }

    /// The stages in the order in which they are walked if each is confirmed.
    fn planned(&self) -> impl Iterator<Item = usize> {
        let count = self.orders.plan.stages.len();
        let back = (self.orders.return_to_first && count > 1).then_some(0);
        (0..count).chain(back)
    }

    fn begun(&self) -> Event {
        Event::Begun {
            path: self.orders.plan.path(),
            stages: self.planned().map(|stage| self.name(stage).to_owned()).collect(),
        }
    }

    fn name(&self, stage: usize) -> &str {
        &self.orders.plan.stages[stage].stage.name
    }
}
