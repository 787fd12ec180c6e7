//! A process dies.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{Call, Connection, Load, Pod, Target, until};

use super::{apply, payment, token};

const CONNECTIONS: usize = 8;
/// A restart has back-off and probes in it.
const BACK: Duration = Duration::from_secs(60);

/// A v2 pod is taken away under payments. Only requests that were in flight on it fail: one per connection at most. It is
/// started again, and says so, or another one takes its place; that one serves. Returns the pod that does.
pub(crate) async fn only_requests_in_flight_fail(target: &impl Target, app: &str) -> Result<Pod> {
    apply(target, &target.lab().stage("40-canary-50")).await?;
    let token = token(target).await?;
    let load = Load::start(target.gateway(), CONNECTIONS, move |number| {
        payment(&token, &format!("crash-{number}"))
    });
    load.more(200).await?;

    let before = target.pods().await?;
    let victim = before
        .iter()
        .find(|pod| pod.app == app && pod.version == "v2")
        .context("no such pod")?;
    target.kill(victim).await?;
    let anew = |pod: &Pod| match before.iter().find(|known| known.name == pod.name) {
        Some(known) => pod.restarts > known.restarts,
        None => pod.app == victim.app && pod.version == victim.version,
    };
    let restarted = until(
        "a pod takes the place of the one that was taken away",
        BACK,
        async || {
            let mut pods = target.pods().await?.into_iter();
            Ok(pods.find(|pod| pod.ready && anew(pod)))
        },
    )
    .await?;
    load.more(200).await?;
    let tally = load.finish().await;

    assert!(tally.bad() <= CONNECTIONS as u64, "{tally:?}");
    // The gateway answers for what it could not deliver; it never drops a connection.
    assert!(tally.failures.is_empty(), "{tally:?}");
    serves(target, &restarted.name).await?;
    Ok(restarted)
}

/// Waits until a payment has passed through this pod.
async fn serves(target: &impl Target, pod: &str) -> Result<()> {
    let token = token(target).await?;
    let mut connection = Connection::new(target.gateway());
    let mut number = 0;
    until("the new pod serves", BACK, async || {
        number += 1;
        let call: Call = payment(&token, &format!("{pod}-{number}"));
        let hops = connection.send(&call).await?.hops();
        Ok(hops.iter().any(|hop| hop.instance == pod).then_some(()))
    })
    .await
}
