//! Verdicts.

use anyhow::{Context, Result};
use e2e::{Target, run};

use super::apply;

const RUNS: usize = 5;
/// Requests until 80/20 is refuted when 90/10 is declared (alpha 0.001, a look after every request), exactly: median
/// 232; 1 % of the runs end before 54, 1 % after 558, one in a million after 1057.
const FAST: u64 = 54;
const SLOW: u64 = 558;
const SLOWEST: u64 = 1057;

/// 80/20 in force, 90/10 declared: VIOLATION every time, in as few requests as the statistics promise.
///
/// Error rate of the test: the median of five leaves 54..=558 when three of five do, 2 * 10 * 0.01^3 = 2e-5; one of
/// five is slower than 1057 in 5e-6 of all tests.
pub(crate) async fn a_wrong_split_is_refuted(target: &impl Target) -> Result<()> {
    let edits = [("weight: 90", "weight: 80"), ("weight: 10\n", "weight: 20\n")];
    let edited = target.lab().edited_stage("30-canary-10", &edits)?;
    apply(target, edited.path()).await?;
    let mut needed = Vec::new();
    for _ in 0..RUNS {
        let mut verify = target.lab().program("load-client");
        verify.args([
            "verify",
            "--url",
            &target.url("/version"),
            "--expect",
            "v1=90,v2=10",
            "-o",
            "json",
        ]);
        let verified = run(&mut verify).await?.expect(1)?.json()?;
        assert_eq!(verified["verdict"], "VIOLATION", "{verified:#}");
        let requests = verified["requests"].as_u64();
        needed.push(requests.with_context(|| format!("no number of requests: {verified:#}"))?);
    }
    needed.sort_unstable();
    assert!((FAST..=SLOW).contains(&needed[RUNS / 2]), "median of {needed:?}");
    assert!(needed[RUNS - 1] <= SLOWEST, "{needed:?}");
    Ok(())
}

/// The same split, expected from the manifests that are in force: CONFIRMED; expected from those of another stage: not.
pub(crate) async fn the_expectation_comes_from_the_manifests(target: &impl Target) -> Result<()> {
    let lab = target.lab();
    apply(target, &lab.stage("40-canary-50")).await?;
    for (stage, code, verdict) in [("40-canary-50", 0, "CONFIRMED"), ("30-canary-10", 1, "VIOLATION")] {
        let mut verify = lab.program("load-client");
        verify.args([
            "verify",
            "--url",
            &target.url("/version"),
            "-o",
            "json",
            "--tolerance",
            "5pp",
        ]);
        // Far more than a verdict takes, so that none is missing; a false VIOLATION comes once in a thousand runs at
        // the default alpha, here once in a million.
        verify.args(["--alpha", "0.000001", "--budget", "100000", "--manifests"]);
        verify
            .args(target.manifests())
            .arg("--manifests")
            .arg(lab.stage(stage));
        let verified = run(&mut verify).await?.expect(code)?.json()?;
        assert_eq!(verified["verdict"], verdict, "{verified:#}");
    }
    Ok(())
}
