//! The walk over stages, as `load-client rollout` does it.

use std::time::Duration;

use anyhow::Result;

use crate::run::{Ended, run_within};
use crate::target::Target;

/// What a walk may cost on a target.
#[derive(Debug)]
pub struct Effort {
    /// Of each stage's verdict.
    alpha: &'static str,
    /// Several times the requests that any verdict takes, so that none is missing.
    budget: &'static str,
    limit: Duration,
}

impl Effort {
    /// One false alarm in 10^5 walks; with the default, one in a thousand for each stage that draws.
    pub const LOCAL: Effort = Effort {
        alpha: "0.000002",
        budget: "200000",
        limit: Duration::from_secs(180),
    };

    /// A cluster on one machine serves a tenth of the requests: a false alarm in 200 walks.
    pub const CLUSTER: Effort = Effort {
        alpha: "0.001",
        budget: "40000",
        limit: Duration::from_secs(900),
    };
}

/// Wider than the defaults: the walk has to end in time on a machine that compiles something else.
const TOLERANCES: [&str; 4] = ["--tolerance", "3pp", "--hop-tolerance", "8pp"];

/// `load-client rollout` with real payments, through the gateway and from inside the mesh; each calls auth-service, the
/// second hop. `apply` is the command for a stage, `words` are further flags; the report is JSON.
///
/// # Errors
/// It could not be started, or did not end in time. Any exit code is an answer.
pub async fn rollout(target: &impl Target, effort: &Effort, apply: &str, words: &[&str]) -> Result<Ended> {
    let mut rollout = target.lab().program("load-client");
    rollout.args([
        "rollout",
        "--apply",
        apply,
        "-o",
        "json",
        "--alpha",
        effort.alpha,
        "--budget",
        effort.budget,
    ]);
    rollout.args(TOLERANCES);
    rollout.args([
        "--inside",
        &target.inside_command(),
        "--inside-url",
        "http://payment-service:8080/payments",
        "--inside-from",
        "traffic-lab/load-client,app=load-client",
        "--inside-token-url",
        "http://auth-service:8080/tokens",
    ]);
    for manifests in target.manifests() {
        rollout.arg("--manifests").arg(manifests);
    }
    rollout.args([
        "-X",
        "POST",
        "--url",
        &target.url("/payments"),
        "--then",
        "POST http://auth-service:8080/verify",
    ]);
    rollout.args([
        "-H",
        "content-type: application/json",
        "-H",
        "idempotency-key: {uuid}",
    ]);
    rollout.args(["--body", r#"{"amount_cents":1250,"currency":"EUR","to":"shop"}"#]);
    rollout.args([
        "--token-url",
        &target.url("/tokens"),
        "--token-body",
        r#"{"user":"e2e"}"#,
    ]);
    run_within(effort.limit, rollout.args(words)).await
}
