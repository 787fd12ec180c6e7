//! `scenario NAME`: runs scenarios of `manifests/scenarios` and shows what was declared, what was seen, and the verdict.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use e2e::scenario::{Report, Scenario};
use e2e::{Cluster, LocalMesh, Target};

/// Run scenarios and say whether the mesh does what their manifests declare
///
/// A scenario is a folder of manifests/scenarios: its README says what is declared and what must be seen. Everything is
/// put back afterwards.
#[derive(Debug, Parser)]
#[command(after_help = "Exit codes: 0 all as declared; 1 something is not; 2 it could not be seen.")]
struct Cli {
    /// Names, or all; without one they are listed
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Which mesh: a local-mesh that is started for it, or the cluster of `make demo-up`
    #[arg(long, value_enum, default_value_t = Engine::LocalMesh)]
    on: Engine,
    /// How the report is written
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Engine {
    LocalMesh,
    Cluster,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Table,
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli, &mut io::stdout().lock()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // Nothing is left to be done if even that cannot be written.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: &Cli, out: &mut impl Write) -> Result<bool> {
    if cli.names.is_empty() {
        list(out)?;
        return Ok(true);
    }
    let scenarios = chosen(&cli.names)?;
    match cli.on {
        Engine::LocalMesh => run_on(&LocalMesh::start("10-stable").await?, &scenarios, cli.output, out).await,
        Engine::Cluster => run_on(&Cluster::connect().await?, &scenarios, cli.output, out).await,
    }
}

/// True if all of them are confirmed.
async fn run_on(
    target: &impl Target,
    scenarios: &[Scenario],
    output: Output,
    out: &mut impl Write,
) -> Result<bool> {
    let mut confirmed = true;
    for scenario in scenarios {
        let report = scenario.run(target).await?;
        show(&report, output, out)?;
        confirmed &= report.confirmed;
    }
    Ok(confirmed)
}

fn chosen(names: &[String]) -> Result<Vec<Scenario>> {
    if names.iter().any(|name| name == "all") {
        return Ok(Scenario::ALL.to_vec());
    }
    let known = Scenario::ALL.map(Scenario::name).join(", ");
    let found = names.iter().map(|name| {
        Scenario::find(name).with_context(|| format!("there is no scenario `{name}`; there are {known}"))
    });
    found.collect()
}

fn list(out: &mut impl Write) -> io::Result<()> {
    for scenario in Scenario::ALL {
        writeln!(out, "{:18} {}", scenario.name(), scenario.about())?;
    }
    writeln!(
        out,
        "\nRun one: make scenario NAME=retries; all: make scenario NAME=all"
    )
}

fn show(report: &Report, output: Output, out: &mut impl Write) -> Result<()> {
    match output {
        Output::Table => {
            report.write_table(out)?;
            writeln!(out)?;
        }
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(report)?)?,
    }
    Ok(())
}
