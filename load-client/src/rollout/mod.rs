//! `rollout`: apply a stage, wait until it is in force, judge every edge, go on or roll back.
//!
//! Load runs from the first apply to the last verdict over connections that stay open, so that a request that a
//! change drops is seen. Meanwhile a client inside the mesh can judge the same stage. A stage is confirmed when every
//! edge of every path is, and the error gate is silent.

mod apply;
mod command;
mod comparison;
mod inside;
mod plan;
mod read_back;
mod stages;
mod trial;
mod walk;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

pub use apply::ApplyError;
pub use command::{CommandLine, InvalidCommand};
pub use inside::{Inside, InsideError};
pub use plan::{InvalidPlan, Plan};
pub use stages::{InvalidStages, Stage, stages};

use crate::dashboard::Event;
use crate::judge::Terms;
use crate::load::{Load, LoadError};
use crate::mesh_state::MeshTools;
use crate::progress::Progress;
use crate::referee::Referee;
use crate::report::{Outcome, RolloutReport};
use crate::stats::InvalidGate;
use walk::Walk;

/// What to walk, and on which terms.
#[derive(Debug)]
pub struct Orders {
    /// The stages.
    pub plan: Plan,
    /// Puts a stage into force.
    pub apply: CommandLine,
    /// Judges each stage from inside the mesh as well; its chain is that of the plan.
    pub inside: Option<Inside>,
    /// Reads back at each stage what the proxies hold.
    pub mesh: Option<MeshTools>,
    /// For each stage, all paths together.
    pub terms: Terms,
    /// For the error gate an answer that takes longer than this is a failure, too.
    pub slower_than: Option<Duration>,
    /// How long after the end of the command the new split may take to be seen. Then the stage is judged as it is.
    pub settle_within: Duration,
    /// Apply and verify the last confirmed stage if one fails.
    pub rollback_on_failure: bool,
    /// Walk back to the first stage at the end.
    pub return_to_first: bool,
}

/// The walk could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// Nobody listens, say.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No verdict can be reached on these terms.
    #[error(transparent)]
    Gate(#[from] InvalidGate),
}

/// Walks the stages under `load`, whose requests are [`Plan::requests`]. Ctrl-C ends it; what is known then is
/// reported, with a reason. Runs inside a `LocalSet`.
///
/// # Errors
/// Load could not be started, or the terms are none. A stage that fails is no error: the report says so.
pub async fn rollout(
    orders: &Orders,
    load: &Load,
    progress: &Progress,
) -> Result<RolloutReport, RolloutError> {
    let referee = Rc::new(RefCell::new(Referee::new(None, load.seed)));
    let walk = Walk::new(orders, progress, Rc::clone(&referee));
    let under_load = async {
        let sink = progress.live().tap(referee);
        let driven = async { load.drive(sink).await.map_err(RolloutError::from) };
        let walked = async { walk.run().await.map_err(RolloutError::from) };
        futures_util::future::try_join(driven, walked)
            .await
            .map(|((), ended)| ended)
    };
    let interrupted = || (Outcome::Interrupted, Some("interrupted".to_owned()));
    let (outcome, reason) = tokio::select! {
        ended = under_load => ended?,
        () = progress.follow(|| walk.step()) => interrupted(),
        () = progress.live().follow(|| walk.edges()) => interrupted(),
        _ = tokio::signal::ctrl_c() => interrupted(),
    };
    progress.clear();
    let report = RolloutReport::new(walk.reports(), outcome, reason);
    progress.live().tell(|| Event::Ended {
        verdict: Some(report.verdict),
        text: report.headline(),
    });
    Ok(report)
}
