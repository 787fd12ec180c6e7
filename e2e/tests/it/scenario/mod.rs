//! What must hold on any target. A scenario brings the stage that it needs into force and leaves it there.

pub(crate) mod canary; // who gets v2
pub(crate) mod causes; // why a split is not as declared
pub(crate) mod changes; // applying while requests run
pub(crate) mod clients; // several clients, one run
pub(crate) mod crash; // a process dies
pub(crate) mod errors; // the error gate
pub(crate) mod payments; // money
pub(crate) mod promise; // verdicts, counted
pub(crate) mod scenarios; // those of manifests/scenarios
pub(crate) mod split; // verdicts
pub(crate) mod walk; // the rollout

use std::path::Path;

use anyhow::{Context, Result};
use e2e::{Answer, Call, Connection, Ended, Target};
use serde_json::json;

/// Brings manifests into force.
pub(crate) async fn apply(target: &impl Target, path: &Path) -> Result<Ended> {
    target.apply(path).await?.expect(0)
}

/// A token to pay with.
pub(crate) async fn token(target: &impl Target) -> Result<String> {
    let call = Call::post("/tokens", &json!({"user": "e2e"}));
    let answer = Connection::new(target.gateway()).send(&call).await?;
    let token = answer.json()?["token"].as_str().map(str::to_owned);
    token.with_context(|| format!("no token in: {}", answer.text()))
}

/// A payment, to be made once per key.
pub(crate) fn payment(token: &str, key: &str) -> Call {
    let order = json!({"amount_cents": 1250, "currency": "EUR", "to": "shop"});
    Call::post("/payments", &order)
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", key)
}

/// Pays, and shows the answer if that failed.
pub(crate) async fn pay(connection: &mut Connection, call: &Call) -> Result<Answer> {
    let answer = connection.send(call).await?;
    assert_eq!(answer.status, 201, "{}", answer.text());
    Ok(answer)
}
