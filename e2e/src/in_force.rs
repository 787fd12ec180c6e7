//! When a change is in force on a cluster: when every proxy holds it.
//!
//! `kubectl apply` returns when the API server has the objects; istiod then computes and pushes, and the proxies take it
//! over. `istioctl proxy-status` cannot tell the moment: before istiod has noticed a change it says `SYNCED`, too. So a
//! mark is applied after the change: a VirtualService and a DestinationRule of a host that nobody calls, with a new name
//! in them each time. istiod sees the objects of a kind in the order of their changes, so what it computes with the mark
//! has everything before it. Once the mark stands in the routes and in the clusters that a proxy works with, the change is
//! in force there.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::kubectl::Kubectl;
use crate::lab::folder_with;
use crate::run::run;

/// istiod gathers changes for 0.1 to 10 s and pushes; the machine may do much else.
const LIMIT: Duration = Duration::from_secs(90);

/// A pod with a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    namespace: String,
    pod: String,
}

/// Waits until what was applied before is in force on every proxy of the mesh.
///
/// # Errors
/// It is not after a minute and a half; the error names the proxies.
pub(crate) async fn everywhere(kubectl: &Kubectl, mark: &str) -> Result<()> {
    let folder = folder_with("in-force.yaml", &objects(mark))?;
    run(kubectl.command(&["apply", "-f"]).arg(folder.path()))
        .await?
        .expect(0)?;
    let begun = Instant::now();
    let mut behind = proxies(kubectl).await?;
    ensure!(
        !behind.is_empty(),
        "there is no proxy at all in {}",
        kubectl.context()
    );
    loop {
        behind = still_without(kubectl, &behind, mark).await?;
        if behind.is_empty() {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < LIMIT,
            "after {LIMIT:?} a change is not in force on {behind:?}"
        );
    }
}

/// Port 80, because the gateway's own Service makes every sidecar listen there.
fn objects(mark: &str) -> String {
    format!(
        r#"apiVersion: v1
kind: Service
metadata: {{name: in-force, namespace: traffic-lab, labels: {{app.kubernetes.io/part-of: istio-traffic-lab}}}}
spec: {{ports: [{{name: http, port: 80}}]}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: in-force, namespace: traffic-lab}}
spec: {{host: in-force, subsets: [{{name: {mark}, labels: {{app: nobody}}}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: in-force, namespace: traffic-lab}}
spec:
  hosts: [in-force.traffic-lab.svc.cluster.local]
  gateways: [mesh, traffic-lab/traffic-lab]
  http: [{{name: {mark}, directResponse: {{status: 200}}}}]
"#
    )
}

/// Sidecars of the lab and the ingress gateway, those that are ready: others get their configuration when they start.
async fn proxies(kubectl: &Kubectl) -> Result<Vec<Proxy>> {
    let mut found = Vec::new();
    for words in [
        ["get", "pods", "-n", "traffic-lab"].as_slice(),
        &["get", "pods", "-n", "istio-system", "-l", "istio=ingressgateway"],
    ] {
        let pods = kubectl.list(words).await?;
        found.extend(pods.iter().filter(|pod| has_proxy(pod)).filter_map(|pod| {
            Some(Proxy {
                namespace: pod["metadata"]["namespace"].as_str()?.to_owned(),
                pod: pod["metadata"]["name"].as_str()?.to_owned(),
            })
        }));
    }
    Ok(found)
}

fn has_proxy(pod: &Value) -> bool {
    let status = &pod["status"];
    let lists = ["containerStatuses", "initContainerStatuses"].iter();
    let mut containers = lists.flat_map(|list| status[*list].as_array().into_iter().flatten());
    pod["metadata"]["deletionTimestamp"].is_null()
        && containers.any(|container| container["name"] == "istio-proxy" && container["ready"] == true)
}

/// Those of the proxies that do not hold the mark. One that is gone meanwhile holds nothing back.
async fn still_without(kubectl: &Kubectl, proxies: &[Proxy], mark: &str) -> Result<Vec<Proxy>> {
    let mut looks = JoinSet::new();
    for proxy in proxies {
        let (proxy, kubectl, mark) = (proxy.clone(), kubectl.clone(), mark.to_owned());
        looks.spawn(async move {
            let (namespace, pod) = (&*proxy.namespace, &*proxy.pod);
            let words = ["exec", "-n", namespace, pod, "-c", "istio-proxy", "--"];
            let mut look = kubectl.command(&words);
            let dump = run(look.args(["pilot-agent", "request", "GET", "config_dump"])).await?;
            if dump.code != Some(0) {
                let gone = [
                    "get",
                    "pod",
                    "-n",
                    namespace,
                    pod,
                    "--ignore-not-found",
                    "-o",
                    "name",
                ];
                return Ok((!kubectl.text(&gone).await?.trim().is_empty()).then_some(proxy));
            }
            Ok((!holds(&dump.json()?, &mark)).then_some(proxy))
        });
    }
    let looked: Result<Vec<Option<Proxy>>> = looks.join_all().await.into_iter().collect();
    Ok(looked?.into_iter().flatten().collect())
}

/// Whether routes and clusters in use have the mark, and no cluster is still being prepared.
fn holds(dump: &Value, mark: &str) -> bool {
    let parts = dump["configs"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |kind: &str| {
        let mut found = parts
            .iter()
            .filter(|part| part["@type"].as_str().is_some_and(|name| name.ends_with(kind)));
        found.next().unwrap_or(&Value::Null).clone()
    };
    let has = |part: &Value| part.to_string().contains(mark);
    let (clusters, routes) = (of("ClustersConfigDump"), of("RoutesConfigDump"));
    let warming = clusters["dynamic_warming_clusters"]
        .as_array()
        .is_some_and(|some| !some.is_empty());
    has(&clusters["dynamic_active_clusters"]) && !warming && has(&routes["dynamic_route_configs"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dump(routes: &str, clusters: &str, warming: &[&str]) -> Value {
        json!({"configs": [
            {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {"node": "mark-7"}},
            {
                "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
                "dynamic_active_clusters": [{"cluster": {"name": format!("outbound|80|{clusters}|in-force")}}],
                "dynamic_warming_clusters": warming.iter().map(|name| json!({"cluster": {"name": name}})).collect::<Vec<_>>(),
            },
            {
                "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
                "dynamic_route_configs": [{"route_config": {"virtual_hosts": [{"routes": [{"name": routes}]}]}}],
            },
        ]})
    }

    #[test]
    fn a_proxy_holds_a_change_when_routes_and_clusters_do_and_nothing_is_being_prepared() {
        assert!(holds(&dump("mark-7", "mark-7", &[]), "mark-7"));
        assert!(!holds(&dump("mark-6", "mark-7", &[]), "mark-7"));
        assert!(!holds(&dump("mark-7", "mark-6", &[]), "mark-7"));
        assert!(!holds(
            &dump("mark-7", "mark-7", &["outbound|80|mark-7|in-force"]),
            "mark-7"
        ));
        assert!(!holds(&json!({}), "mark-7"));
    }
}
