//! The rollout.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use e2e::{Effort, Target, rollout};
use serde_json::Value;

use super::apply;

/// Every stage of the lab, and back to the first.
const WALK: [&str; 6] = [
    "10-stable",
    "20-header-canary",
    "30-canary-10",
    "40-canary-50",
    "50-promoted",
    "10-stable",
];

/// Both ways in, in the order of the report, and who calls there.
const PATHS: [(&str, &str); 2] = [("gateway", "client"), ("in mesh", "load-client")];

/// The edges of a path: who calls whom with which header, the verdict, and the share that v2 is to get.
fn edges(path: &Value) -> Result<Vec<(String, String, Option<f64>)>> {
    let edges = path["edges"].as_array().context("a path has edges")?;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let edge = |edge: &Value| {
        let who = format!(
            "{} -> {} [{}]",
            text(&edge["from"]),
            text(&edge["to"]),
            text(&edge["variant"])
        );
        let versions = edge["versions"].as_array().map_or(&[][..], Vec::as_slice);
        let v2 = versions.iter().find(|version| version["version"] == "v2");
        (
            who,
            text(&edge["verdict"]),
            v2.and_then(|version| version["declared"].as_f64()),
        )
    };
    Ok(edges.iter().map(edge).collect())
}

/// The edges that a stage must show: caller to payment, then payment v1 and v2 to auth; with the header when a stage
/// has a rule for it. `None`: the edge gets no traffic.
fn expected(stage: &str, caller: &str) -> Vec<(String, String, Option<f64>)> {
    let first = format!("{caller} -> payment-service");
    let shares: &[Option<f64>] = match stage {
        "10-stable" => &[Some(0.0), Some(0.0), None],
        "20-header-canary" => &[Some(0.0), Some(0.0), None, Some(1.0), Some(1.0)],
        "30-canary-10" => &[Some(0.1); 3],
        "40-canary-50" => &[Some(0.5); 3],
        _ => &[Some(1.0), None, Some(1.0)],
    };
    let plain = [
        &*first,
        "payment-service v1 -> auth-service",
        "payment-service v2 -> auth-service",
    ];
    let canary = [&*first, "payment-service v2 -> auth-service"];
    let who = plain.map(|who| format!("{who} [-]")).into_iter();
    let who = who.chain(canary.map(|who| format!("{who} [x-canary: true]")));
    let verdict = |share: &Option<f64>| if share.is_some() { "CONFIRMED" } else { "NOT_USED" };
    who.zip(shares)
        .map(|(who, share)| (who, verdict(share).to_owned(), *share))
        .collect()
}

/// All stages and back, every edge that a stage uses CONFIRMED, and not one failed payment, not even during a change.
pub(crate) async fn every_stage_is_confirmed(target: &impl Target, effort: &Effort) -> Result<()> {
    let stages = target.lab().stages();
    let words = [
        "--return-to-first",
        "--stages",
        stages.to_str().context("a path of text")?,
    ];
    let report = rollout(target, effort, &target.apply_command(), &words)
        .await?
        .expect(0)?
        .json()?;
    assert_eq!(report["verdict"], "CONFIRMED");
    assert_eq!(report["errors"], 0, "{report:#}");
    let walked = report["stages"].as_array().context("a report has stages")?;
    let names: Vec<&str> = walked
        .iter()
        .filter_map(|stage| stage["stage"].as_str())
        .collect();
    assert_eq!(names, WALK);
    for (stage, name) in walked.iter().zip(WALK) {
        for (index, (path, caller)) in PATHS.into_iter().enumerate() {
            let found = &stage["paths"][index];
            assert_eq!(
                (&found["path"], &found["verdict"]),
                (&path.into(), &"CONFIRMED".into())
            );
            assert_eq!(edges(found)?, expected(name, caller), "{name}: {stage:#}");
            let statuses = found["statuses"].as_object().context("a path has statuses")?;
            assert!(statuses.keys().eq(["201"]), "every payment is made: {statuses:?}");
        }
        assert_eq!(stage["change_errors"], 0, "{stage:#}");
    }
    assert_eq!(report["outcome"], "promoted");
    Ok(())
}

/// What is put into force as `30-canary-10` is 80/20: the walk ends there with exit code 1, and goes back.
pub(crate) async fn a_wrong_stage_is_rolled_back(target: &impl Target, effort: &Effort) -> Result<()> {
    let edits = [("weight: 90", "weight: 80"), ("weight: 10\n", "weight: 20\n")];
    let wrong = target.lab().edited_stage("30-canary-10", &edits)?;
    let report = walk_with(target, effort, wrong.path()).await?;
    assert_eq!(report["outcome"], "rolled_back");
    let paths = &report["stages"][1]["paths"];
    assert_eq!(
        (&paths[0]["verdict"], &paths[1]["verdict"]),
        (&"VIOLATION".into(), &"VIOLATION".into())
    );
    Ok(())
}

/// The rule for callers inside is bound to the gateway as well, and so meets none of them: what comes through the gateway
/// is as declared, and inside any pod answers. Only the row of the client in the mesh shows it.
pub(crate) async fn weights_that_are_ignored_inside_are_told_by_the_path_inside(
    target: &impl Target,
    effort: &Effort,
) -> Result<()> {
    let bound = "  hosts:\n    - payment-service\n  gateways:\n    - traffic-lab/traffic-lab\n";
    let wrong = target
        .lab()
        .edited_stage("30-canary-10", &[("  hosts:\n    - payment-service\n", bound)])?;
    let report = walk_with(target, effort, wrong.path()).await?;
    let paths = report["stages"][1]["paths"]
        .as_array()
        .context("a stage has paths")?;
    let seen: Vec<_> = paths
        .iter()
        .map(|path| (&path["path"], &path["verdict"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&"gateway".into(), &"CONFIRMED".into()),
            (&"in mesh".into(), &"VIOLATION".into())
        ]
    );
    let edge = &paths[1]["edges"][0];
    assert_eq!(
        (&edge["from"], &edge["verdict"]),
        (&"load-client".into(), &"VIOLATION".into())
    );
    Ok(())
}

/// The files of a folder; a link to it would not do, kubectl does not follow one.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        fs::copy(&path, to.join(path.file_name().context("a file has a name")?))?;
    }
    Ok(())
}

/// Walks three stages, with something else put into force as `30-canary-10`; that is a VIOLATION and undone.
async fn walk_with(target: &impl Target, effort: &Effort, wrong: &Path) -> Result<Value> {
    let lab = target.lab();
    // The stages as declared, and a command that puts something else into force for one of them.
    let declared = tempfile::tempdir()?;
    for stage in ["10-stable", "30-canary-10", "50-promoted"] {
        copy(&lab.stage(stage), &declared.path().join(stage))?;
    }
    let script = format!(
        r#"case "$0" in */30-canary-10) set -- '{}' ;; *) set -- "$0" ;; esac; {} "$1""#,
        wrong.display(),
        target.apply_command()
    );
    let command = shell_words::join(["sh", "-c", &script]);
    let folder = declared.path().to_str().context("a path of text")?;
    apply(target, &lab.stage("10-stable")).await?;
    let words = ["--rollback-on-failure", "--stages", folder];
    let report = rollout(target, effort, &command, &words)
        .await?
        .expect(1)?
        .json()?;

    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    let stages = report["stages"].as_array().context("a report has stages")?;
    let seen: Vec<_> = stages
        .iter()
        .map(|stage| (&stage["stage"], &stage["verdict"], &stage["rollback"]))
        .collect();
    let seen = serde_json::to_value(seen)?;
    let expected = serde_json::json!([
        ["10-stable", "CONFIRMED", false],
        ["30-canary-10", "VIOLATION", false],
        ["10-stable", "CONFIRMED", true],
    ]);
    assert_eq!(seen, expected);
    assert_eq!(report["errors"], 0, "{report:#}");
    Ok(report)
}
