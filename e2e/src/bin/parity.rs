//! `parity`: local verdict = cluster verdict.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use e2e::Cluster;
use e2e::parity::{self, Parity};

/// Run stages, scenarios and conformance cases on local-mesh and on the cluster of `make demo-up`, and compare the verdicts
#[derive(Debug, Parser)]
#[command(
    after_help = "Exit codes: 0 the same verdicts; 1 others, or a known difference is gone; 2 it could not be done."
)]
struct Cli {
    /// What is compared [default: all of it]
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Only this case (`topic/case`, or a topic); may be repeated [default: those of conformance/on-cluster.txt]
    #[arg(long = "case", value_name = "CASE")]
    cases: Vec<String>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Stages,
    Scenarios,
    Cases,
}

#[tokio::main]
async fn main() -> ExitCode {
    match compare(&Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // Nothing is left to be done if even that cannot be written.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn compare(cli: &Cli) -> Result<bool> {
    let cluster = Cluster::connect().await?;
    let mut parity = Parity {
        listener: Some(say),
        ..Parity::default()
    };
    // What was compared before something could not be done is worth seeing.
    let all = compare_on(&cluster, cli, &mut parity).await;
    let mut out = io::stdout().lock();
    if cli.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&parity)?)?;
    } else {
        parity.write_table(&mut out)?;
    }
    all?;
    Ok(parity.holds())
}

async fn compare_on(cluster: &Cluster, cli: &Cli, parity: &mut Parity) -> Result<()> {
    let wanted = |part| cli.parts.is_empty() || cli.parts.contains(&part);
    if wanted(Part::Stages) {
        parity::stages(cluster, parity).await?;
    }
    if wanted(Part::Scenarios) {
        parity::scenarios(cluster, parity).await?;
    }
    if wanted(Part::Cases) {
        parity::cases(cluster, &cli.cases, parity).await?;
    }
    Ok(())
}

fn say(what: &str) {
    // Nothing is lost if nobody can hear it.
    let _ = writeln!(io::stderr(), "{what}");
}
