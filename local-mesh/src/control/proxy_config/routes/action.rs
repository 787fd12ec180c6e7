//! What happens to a request that matched.

use mesh_config::{Action, Destination, Forward, View};
use serde_json::{Value, json};

/// `outbound|8080|v1|echo.shop.svc.cluster.local 90, ... 10`: clusters with their weights.
pub(super) fn summary(view: &View, action: &Action) -> String {
    match action {
        Action::Redirect(redirect) => format!("redirect {}", redirect.status),
        Action::DirectResponse(answer) => format!("answer {}", answer.status),
        Action::Forward(forward) => {
            let one = forward.destinations.len() == 1;
            let each = forward.destinations.iter().map(|destination| {
                let (cluster, _) = cluster(view, destination);
                let weight = if one {
                    String::new()
                } else {
                    format!(" {}", destination.weight)
                };
                format!("{cluster}{weight}")
            });
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// The name, and whether there is such a cluster.
fn cluster<'a>(view: &'a View, destination: &'a Destination) -> (&'a str, bool) {
    match &destination.cluster {
        Ok(id) => (view.cluster(*id).name.as_str(), true),
        Err(name) => (name, false),
    }
}

/// With times in words (`15s`).
pub(super) fn full(view: &View, action: &Action) -> Value {
    match action {
        Action::Redirect(redirect) => json!({"redirect": {"status": redirect.status}}),
        Action::DirectResponse(answer) => {
            let body = String::from_utf8_lossy(&answer.body);
            json!({"directResponse": {"status": answer.status, "body": body}})
        }
        Action::Forward(forward) => json!({"forward": of_forward(view, forward)}),
    }
}

fn of_forward(view: &View, forward: &Forward) -> Value {
    let destinations = forward.destinations.iter().map(|destination| {
        let (cluster, exists) = cluster(view, destination);
        json!({
            "cluster": cluster,
            "clusterExists": exists,
            "host": destination.host,
            "subset": destination.subset,
            "port": destination.port,
            "weight": destination.weight,
            "changesHeaders": forward.changes_headers(destination),
        })
    });
    let retries = forward.retry.as_ref().map(|retry| {
        json!({
            "attempts": retry.attempts,
            "retryOn": retry.on.to_string(),
            "perTryTimeout": retry.per_try_timeout.map(|time| format!("{time:?}")),
            "backoff": format!("{:?}", retry.back_off),
            "retryIgnorePreviousHosts": retry.avoid_previous_hosts,
            "retryRemoteLocalities": retry.remote_localities,
        })
    });
    let mirrors = forward.mirrors.iter().map(|mirror| {
        json!({
            "cluster": mirror.cluster.map(|id| view.cluster(id).name.as_str()),
            "host": mirror.host,
            "subset": mirror.subset,
            "port": mirror.port,
            "share": mirror.share.probability(),
        })
    });
    json!({
        "destinations": destinations.collect::<Vec<_>>(),
        "totalWeight": forward.total_weight,
        "timeout": forward.timeout.map(|time| format!("{time:?}")),
        "retries": retries,
        "hash": forward.hash.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rewrites": forward.rewrite.is_some(),
        "fault": forward.fault.as_ref().map(ToString::to_string),
        "cors": forward.cors.as_ref().map(ToString::to_string),
        "mirrors": mirrors.collect::<Vec<_>>(),
    })
}
