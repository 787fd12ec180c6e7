//! `run`: load without a judgement. How many answers, from which versions, how fast.

mod report;
mod table;
mod tally;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

pub use self::report::{Asked, Percentiles, RunReport, VersionReport};
pub use self::tally::Limits;
use crate::load::{Load, LoadError};
use crate::progress::{Progress, Step};
use tally::Tally;

/// Drives `load` until a limit is reached or Ctrl-C is pressed. Runs inside a `LocalSet`.
///
/// # Errors
/// Load could not be started.
pub async fn run(
    load: &Load,
    asked: Asked,
    limits: Limits,
    progress: &Progress,
) -> Result<RunReport, LoadError> {
    let tally = Rc::new(RefCell::new(Tally::new(limits)));
    let step = || {
        let tally = tally.borrow();
        Step {
            position: tally.permille(Instant::now()),
            message: format!("{} answers, {} errors", tally.answers(), tally.errors()),
        }
    };
    let interrupted = tokio::select! {
        ended = load.drive(Rc::clone(&tally)) => ended.map(|()| false)?,
        () = progress.follow(step) => true,
        _ = tokio::signal::ctrl_c() => true,
    };
    progress.clear();
    let report = RunReport::new(&tally.borrow(), asked, interrupted);
    Ok(report)
}
