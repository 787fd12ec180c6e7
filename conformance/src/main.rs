//! `conformance [TOPIC|CASE|PATH]...`: what local-mesh does beside what the real thing did.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use conformance::known::Known;
use conformance::mesh::Setup;
use conformance::{corpus, run, schedule};

/// Replays recorded cases against local-mesh and prints what differs from the real thing
#[derive(Debug, Parser)]
#[command(after_help = "Exit codes: 0 all as the real thing; 1 something differs; 2 it could not be done.")]
struct Arguments {
    /// Topics, cases (`topic/case` or `case`), files or folders; none: all
    #[arg(value_name = "TOPIC|CASE|PATH")]
    wishes: Vec<String>,
    /// The program to judge [default: the one beside this one]
    #[arg(long, env = "LOCAL_MESH", value_name = "PATH")]
    local_mesh: Option<PathBuf>,
    /// Repeats the random choices of another run
    #[arg(long, env = "SEED")]
    seed: Option<u64>,
    /// Cases at once; half as many of those about time [default: 8]
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Writes pending.txt: of the cases that ran, those that differ
    #[arg(long, env = "PENDING")]
    pending: Option<Pending>,
    /// Prints each case as it ends
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Pending {
    Write,
}

fn main() -> ExitCode {
    match replay(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // Nothing is left to do if standard error is closed.
            let _ = writeln!(std::io::stderr(), "conformance: {error:#}");
            ExitCode::from(2)
        }
    }
}

#[tokio::main]
async fn replay(arguments: &Arguments) -> Result<bool> {
    let local_mesh = arguments.local_mesh.clone().map_or_else(run::local_mesh, Ok)?;
    let setup = Setup {
        local_mesh,
        seed: arguments.seed.unwrap_or_else(run::fresh_seed),
    };
    let cases = corpus::wished(&corpus::folder(), &arguments.wishes)?;
    let mut known = Known::read().context("reading the lists of known differences")?;
    let started = Instant::now();
    let jobs = arguments.jobs.map_or(schedule::JOBS, NonZeroUsize::get);
    let verbose = arguments.verbose;
    let report = run::run(cases, &setup, jobs, &known, |id, verdict| {
        if verbose {
            let _ = writeln!(
                std::io::stderr(),
                "{:7.2} s  {id}: {verdict:?}",
                started.elapsed().as_secs_f64()
            );
        }
    });
    let report = report.await;
    let mut out = std::io::stdout().lock();
    report.write(&mut out, true)?;
    writeln!(
        out,
        "seed {}, {:.0} s",
        setup.seed,
        started.elapsed().as_secs_f64()
    )?;
    if arguments.pending.is_some() {
        known.pending = report.pending(&known.pending);
        known.write_pending()?;
        writeln!(out, "pending.txt: {} cases", known.pending.len())?;
    }
    Ok(report.agrees())
}
