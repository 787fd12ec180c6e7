//! `run`: drives load for a time or a number of requests, counts, and judges once at the end if a split is declared.
//!
//! Several clients make a run together: each has a [`Shard`] of it, and [`merge`] adds up what they counted.

mod book;
mod clients;
mod counts;
pub mod merge;
mod report;
mod table;
mod tally;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

pub use self::book::IDEMPOTENCY_KEY;
pub use self::counts::{Asked, Counts, Part, PartOfEdge};
pub use self::report::{RunReport, VersionReport};
pub use self::tally::Limits;
use crate::cause::Knowledge;
use crate::dashboard::{EdgeNow, Event, Judged};
use crate::expect::Path;
use crate::judge::Judge;
use crate::load::{Load, LoadError};
use crate::progress::{Progress, Step};
use crate::reconcile::LedgerSource;
use crate::report::Report;
use crate::shard::Shard;
use book::Book;
use tally::Tally;

/// What a run is to do besides sending.
#[derive(Debug)]
pub struct Orders {
    /// What was asked for, of all clients together.
    pub asked: Asked,
    /// Where the requests enter the mesh.
    pub path: Path,
    /// When this client ends.
    pub limits: Limits,
    /// Which part of the run this client makes.
    pub shard: Shard,
    /// What is declared; without an edge nothing is judged.
    pub judge: Judge,
    /// What else could be in force.
    pub knowledge: Knowledge,
    /// Where the charges of the payments that are sent can be read; `None`: they are not reconciled.
    pub ledger: Option<LedgerSource>,
}

/// Drives `load` until a limit is reached or Ctrl-C is pressed. Runs inside a `LocalSet`.
///
/// # Errors
/// Load could not be started.
pub async fn run(load: &Load, orders: Orders, progress: &Progress) -> Result<RunReport, LoadError> {
    let Orders {
        limits, shard, path, ..
    } = orders;
    progress.live().tell(|| Event::Begun {
        path,
        stages: Vec::new(),
    });
    let book = orders.ledger.is_some().then(Book::default);
    let tally = Tally::new(limits, orders.judge, shard.seed(load.seed), book);
    let tally = Rc::new(RefCell::new(tally));
    let step = || {
        let tally = tally.borrow();
        let totals = tally.judge.tally();
        Step {
            position: tally.permille(Instant::now()),
            message: format!("{} answers, {} errors", totals.answers(), totals.errors()),
        }
    };
    let interrupted = tokio::select! {
        ended = load.drive(progress.live().tap(Rc::clone(&tally))) => ended.map(|()| false)?,
        () = progress.follow(step) => true,
        () = progress.live().follow(|| EdgeNow::all(path, &tally.borrow().judge)) => true,
        _ = tokio::signal::ctrl_c() => true,
    };
    progress.clear();
    let book = tally.borrow_mut().book.take();
    let reconciled = match (&orders.ledger, book) {
        (Some(source), Some(book)) => Some(book.reconcile(load, source).await),
        _ => None,
    };
    let mut tally = tally.borrow_mut();
    // A look comes first: whether answers are independent is told at the level that the verdict calls for.
    let decision = tally.judge.stop().clone();
    let judged = shard.of == 1 && !tally.judge.edges().is_empty();
    let judgement =
        judged.then(|| Report::new(path, &tally.judge, &decision).explained(&tally.judge, &orders.knowledge));
    let counts = Counts::new(&tally, orders.asked, path, shard, interrupted);
    let report = RunReport::new(counts, judgement).reconciled(reconciled);
    show_end(progress, &report);
    Ok(report)
}

fn show_end(progress: &Progress, report: &RunReport) {
    let judged = report.judgement.as_ref();
    if let Some(judged) = judged {
        progress.live().tell(|| Event::Judged(Judged::from(judged)));
    }
    progress.live().tell(|| Event::Ended {
        verdict: judged.map(|judged| judged.verdict),
        text: judged.map_or_else(|| report.headline(), Report::headline),
    });
}
