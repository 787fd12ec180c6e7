//! Many cases side by side. Cases about time get fewer neighbours.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::case::{Action, Case, Observed};
use crate::compare::Difference;
use crate::corpus::Found;
use crate::mesh::Setup;
use crate::place::Place;
use crate::replay::{Verdict, replay};
use crate::steady::{STALL, Steady};

/// Cases at once, when none of them is about time: most of the time they wait for one another's sockets.
pub const JOBS: usize = 8;

/// How often a case about time is measured, if the machine did not keep time.
const MEASUREMENTS: usize = 4;

/// Replays all cases; `ended` hears of each as it ends.
///
/// First those that time does not matter to, `jobs` at once, then, half as many at once, the others.
pub async fn replay_all(
    cases: Vec<Found>,
    setup: &Setup,
    jobs: usize,
    mut ended: impl FnMut(&str, &Verdict),
) -> BTreeMap<String, Verdict> {
    let (timed, plain): (Vec<Found>, Vec<Found>) = cases.into_iter().partition(|found| is_timed(&found.case));
    let mut verdicts = BTreeMap::new();
    let steady = Arc::new(Steady::new());
    for (cases, jobs) in [
        (by_address(plain), jobs),
        (longest_first(timed), jobs.div_ceil(2)),
    ] {
        let permits = Arc::new(Semaphore::new(jobs));
        let mut tasks = JoinSet::new();
        for Found { id, case } in cases {
            let (permits, setup, steady) = (permits.clone(), setup.clone(), steady.clone());
            tasks.spawn(async move {
                // The semaphore is never closed.
                let _permit = permits.acquire_owned().await;
                let verdict = measured(&case, &setup, &steady).await;
                (id, verdict)
            });
        }
        while let Some(done) = tasks.join_next().await {
            // A panic is a fault of this program; the case is then missing from the report, which says so.
            let Ok((id, verdict)) = done else { continue };
            ended(&id, &verdict);
            verdicts.insert(id, verdict);
        }
    }
    verdicts
}

/// Replays a case. One about time that differs while the machine stood still was not measured: it is replayed again,
/// and if that never goes well, the report says why.
async fn measured(case: &Case, setup: &Setup, steady: &Steady) -> Verdict {
    let mut measurement = 1;
    loop {
        let started = Instant::now();
        let verdict = replay(case, setup).await;
        let stall = steady.longest_since(started);
        match verdict {
            Verdict::Differs(mut differences) if is_timed(case) && stall >= STALL => {
                if measurement < MEASUREMENTS {
                    measurement += 1;
                    continue;
                }
                let stood = format!("a machine that stood still for {:.2} s", stall.as_secs_f64());
                differences.insert(0, Difference::new("time", "a machine that keeps it", stood));
                return Verdict::Differs(differences);
            }
            verdict => return verdict,
        }
    }
}

/// Whether the answer depends on when things happen.
fn is_timed(case: &Case) -> bool {
    let in_steps = case.steps.iter().any(|step| match &step.action {
        Action::Wait(_) => true,
        Action::Send(asked) => {
            asked.stagger.is_some()
                || asked.parallel > 1
                || matches!(&asked.observed, Observed::One(one) if one.seconds.is_some())
        }
        _ => false,
    });
    in_steps
        || case
            .workloads
            .iter()
            .any(|workload| workload.behaviour.takes_time())
}

/// Addresses follow from a digest: neighbours in this order are of different topics and seldom share an address.
fn by_address(mut cases: Vec<Found>) -> Vec<Found> {
    cases.sort_by_key(|found| (Place::of(&found.case).client(), found.id.clone()));
    cases
}

/// So that no long one is left at the end.
fn longest_first(mut cases: Vec<Found>) -> Vec<Found> {
    cases.sort_by(|one, other| seconds(&other.case).total_cmp(&seconds(&one.case)));
    cases
}

/// How long a case waits, as far as its file says.
fn seconds(case: &Case) -> f64 {
    let steps = case.steps.iter().map(|step| match &step.action {
        Action::Wait(seconds) => *seconds,
        Action::Send(asked) => match &asked.observed {
            Observed::One(one) => one.seconds.unwrap_or_default(),
            Observed::Many(_) => 0.0,
        },
        _ => 0.0,
    });
    steps.sum()
}
