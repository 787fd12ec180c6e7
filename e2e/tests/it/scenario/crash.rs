//! A process dies.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{Call, Connection, Load, Pod, Target, until};

use super::{apply, payment, token};

const CONNECTIONS: usize = 8;
/// A restart has back-off and probes in it.
const BACK: Duration = Duration::from_secs(60);

/// The process of a v2 pod dies under payments. Only requests that were in flight on it fail: one per connection at
/// most. The pod is started again, says so, and serves.
pub(crate) async fn only_requests_in_flight_fail(target: &impl Target, app: &str) -> Result<Pod> {
    apply(target, &target.lab().stage("40-canary-50")).await?;
    let token = token(target).await?;
    let load = Load::start(target.gateway(), CONNECTIONS, move |number| {
        payment(&token, &format!("crash-{number}"))
    });
    load.more(200).await?;

    let pods = target.pods().await?;
    let victim = pods
        .into_iter()
        .find(|pod| pod.app == app && pod.version == "v2")
        .context("no such pod")?;
    target.kill(&victim).await?;
    let restarted = until("the pod is started again and ready", BACK, async || {
        let mut pods = target.pods().await?.into_iter();
        Ok(pods.find(|pod| pod.name == victim.name && pod.restarts > victim.restarts && pod.ready))
    })
    .await?;
    load.more(200).await?;
    let tally = load.finish().await;

    assert!(tally.bad() <= CONNECTIONS as u64, "{tally:?}");
    // The gateway answers for what it could not deliver; it never drops a connection.
    assert!(tally.failures.is_empty(), "{tally:?}");
    serves(target, &victim.name).await?;
    Ok(restarted)
}

/// Waits until a payment has passed through this pod.
async fn serves(target: &impl Target, pod: &str) -> Result<()> {
    let token = token(target).await?;
    let mut connection = Connection::new(target.gateway());
    let mut number = 0;
    until("the restarted pod serves again", BACK, async || {
        number += 1;
        let call: Call = payment(&token, &format!("{pod}-{number}"));
        let hops = connection.send(&call).await?.hops();
        Ok(hops.iter().any(|hop| hop.instance == pod).then_some(()))
    })
    .await
}
