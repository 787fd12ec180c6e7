//! Whether the local mesh and a cluster come to the same verdict: every stage, every scenario, and cases of conformance/
//! that pods can express (`conformance/on-cluster.txt`).

mod case;
mod comparison;
mod endpoints;
mod log;
mod pods;
mod stages;
mod two_proxies;

use std::collections::BTreeSet;

use anyhow::Result;
use conformance::{corpus, known};

use crate::cluster::Cluster;
use crate::lab::Lab;
use crate::local::LocalMesh;
use crate::run::run_within;
use crate::scenario::{Report, Scenario, go_home};
use crate::target::Target;
use pods::Pods;

pub use comparison::{Comparison, Parity};
pub use two_proxies::{Change, listed};

/// All cases of the list on local-mesh.
const LOCALLY: std::time::Duration = std::time::Duration::from_secs(600);
const AS_RECORDED: &str = "as recorded";
const DIFFERS: &str = "differs";

/// Every stage on both; see [`Comparison`].
///
/// # Errors
/// One of them could not be walked.
pub async fn stages(cluster: &Cluster, parity: &mut Parity) -> Result<()> {
    let compared = stages::compare(cluster, parity).await;
    go_home(cluster).await?;
    compared
}

/// Every scenario on both.
///
/// # Errors
/// One could not be seen on one of them.
pub async fn scenarios(cluster: &Cluster, parity: &mut Parity) -> Result<()> {
    let mesh = LocalMesh::start("10-stable").await?;
    for scenario in Scenario::ALL {
        parity.say(&format!("scenario {}", scenario.name()));
        let local = scenario.run(&mesh).await?;
        let there = scenario.run(cluster).await?;
        let of = |report: &Report| {
            let word = if report.confirmed {
                "CONFIRMED"
            } else {
                "VIOLATION"
            };
            format!("{word} ({} checks)", report.checks.len())
        };
        let failed = there.checks.iter().filter(|check| !check.holds);
        let failed = failed.map(|check| format!("{}, {}: {}", check.group, check.what, check.observed));
        parity.push(Comparison {
            what: format!("scenario {}", scenario.name()),
            local: of(&local),
            cluster: of(&there),
            by_nature: None,
            differences: failed.collect(),
        });
    }
    Ok(())
}

/// Cases on both, each held against what was recorded: those of `conformance/on-cluster.txt`, or these.
///
/// # Errors
/// One of them could not be driven.
pub async fn cases(cluster: &Cluster, wishes: &[String], parity: &mut Parity) -> Result<()> {
    let known = known::on_cluster()?;
    let wishes = if wishes.is_empty() { &known.cases } else { wishes };
    let found = corpus::wished(&corpus::folder(), wishes)?;
    let ids: Vec<&str> = found.iter().map(|found| &*found.id).collect();
    parity.say("the cases on local-mesh");
    let differing = locally(cluster.lab(), &ids).await?;
    parity.say("pods for the cases on the cluster");
    let mut pods = Pods::deploy(cluster).await?;
    for one in &found {
        let differences = case::replay(cluster, &mut pods, &one.case, &mut parity.changes).await?;
        let verdict = |differs: bool| if differs { DIFFERS } else { AS_RECORDED }.to_owned();
        parity.push(Comparison {
            what: one.id.clone(),
            local: verdict(differing.contains(&one.id)),
            cluster: verdict(!differences.is_empty()),
            by_nature: known.by_nature.get(&one.id).cloned(),
            differences: differences.iter().map(ToString::to_string).collect(),
        });
    }
    Ok(())
}

/// Those of these cases that local-mesh does not answer as recorded.
async fn locally(lab: &Lab, ids: &[&str]) -> Result<BTreeSet<String>> {
    let mut replayed = run_within(LOCALLY, lab.program("conformance").args(ids)).await?;
    if replayed.code != Some(1) {
        replayed = replayed.expect(0)?;
    }
    let lines = replayed.stdout.lines().filter_map(|line| line.split_once(": "));
    let named = lines.filter(|(id, rest)| ids.contains(id) && !rest.starts_with("as the real thing"));
    Ok(named.map(|(id, _)| id.to_owned()).collect())
}
