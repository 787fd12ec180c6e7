//! `verify`: one judgement of what is in force now.

use std::cell::RefCell;
use std::rc::Rc;

use crate::dashboard::EdgeNow;
use crate::expect::Path;
use crate::judge::{EdgeState, Judge};
use crate::load::{Load, LoadError};
use crate::progress::{Progress, Step};
use crate::referee::{Referee, until_done};
use crate::stats::Verdict;

/// Drives `load` until `judge` decides, or stops it when Ctrl-C is pressed: the judge that is returned has a decision.
/// `path` is where the requests enter the mesh. Runs inside a `LocalSet`.
///
/// # Errors
/// Load could not be started.
pub async fn verify(
    load: &Load,
    path: Path,
    judge: Judge,
    progress: &Progress,
) -> Result<Rc<RefCell<Judge>>, LoadError> {
    let referee = Rc::new(RefCell::new(
        Referee::new(Some(judge.budget()), load.seed).in_units(judge.terms().per_unit),
    ));
    let done = referee.borrow().done();
    let judge = Rc::new(RefCell::new(judge));
    referee.borrow_mut().assign(judge.clone());
    tokio::select! {
        // All of the budget is sent and resolved.
        ended = load.drive(progress.live().tap(referee)) => ended?,
        () = until_done(&judge, &done) => {}
        () = progress.follow(|| step(&judge.borrow())) => {}
        () = progress.live().follow(|| EdgeNow::all(path, &judge.borrow())) => {}
        _interrupted = tokio::signal::ctrl_c() => {}
    }
    progress.clear();
    judge.borrow_mut().stop();
    Ok(judge)
}

/// Where a judgement is.
pub(crate) fn step(judge: &Judge) -> Step {
    let (sent, budget) = (judge.tally().requests(), judge.budget());
    let used = || judge.edges().iter().filter_map(EdgeState::verdict);
    let decided = used().filter(|verdict| *verdict != Verdict::Undecided).count();
    Step {
        position: sent.min(budget) * 1000 / budget.max(1),
        message: format!(
            "{sent} of at most {budget} requests, {} errors, {decided} of {} edges decided",
            judge.tally().errors(),
            used().count()
        ),
    }
}
