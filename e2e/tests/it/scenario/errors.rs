//! The error gate of a rollout.

use anyhow::{Context, Result};
use e2e::{Call, Connection, Effort, Ended, Target, rollout, run};
use serde_json::{Value, json};

/// Of the rollouts below whose versions fail alike one in 10^5 is rolled back by chance; and as many verdicts are missing.
const TERMS: [&str; 6] = ["--alpha", "0.00001", "--tolerance", "4pp", "--budget", "100000"];

/// What the pods of these versions of payment-service do, until the returned value is dropped or put back.
pub(super) async fn fault(target: &impl Target, versions: &[&str], call: &Call) -> Result<()> {
    let pods = target.pods().await?.into_iter();
    let wanted = pods.filter(|pod| pod.app == "payment-service" && versions.contains(&&*pod.version));
    let mut found = 0;
    for pod in wanted {
        let mut connection = Connection::new(target.direct(&pod).await?);
        let answer = connection.send(call).await?;
        anyhow::ensure!(
            (200..300).contains(&answer.status),
            "{}: {}",
            pod.name,
            answer.text()
        );
        found += 1;
    }
    anyhow::ensure!(found > 0, "payment-service has no pods of {versions:?}");
    Ok(())
}

pub(super) fn failing(rate: f64) -> Call {
    Call::put("/fault", &json!({"error_rate": rate, "status": 500}))
}

pub(super) fn well() -> Call {
    Call::delete("/fault")
}

/// v2 fails three in ten payments: found where only requests with a header get it, and undone. Not one of those whose
/// users have not asked for v2 has failed.
pub(crate) async fn a_bad_canary_is_rolled_back(target: &impl Target, effort: &Effort) -> Result<()> {
    fault(target, &["v2"], &failing(0.3)).await?;
    let stages = target.lab().stages();
    let words = [
        "--rollback-on-failure",
        "--stages",
        stages.to_str().context("a path of text")?,
    ];
    let ended = rollout(target, effort, &target.apply_command(), &words).await;
    fault(target, &["v2"], &well()).await?;
    let report = ended?.expect(1)?.json()?;

    assert_eq!(
        (&report["verdict"], &report["outcome"]),
        (&"ERRORS".into(), &"rolled_back_by_error_gate".into())
    );
    let stages = report["stages"].as_array().context("a report has stages")?;
    let seen: Vec<_> = stages
        .iter()
        .map(|stage| (&stage["stage"], &stage["verdict"], &stage["rollback"]))
        .collect();
    let expected = json!([
        ["10-stable", "CONFIRMED", false],
        ["20-header-canary", "ERRORS", false],
        ["10-stable", "CONFIRMED", true],
    ]);
    assert_eq!(serde_json::to_value(seen)?, expected);
    let gates = stages[1]["gates"].as_array().context("a stage has gates")?;
    let alarm = gates
        .iter()
        .find(|gate| gate["alarm"] == true)
        .context("one of them gave the alarm")?;
    assert_eq!(
        (&alarm["new"], &alarm["others"]),
        (&json!(["v2"]), &json!(["v1"]))
    );
    assert_eq!(alarm["other_errors"], 0, "{alarm:#}");
    let plain = &stages[1]["paths"][0]["edges"][0];
    assert_eq!((&plain["variant"], &plain["errors"]), (&Value::Null, &json!(0)));
    Ok(())
}

/// Whoever fails alike is not rolled back, although one in twenty requests fails at every stage.
pub(crate) async fn a_canary_that_fails_no_more_than_the_rest_is_promoted(
    target: &impl Target,
) -> Result<()> {
    fault(target, &["v1", "v2"], &failing(0.05)).await?;
    let ended = of_versions(target).await;
    fault(target, &["v1", "v2"], &well()).await?;
    let report = ended?.expect(0)?.json()?;

    assert_eq!(report["outcome"], "promoted", "{report:#}");
    let stages = report["stages"].as_array().context("a report has stages")?;
    let canary = stages
        .iter()
        .find(|stage| stage["stage"] == "30-canary-10")
        .context("the stage was walked")?;
    let gates = canary["gates"].as_array().context("a stage has gates")?;
    assert_eq!(gates.len(), 1, "{gates:#?}");
    let errors = |what: &str| gates[0][what].as_u64().unwrap_or(0);
    assert!(
        errors("new_errors") > 0 && errors("other_errors") > 0,
        "{gates:#?}"
    );
    assert_eq!(gates[0]["alarm"], false);
    Ok(())
}

/// One hop only, so that a failed request still names everybody who took part.
async fn of_versions(target: &impl Target) -> Result<Ended> {
    let mut rollout = target.lab().program("load-client");
    rollout.args([
        "rollout",
        "--url",
        &target.url("/version"),
        "-o",
        "json",
        "--rollback-on-failure",
    ]);
    rollout.args(["--apply", &target.apply_command()]).args(TERMS);
    rollout
        .arg("--stages")
        .arg(target.lab().stages())
        .arg("--manifests");
    run(rollout.args(target.manifests())).await
}
