//! Why a split is not as declared: every cause, produced for real, is the first that is named.
//!
//! Each scenario declares one thing and brings another into force. What is in force is so far from what is declared that it is
//! found in a few hundred requests, and the cause is then thousands of times likelier than any other.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Pod, Target, folder_with, run, until};
use serde_json::Value;

use super::apply;
use super::errors::{failing, fault, well};

/// Pods that end and start, on a machine that may do something else.
const LIMIT: Duration = Duration::from_secs(60);

/// `load-client verify` of a stage that is declared, and its report.
async fn verify(target: &impl Target, declared: &Path, words: &[&str]) -> Result<Value> {
    let mut verify = target.lab().program("load-client");
    verify.args(["verify", "-o", "json", "--manifests"]);
    verify.args(target.manifests()).arg(declared);
    run(verify.args(words)).await?.json()
}

/// The first hop alone, which needs no token.
async fn verify_versions(target: &impl Target, stage: &str, words: &[&str]) -> Result<Value> {
    let url = target.url("/version");
    let declared = target.lab().stage(stage);
    verify(target, &declared, &[&["--url", &url], words].concat()).await
}

/// Payments, so that the second hop is judged as well.
async fn verify_payments(target: &impl Target, stage: &str) -> Result<Value> {
    let (url, tokens) = (target.url("/payments"), target.url("/tokens"));
    let declared = target.lab().stage(stage);
    let words = [
        "-X",
        "POST",
        "--url",
        &url,
        "--then",
        "POST http://auth-service:8080/verify",
        "-H",
        "content-type: application/json",
        "-H",
        "idempotency-key: {uuid}",
        "--body",
        r#"{"amount_cents":1250,"currency":"EUR","to":"shop"}"#,
        "--token-url",
        &tokens,
        "--token-body",
        r#"{"user":"e2e"}"#,
    ];
    verify(target, &declared, &words).await
}

/// The first cause of an edge has this kind, is told better than the others, and its evidence has these words.
fn expect(report: &Value, from: &str, kind: &str, words: &str) -> Result<()> {
    let edges = report["edges"].as_array().context("a report has edges")?;
    let edge = edges
        .iter()
        .find(|edge| edge["from"] == from)
        .with_context(|| format!("no edge from {from}: {report:#}"))?;
    let first = &edge["causes"][0];
    ensure!(first["kind"] == kind, "{kind} is not the first cause: {edge:#}");
    let text = format!("{} {}", first["what"], first["evidence"]);
    ensure!(text.contains(words), "`{words}` is not in: {text}");
    ensure!(
        first["advice"].as_str().is_some_and(|advice| !advice.is_empty()),
        "what to do? {first:#}"
    );
    Ok(())
}

/// An object of a file of `manifests/base`, edited.
fn edited_object(target: &impl Target, file: &str, object: &str, edits: &[(&str, &str)]) -> Result<String> {
    let text = std::fs::read_to_string(target.lab().base().join(file))?;
    let object = text
        .split("\n---\n")
        .find(|text| text.contains(object))
        .context("there is no such object")?;
    edit(object, edits)
}

fn edit(text: &str, edits: &[(&str, &str)]) -> Result<String> {
    let mut text = text.to_owned();
    for (from, to) in edits {
        ensure!(text.contains(from), "`{from}` is not in:\n{text}");
        text = text.replace(from, to);
    }
    Ok(text)
}

/// Applies the stage with its n-th VirtualService edited.
async fn apply_edited(
    target: &impl Target,
    stage: &str,
    which: usize,
    edits: &[(&str, &str)],
    more: &str,
) -> Result<()> {
    let mut objects = target.lab().objects_of_stage(stage)?;
    objects[which] = edit(&objects[which], edits)?;
    objects.push(more.to_owned());
    let folder = folder_with("edited.yaml", &objects.join("---\n"))?;
    apply(target, folder.path()).await?;
    Ok(())
}

/// Waits until the pods of payment-service are as wanted.
async fn pods_are(target: &impl Target, what: &str, wanted: impl Fn(&[Pod]) -> bool) -> Result<()> {
    until(what, LIMIT, async || {
        let pods = target.pods().await?;
        let pods: Vec<Pod> = pods
            .into_iter()
            .filter(|pod| pod.app == "payment-service")
            .collect();
        Ok(wanted(&pods).then_some(()))
    })
    .await
}

/// The stage was never applied.
pub(crate) async fn a_previous_stage(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().stage("10-stable")).await?;
    let report = verify_versions(target, "30-canary-10", &[]).await?;
    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    expect(&report, "client", "previous-stage", "10-stable")
}

/// The VirtualService of the second hop holds at the gateway only, where nobody calls that service: inside, pods decide.
pub(crate) async fn a_replica_ratio(target: &impl Target) -> Result<()> {
    let hosts = "  hosts:\n    - auth-service\n";
    let bound = "  hosts:\n    - auth-service\n  gateways:\n    - traffic-lab/traffic-lab\n";
    apply_edited(target, "30-canary-10", 0, &[(hosts, bound)], "").await?;
    let report = verify_payments(target, "30-canary-10").await?;
    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    expect(
        &report,
        "payment-service v1",
        "replica-ratio",
        "2 of v1, 2 of v2 pods",
    )
}

/// One pod of payment v1 calls auth by rules that the others do not have.
pub(crate) async fn a_stale_proxy(target: &impl Target) -> Result<()> {
    let own = "\n      version: v1\n";
    let deployment = edited_object(
        target,
        "payment-service.yaml",
        "name: payment-v1",
        &[
            ("name: payment-v1", "name: payment-v1-old"),
            ("replicas: 2", "replicas: 1"),
            (own, "\n      version: v1\n      track: old\n"),
            (
                "        version: v1 # what",
                "        track: old\n        version: v1 # what",
            ),
        ],
    )?;
    let old = "  http:\n    - match:\n        - sourceLabels:\n            track: old\n      route:\n        - destination:\n            host: \
               auth-service\n            subset: v2\n";
    apply_edited(target, "30-canary-10", 0, &[("  http:\n", old)], &deployment).await?;
    let old = |pod: &Pod| pod.name.starts_with("payment-v1-old-") && pod.ready;
    pods_are(target, "the pod with other rules is ready", |pods| {
        pods.iter().any(old)
    })
    .await?;
    let report = verify_payments(target, "30-canary-10").await?;
    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    expect(&report, "payment-service v1", "stale-proxy", "payment-v1-old-")
}

/// The DestinationRule of payment-service with another policy, the pods of both versions behind the gateway's route.
async fn apply_without_subsets(target: &impl Target, policy: &str, route: &str) -> Result<()> {
    let rule = format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: payment-service\n  namespace: traffic-lab\nspec:\n  \
         host: payment-service\n  trafficPolicy:\n    loadBalancer: {policy}\n  subsets:\n    - name: v1\n      labels:\n        version: v1\n    \
         - name: v2\n      labels:\n        version: v2\n"
    );
    let of_version = |version: &str, weight: u32| {
        format!(
            "        - destination:\n            host: payment-service\n            port:\n              number: 8080\n            subset: \
             {version}\n          weight: {weight}\n"
        )
    };
    let subsets = format!(
        "{}{}      timeout: 10s\n",
        of_version("v1", 50),
        of_version("v2", 50)
    );
    let all = format!(
        "        - destination:\n            host: payment-service\n            port:\n              number: 8080\n{route}      timeout: 10s\n"
    );
    apply_edited(target, "40-canary-50", 2, &[(&subsets, &all)], &rule).await
}

/// All requests have the same key, and a key leads to a pod.
pub(crate) async fn sticky_sessions(target: &impl Target) -> Result<()> {
    apply_without_subsets(target, "{consistentHash: {httpHeaderName: x-session}}", "").await?;
    let report = verify_versions(target, "40-canary-50", &["-H", "x-session: one"]).await?;
    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    expect(&report, "client", "sticky", "gave")
}

/// Keys of their own share the pods, and each stays with its pod.
pub(crate) async fn keys_stay_with_their_version(target: &impl Target) -> Result<()> {
    apply_without_subsets(target, "{consistentHash: {httpHeaderName: x-session}}", "").await?;
    // A ring gives the versions a half each, give or take some points: shares that are off take more requests than the
    // default budget foresees, and the verdict is to come all the same.
    let words = [
        "--budget",
        "20000",
        "--sticky",
        "header:x-session",
        "--tolerance",
        "15pp",
        "--fail-on",
        "beyond-tolerance",
    ];
    let report = verify_versions(target, "40-canary-50", &words).await?;
    assert_eq!(
        (&report["verdict"], &report["sticky"]["flips"]),
        (&"CONFIRMED".into(), &0.into()),
        "{report:#}"
    );

    // Over weights the version is drawn before the key is looked at.
    apply(target, &target.lab().stage("40-canary-50")).await?;
    let report = verify_versions(target, "40-canary-50", &words).await?;
    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    assert!(report["sticky"]["flips"].as_u64() > Some(0), "{report:#}");
    Ok(())
}

/// No pod of v2 is left.
pub(crate) async fn endpoints_that_are_out(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().stage("30-canary-10")).await?;
    let none = edited_object(
        target,
        "payment-service.yaml",
        "name: payment-v2",
        &[("replicas: 2", "replicas: 0")],
    )?;
    apply(target, folder_with("none.yaml", &none)?.path()).await?;
    pods_are(target, "v2 has no pods", |pods| {
        pods.iter().all(|pod| pod.version != "v2")
    })
    .await?;
    let report = verify_versions(target, "30-canary-10", &["--budget", "2000"]).await?;
    assert_eq!(report["verdict"], "COULD_NOT_MEASURE", "{report:#}");
    expect(&report, "client", "endpoint-out", "answered 503 by the mesh")
}

/// The gateway's rule leads to another service.
pub(crate) async fn a_wrong_host(target: &impl Target) -> Result<()> {
    apply_edited(
        target,
        "30-canary-10",
        2,
        &[("host: payment-service", "host: auth-service")],
        "",
    )
    .await?;
    let report = verify_versions(target, "30-canary-10", &[]).await?;
    assert_eq!(report["verdict"], "LEAK", "{report:#}");
    expect(&report, "client", "wrong-host", "auth-service/v1 gave")
}

/// v2 fails most requests, and the proxy sends them again to any pod.
pub(crate) async fn retries_elsewhere(target: &impl Target) -> Result<()> {
    let again = "      retries:\n        attempts: 3\n        retryOn: 5xx\n      headers:\n        response:\n          set:\n            \
                 x-envoy-attempt-count: \"%UPSTREAM_REQUEST_ATTEMPT_COUNT%\"\n";
    apply_without_subsets(target, "{simple: RANDOM}", again).await?;
    fault(target, &["v2"], &failing(0.7)).await?;
    let report = verify_versions(target, "40-canary-50", &[]).await;
    fault(target, &["v2"], &well()).await?;
    let report = report?;
    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    expect(&report, "client", "retried-elsewhere", "fail at v2")
}

/// The Deployment of v2 runs the image of v1.
pub(crate) async fn a_wrong_label(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().stage("30-canary-10")).await?;
    let before: Vec<String> = target.pods().await?.into_iter().map(|pod| pod.name).collect();
    let wrong = edited_object(
        target,
        "payment-service.yaml",
        "name: payment-v2",
        &[("payment-service:v2", "payment-service:v1")],
    )?;
    apply(target, folder_with("wrong.yaml", &wrong)?.path()).await?;
    let new = |pod: &&Pod| pod.version == "v2" && pod.ready && !before.contains(&pod.name);
    let old = |pod: &Pod| pod.version == "v2" && before.contains(&pod.name);
    let replaced = |pods: &[Pod]| pods.iter().filter(new).count() == 2 && !pods.iter().any(old);
    pods_are(target, "the pods of v2 are new ones", replaced).await?;
    let report = verify_versions(target, "30-canary-10", &[]).await?;
    assert_eq!(report["verdict"], "VIOLATION", "{report:#}");
    expect(
        &report,
        "client",
        "wrong-label",
        "pods of payment-v2 report version v1",
    )
}
