//! The scenarios of `manifests/scenarios`.

use anyhow::{Result, ensure};
use e2e::Target;
use e2e::scenario::{Report, Scenario};

/// Columns of a terminal, less what `VIOLATION` is longer than `verdict`.
const WIDTH: usize = 80 - 2;

/// As declared, and shown so that it can be read. A right mesh fails this by chance as often as the report says; all of
/// them together, once in 50,000 runs.
pub(crate) async fn is_confirmed(target: &impl Target, scenario: Scenario) -> Result<()> {
    let report = scenario.run(target).await?;
    let table = table(&report)?;
    ensure!(report.confirmed, "{table}");
    ensure!(!report.checks.is_empty());
    let wide = table.lines().map(|line| line.trim_end().chars().count()).max();
    ensure!(
        wide.is_some_and(|wide| wide <= WIDTH),
        "wider than a terminal:\n{table}"
    );
    Ok(())
}

/// The checks are worth something: with only a stage in force, each scenario is told apart from what it declares.
pub(crate) async fn is_refuted_without_its_manifests(target: &impl Target, scenario: Scenario) -> Result<()> {
    let report = scenario.observe(target).await?;
    ensure!(!report.confirmed, "{}", table(&report)?);
    Ok(())
}

fn table(report: &Report) -> Result<String> {
    let mut text = Vec::new();
    report.write_table(&mut text)?;
    Ok(String::from_utf8(text)?)
}
