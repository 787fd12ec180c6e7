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
use futures_util::future::join_all;
use serde_json::Value;

use crate::call::{Call, Connection};
use crate::forward::Forwards;
use crate::kubectl::Kubectl;
use crate::lab::folder_with;
use crate::run::run;
use crate::way::Way;

/// istiod gathers changes for 0.1 to 10 s and pushes; the machine may do much else.
const LIMIT: Duration = Duration::from_secs(90);

const PERIOD: Duration = Duration::from_millis(100);
/// Where Envoy answers about itself, to whoever is in its pod.
const ADMIN: u16 = 15000;

/// A pod with a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    namespace: String,
    pod: String,
}

/// Pods by namespace and labels; no labels select all.
pub(crate) type Pods = (&'static str, &'static str);

/// The sidecars of the lab, and the ingress gateway.
pub(crate) const LAB: [Pods; 2] = [("traffic-lab", ""), ("istio-system", "istio=ingressgateway")];

/// Waits until what was applied before is in force on every proxy of these pods.
///
/// # Errors
/// It is not after a minute and a half; the error names the proxies.
pub(crate) async fn everywhere(
    kubectl: &Kubectl,
    forwards: &Forwards,
    where_to_look: &[Pods],
    mark: &str,
) -> Result<()> {
    let folder = folder_with("in-force.yaml", &objects(mark))?;
    run(kubectl.command(&["apply", "-f"]).arg(folder.path()))
        .await?
        .expect(0)?;
    let begun = Instant::now();
    let mut behind = proxies(kubectl, where_to_look).await?;
    ensure!(
        !behind.is_empty(),
        "there is no proxy at all in {}",
        kubectl.context()
    );
    loop {
        behind = still_without(kubectl, forwards, &behind, mark).await?;
        if behind.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(PERIOD).await;
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

/// Pods that are ready: others get their configuration when they start.
async fn proxies(kubectl: &Kubectl, where_to_look: &[Pods]) -> Result<Vec<Proxy>> {
    let mut found = Vec::new();
    for (namespace, labels) in where_to_look {
        let pods = kubectl
            .list(&["get", "pods", "-n", namespace, "-l", labels])
            .await?;
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
async fn still_without(
    kubectl: &Kubectl,
    forwards: &Forwards,
    proxies: &[Proxy],
    mark: &str,
) -> Result<Vec<Proxy>> {
    let looks = proxies.iter().map(async |proxy| {
        let looked = look(forwards, proxy, mark).await;
        match looked {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(proxy.clone())),
            Err(_) if is_gone(kubectl, proxy).await? => Ok(None),
            Err(error) => Err(error.context(format!("the proxy of {} cannot be asked", proxy.pod))),
        }
    });
    let looked: Result<Vec<Option<Proxy>>> = join_all(looks).await.into_iter().collect();
    Ok(looked?.into_iter().flatten().collect())
}

async fn is_gone(kubectl: &Kubectl, proxy: &Proxy) -> Result<bool> {
    let words = [
        "get",
        "pod",
        "-n",
        &proxy.namespace,
        &proxy.pod,
        "--ignore-not-found",
        "-o",
        "name",
    ];
    Ok(kubectl.text(&words).await?.trim().is_empty())
}

/// Whether routes and clusters in use have the mark, and no cluster is still being prepared.
async fn look(forwards: &Forwards, proxy: &Proxy, mark: &str) -> Result<bool> {
    let forward = forwards
        .to(&proxy.namespace, &format!("pod/{}", proxy.pod), ADMIN)
        .await?;
    let mut admin = Connection::new(Way::from(forward));
    let mut dump = async |resource: &str| {
        let path = format!("/config_dump?resource={resource}");
        let answer = admin.send(&Call::get(&path)).await?;
        ensure!(
            answer.status == 200,
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
        Ok(answer.text())
    };
    let routes = dump("dynamic_route_configs").await?;
    if !routes.contains(mark) {
        return Ok(false);
    }
    let clusters = dump("dynamic_active_clusters&mask=cluster.name").await?;
    let warming = dump("dynamic_warming_clusters&mask=cluster.name").await?;
    Ok(clusters.contains(mark) && !warming.contains("outbound|"))
}
