//! A whole run: cases in, report out.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::corpus::Found;
use crate::known::Known;
use crate::mesh::Setup;
use crate::replay::Verdict;
use crate::report::Report;
use crate::schedule::replay_all;

/// Replays these cases and holds what comes of them against what is known.
pub async fn run(
    cases: Vec<Found>,
    setup: &Setup,
    jobs: usize,
    known: &Known,
    ended: impl FnMut(&str, &Verdict),
) -> Report {
    let asked: BTreeSet<String> = cases.iter().map(|found| found.id.clone()).collect();
    let verdicts = replay_all(cases, setup, jobs, ended).await;
    Report::new(&asked, verdicts, known)
}

/// The local-mesh that was built together with this program: beside it, or, for a test, one folder above.
pub fn local_mesh() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let beside = program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("local-mesh"));
    let found = beside.into_iter().find(|path| path.is_file());
    let advice =
        "no local-mesh beside this program: `cargo build --release -p local-mesh`, or LOCAL_MESH=PATH";
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, advice))
}

/// A seed that no other run has; it is printed, so that a run can be repeated.
pub fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Below 2^53, so that every tool prints it whole.
    u64::try_from(now.as_micros()).unwrap_or_default()
}
