//! Flags in, exit code out.

mod request;
mod run;
mod values;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// What happened, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// It holds, or it is done.
    Yes = 0,
    /// It could not be measured.
    Unknown = 2,
}

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
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Runs the command line. clap's own errors (unknown flag, bad value) exit with 2 as well.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "load-client: {error:#}");
            ExitCode::from(Exit::Unknown as u8)
        }
    }
}

/// One thread for everything: see `load_client::load`.
fn execute(cli: Cli) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        match cli.command {
            Command::Run(args) => run::execute(&args).await,
        }
    })
}

/// JSON with a line end.
fn write_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}
