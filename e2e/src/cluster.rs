//! The target that is a cluster: kind with Istio, as `make demo-up` leaves it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::forward::{Forward, Forwards};
use crate::in_force;
use crate::kubectl::Kubectl;
use crate::lab::Lab;
use crate::logged::logged;
use crate::mark::unique;
use crate::run::{Ended, run};
use crate::target::{Caller, Logged, Pod, Target};
use crate::way::Way;

/// As the Makefile has it.
const NAME: &str = "istio-traffic-lab";
const NAMESPACE: &str = "traffic-lab";
/// Where kind-config.yaml leads to the ingress gateway.
const GATEWAY: &str = "127.0.0.1:8080";
/// Of the services and of the relay.
const PORT: u16 = 8080;
/// Of the access log: longer than any load of a scenario.
const SINCE: &str = "--since=5m";

/// A cluster with the lab in it, and with the client of `manifests/testing`.
#[derive(Debug)]
pub struct Cluster {
    lab: Lab,
    kubectl: Kubectl,
    relay: Arc<Forward>,
    forwards: Forwards,
}

impl Cluster {
    /// The cluster `KIND_CLUSTER_NAME`, or `istio-traffic-lab`. Waits until the client is ready.
    ///
    /// # Errors
    /// There is no cluster, or the lab or the client is not in it.
    pub async fn connect() -> Result<Self> {
        let name = std::env::var("KIND_CLUSTER_NAME").unwrap_or_default();
        let kubectl = Kubectl::of(if name.is_empty() { NAME } else { &name });
        let there = kubectl.text(&["get", "namespace", NAMESPACE, "-o", "name"]).await;
        there.with_context(|| {
            format!(
                "{} is not there, or without the lab: run `make demo-up`",
                kubectl.context()
            )
        })?;
        let lab = Lab::find()?;
        let ready = rolled_out(&kubectl, NAMESPACE, "client").await;
        ready.context("there is no client in the mesh; `make client` brings it")?;
        let forwards = Forwards::new(kubectl.clone());
        let relay = forwards.to(NAMESPACE, "deployment/client", PORT).await?;
        Ok(Cluster {
            lab,
            kubectl,
            relay,
            forwards,
        })
    }

    pub(crate) fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    pub(crate) fn forwards(&self) -> &Forwards {
        &self.forwards
    }

    /// The way of the relay that runs in this deployment.
    ///
    /// # Errors
    /// It does not run.
    pub async fn relay(&self, namespace: &str, deployment: &str, authority: &str) -> Result<Way> {
        let name = format!("deployment/{deployment}");
        let relay = self.forwards.to(namespace, &name, PORT).await?;
        Ok(Way::through(&relay.address, authority).keeping(relay))
    }

    /// Waits until a deployment has the pods that it is to have, all of them ready.
    ///
    /// # Errors
    /// It does not get there.
    pub async fn rolled_out(&self, namespace: &str, deployment: &str) -> Result<()> {
        rolled_out(&self.kubectl, namespace, deployment).await
    }

    /// In force on every proxy once this returns, if the command ended well.
    async fn in_force(&self, ended: Ended) -> Result<Ended> {
        if ended.code == Some(0) {
            in_force::everywhere(&self.kubectl, &self.forwards, &in_force::LAB, &unique("mark")).await?;
        }
        Ok(ended)
    }
}

async fn rolled_out(kubectl: &Kubectl, namespace: &str, deployment: &str) -> Result<()> {
    let name = format!("deployment/{deployment}");
    let words = ["-n", namespace, "rollout", "status", &name, "--timeout=90s"];
    kubectl.text(&words).await.map(drop)
}

impl Target for Cluster {
    fn name(&self) -> &str {
        self.kubectl.context()
    }

    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn gateway(&self) -> &str {
        GATEWAY
    }

    fn way(&self, caller: Caller, service: &str) -> Way {
        match caller {
            Caller::Gateway => Way::from(GATEWAY),
            Caller::Inside => {
                let way = Way::through(&self.relay.address, &format!("{service}:8080"));
                way.keeping(self.relay.clone())
            }
        }
    }

    async fn direct(&self, pod: &Pod) -> Result<Way> {
        let name = format!("pod/{}", pod.name);
        Ok(Way::from(self.forwards.to(NAMESPACE, &name, PORT).await?))
    }

    async fn access_log(&self, caller: Caller) -> Result<Vec<Logged>> {
        let (namespace, name) = match caller {
            Caller::Gateway => ("istio-system", "deployment/istio-ingressgateway"),
            Caller::Inside => (NAMESPACE, "deployment/client"),
        };
        let words = ["logs", "-n", namespace, name, "-c", "istio-proxy", SINCE];
        let text = self.kubectl.text(&words).await?;
        // Envoy's own messages are between the lines.
        text.lines()
            .filter(|line| line.starts_with('{'))
            .map(logged)
            .collect()
    }

    fn manifests(&self) -> Vec<PathBuf> {
        vec![self.lab.base()]
    }

    fn apply_command(&self) -> String {
        format!("kubectl --context {} apply -f", self.kubectl.context())
    }

    fn inside_command(&self) -> String {
        format!(
            "env 'KUBECTL=kubectl --context {}' '{}'",
            self.kubectl.context(),
            self.lab.root().join("scripts/in-mesh").display()
        )
    }

    /// kubectl applies object by object: what is wrong with any of them is asked for first.
    async fn apply(&self, path: &Path) -> Result<Ended> {
        let words = ["apply", "--dry-run=server", "-f"];
        let checked = run(self.kubectl.command(&words).arg(path)).await?;
        if checked.code != Some(0) {
            return Ok(checked);
        }
        let applied = run(self.kubectl.command(&["apply", "-f"]).arg(path)).await?;
        self.in_force(applied).await
    }

    async fn delete(&self, path: &Path) -> Result<Ended> {
        let deleted = run(self.kubectl.command(&["delete", "-f"]).arg(path)).await?;
        self.in_force(deleted).await
    }

    async fn pods(&self) -> Result<Vec<Pod>> {
        let words = [
            "get",
            "pods",
            "-n",
            NAMESPACE,
            "-l",
            "app in (auth-service, payment-service)",
        ];
        let objects = self.kubectl.list(&words).await?;
        let there = objects
            .iter()
            .filter(|object| object["metadata"]["deletionTimestamp"].is_null());
        there
            .map(|object| pod(object).with_context(|| format!("not a pod: {object}")))
            .collect()
    }

    async fn kill(&self, pod: &Pod) -> Result<()> {
        let words = ["delete", "pod", "-n", NAMESPACE, &pod.name, "--wait=false"];
        self.kubectl.text(&words).await.map(drop)
    }
}

fn pod(object: &Value) -> Option<Pod> {
    let label = |name: &str| Some(object["metadata"]["labels"][name].as_str()?.to_owned());
    let each = |list: &str, key: &str, name: &str| {
        let mut found = object["status"][list].as_array().into_iter().flatten();
        found.find(|one| one[key] == name).cloned()
    };
    let app = label("app")?;
    Some(Pod {
        name: object["metadata"]["name"].as_str()?.to_owned(),
        version: label("version")?,
        ready: each("conditions", "type", "Ready").is_some_and(|ready| ready["status"] == "True"),
        restarts: each("containerStatuses", "name", &app)
            .and_then(|status| status["restartCount"].as_u64())
            .unwrap_or_default(),
        app,
    })
}
