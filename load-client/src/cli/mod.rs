//! Flags in, exit code out.

mod doctor;
mod expectation;
mod inside;
mod judge;
mod merge;
mod mesh_state;
mod output;
mod page;
mod plan;
mod report;
mod request;
mod rollout;
mod run;
mod units;
mod values;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Exit code of a run that is done.
const DONE: u8 = 0;
/// Exit code when something is not as it should be.
const WRONG: u8 = 1;
/// Exit code when nothing could be measured; clap's own errors (unknown flag, bad value) have it as well.
const UNKNOWN: u8 = 2;

/// Drive load, see which versions answer, judge the split against what the manifests declare
#[derive(Parser, Debug)]
#[command(name = "load-client", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 confirmed, or the run is done; 1 not what was declared; 2 could not be measured";

#[derive(Subcommand, Debug)]
enum Command {
    Run(run::RunArgs),
    Merge(merge::MergeArgs),
    Verify(verify::VerifyArgs),
    Rollout(rollout::RolloutArgs),
    Report(report::ReportAgainArgs),
    Plan(plan::PlanArgs),
    MeshState(mesh_state::MeshStateArgs),
    Doctor(doctor::DoctorArgs),
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Runs the command line.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(execute(cli).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "load-client: {error:#}");
        UNKNOWN
    }))
}

/// The exit code. One thread for everything: see `load_client::load`.
fn execute(cli: Cli) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        match cli.command {
            Command::Run(args) => run::execute(&args).await,
            Command::Merge(args) => merge::execute(&args),
            Command::Verify(args) => verify::execute(&args).await,
            Command::Rollout(args) => rollout::execute(&args).await,
            Command::Report(args) => report::execute(&args),
            Command::Plan(args) => plan::execute(&args),
            Command::MeshState(args) => mesh_state::execute(&args).await,
            Command::Doctor(args) => doctor::execute(&args).await,
        }
    })
}

/// JSON with a line end.
fn write_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}
