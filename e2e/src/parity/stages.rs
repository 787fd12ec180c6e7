//! The walk over all stages, on both.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::comparison::{Comparison, Parity};
use crate::cluster::Cluster;
use crate::local::LocalMesh;
use crate::rollout::{Effort, rollout};
use crate::target::Target;

/// What is said of one edge: verdict, and the share that each version is to get.
type Edges = BTreeMap<String, String>;

/// Each stage: the verdict of every edge on both ways in, and what each is held against.
pub(super) async fn compare(cluster: &Cluster, parity: &mut Parity) -> Result<()> {
    parity.say("the walk through all stages on local-mesh");
    let local = walk(&LocalMesh::start("10-stable").await?, &Effort::LOCAL).await?;
    parity.say("the same on the cluster");
    let there = walk(cluster, &Effort::CLUSTER).await?;
    ensure!(
        local.len() == there.len(),
        "the walks have {} and {} stages",
        local.len(),
        there.len()
    );
    for ((stage, local), (_, cluster)) in local.into_iter().zip(there) {
        parity.push(comparison(&stage, &local, &cluster));
    }
    Ok(())
}

fn comparison(stage: &str, local: &Edges, cluster: &Edges) -> Comparison {
    let edges = local.keys().chain(cluster.keys());
    let none = "-".to_owned();
    let said = |edges: &Edges, edge: &String| edges.get(edge).unwrap_or(&none).clone();
    let differing = edges.filter(|edge| local.get(*edge) != cluster.get(*edge));
    let mut differences: Vec<String> = differing
        .map(|edge| {
            format!(
                "{edge}: {} here, {} there",
                said(local, edge),
                said(cluster, edge)
            )
        })
        .collect();
    differences.dedup();
    Comparison {
        what: format!("stage {stage}"),
        local: brief(local),
        // The same words for other edges are another verdict.
        cluster: if differences.is_empty() {
            brief(cluster)
        } else {
            format!("{} *", brief(cluster))
        },
        by_nature: None,
        differences,
    }
}

/// `CONFIRMED (6 edges)`, or all that is said.
fn brief(edges: &Edges) -> String {
    let used = edges.values().filter(|said| !said.starts_with("NOT_USED"));
    let verdicts: std::collections::BTreeSet<&str> =
        used.clone().filter_map(|said| said.split(' ').next()).collect();
    let verdicts: Vec<&str> = verdicts.into_iter().collect();
    format!("{} ({} edges)", verdicts.join(", "), used.count())
}

async fn walk(target: &impl Target, effort: &Effort) -> Result<Vec<(String, Edges)>> {
    let stages = target.lab().stages();
    let words = [
        "--return-to-first",
        "--stages",
        stages.to_str().context("a path of text")?,
    ];
    let ended = rollout(target, effort, &target.apply_command(), &words).await?;
    ensure!(
        matches!(ended.code, Some(0 | 1)),
        "{}: {}",
        target.name(),
        ended.stderr
    );
    let report = ended.json()?;
    let stages = report["stages"].as_array().context("a report has stages")?;
    let read = stages.iter().map(|stage| {
        let name = stage["stage"].as_str().context("a stage has a name")?;
        Ok((name.to_owned(), edges(stage)))
    });
    read.collect()
}

fn edges(stage: &Value) -> Edges {
    let paths = stage["paths"].as_array().into_iter().flatten();
    let edges = paths.flat_map(|path| {
        let edges = path["edges"].as_array().into_iter().flatten();
        edges.map(move |edge| (path, edge))
    });
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let said = edges.map(|(path, edge)| {
        let (from, to, variant) = (text(&edge["from"]), text(&edge["to"]), text(&edge["variant"]));
        let declared = edge["versions"].as_array().into_iter().flatten();
        let declared: Vec<String> = declared
            .map(|one| format!("{}={}", text(&one["version"]), one["declared"]))
            .collect();
        let edge_name = format!("{}: {from} -> {to} [{variant}]", text(&path["path"]));
        (
            edge_name,
            format!("{} {}", text(&edge["verdict"]), declared.join(",")),
        )
    });
    said.collect()
}
