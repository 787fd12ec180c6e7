//! Several clients that make one run, as the Job of manifests/load does it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use e2e::{LocalMesh, Target, run};
use serde_json::Value;

use super::apply;
use crate::manifests::objects;

/// Enough for every edge at these tolerances and this alpha: the edge that gets least (payment v2 to auth) needs some 340 of its
/// own in the median at 8 points, 850 in 99 of 100 cases, and gets a tenth of all.
const REQUESTS: &str = "16000";
const TERMS: [&str; 4] = [
    "--tolerance=3pp",
    "--hop-tolerance=8pp",
    "--alpha=0.0001",
    "--seed=1",
];

/// The arguments of the Job, for the pod with this index.
fn arguments(job: &Value, index: usize, manifests: &Path) -> Result<Vec<String>> {
    let found = job.pointer("/spec/template/spec/containers/0/args");
    let found = found.and_then(Value::as_array).context("the Job has arguments")?;
    let texts = found.iter().map(|argument| argument.as_str().context("a text"));
    let lab = manifests.to_str().context("a path of text")?;
    let adapt = |argument: &str| match argument.split_once('=') {
        Some(("--requests", _)) => format!("--requests={REQUESTS}"),
        Some(("--manifests", "/lab")) => format!("--manifests={lab}"),
        _ => argument.replace("$(JOB_COMPLETION_INDEX)", &index.to_string()),
    };
    texts.map(|text| Ok(adapt(text?))).collect()
}

/// The pods of the Job, here as processes with its very arguments: the sum of what they print is CONFIRMED on every edge, and
/// without one of them there is no verdict.
pub(crate) async fn the_job_of_several_clients_has_one_verdict(target: &LocalMesh) -> Result<()> {
    let lab = target.lab();
    let stage = lab.stage("30-canary-10");
    apply(target, &stage).await?;
    let folder = tempfile::tempdir()?;
    let manifests = folder.path().join("lab");
    fs::create_dir(&manifests)?;
    for source in [&lab.base(), &stage] {
        for file in fs::read_dir(source)? {
            let file = file?;
            fs::copy(file.path(), manifests.join(file.file_name()))?;
        }
    }
    let jobs = objects(&lab.root().join("manifests/load"))?;
    let job = jobs.iter().find(|job| job["spec"]["completionMode"] == "Indexed");
    let job = job.context("there is an Indexed Job")?;
    let clients = usize::try_from(job["spec"]["completions"].as_u64().context("completions")?)?;
    let proxy = format!("--proxy={}", target.inside_proxy());
    let mut results = Vec::new();
    for index in 0..clients {
        let mut client = lab.program("load-client");
        client
            .args(arguments(job, index, &manifests)?)
            .arg(&proxy)
            .args(TERMS);
        let path = folder.path().join(format!("{index}.json"));
        fs::write(&path, run(&mut client).await?.expect(0)?.stdout)?;
        results.push(path);
    }
    let merge = async |results: &[std::path::PathBuf]| {
        let mut merge = lab.program("load-client");
        run(merge.arg("merge").args(results).args(["-o", "json"])).await
    };
    let sum = merge(&results).await?.expect(0)?.json()?;
    let judgement = &sum["judgement"];
    assert_eq!(judgement["verdict"], "CONFIRMED", "{judgement:#}");
    assert_eq!(
        judgement["edges"].as_array().map(Vec::len),
        Some(3),
        "{judgement:#}"
    );
    assert_eq!((&sum["requests"], &sum["errors"]), (&16_000.into(), &0.into()));
    let refused = merge(&results[1..]).await?.expect(2)?;
    assert!(
        refused.stderr.contains("of 4 clients 0 is missing"),
        "{}",
        refused.stderr
    );
    Ok(())
}
