//! The pods of `manifests/testing/cases.yaml`: a client and workloads that become those of a case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use conformance::case::{Behaviour, Case};
use conformance::workload::Received;
use serde_json::{Value, json};

use super::log::Log;
use crate::call::{Call, Connection};
use crate::cluster::Cluster;
use crate::forward::Forward;
use crate::run::run;
use crate::target::Target;
use crate::wait::until;
use crate::way::Way;

/// The namespace of the cases.
pub(super) const NAMESPACE: &str = "default";
/// Where a workload is told what it is.
const CONTROL: u16 = 8081;
const RELAY: u16 = 8080;
/// For a pod that has just started.
const START: Duration = Duration::from_secs(60);
/// Labels that stay: Kubernetes', Istio's and ours.
const LASTING: [&str; 5] = [
    "app.kubernetes.io/",
    "istio.io/",
    "security.istio.io/",
    "service.istio.io/",
    "sidecar.istio.io/",
];

/// A pod that is a workload of a case now, or of none.
#[derive(Debug)]
pub(super) struct Workload {
    pod: String,
    /// Of the pod.
    pub(super) address: String,
    /// Those of the case.
    pub(super) labels: BTreeMap<String, String>,
    control: Way,
}

/// All of them, and the client.
#[derive(Debug)]
pub(super) struct Pods {
    /// In the order of their addresses; the first ones are the workloads of the case.
    pub(super) workloads: Vec<Workload>,
    /// The client's relay.
    pub(super) relay: Arc<Forward>,
    /// Name of the client's pod.
    pub(super) client: String,
    /// The access log of the client's sidecar.
    pub(super) log: Log,
}

impl Pods {
    /// Deploys them and waits until they are ready.
    ///
    /// # Errors
    /// They do not get ready, most often for want of their images.
    pub(super) async fn deploy(cluster: &Cluster) -> Result<Self> {
        let manifest = cluster.lab().root().join("manifests/testing/cases.yaml");
        run(cluster.kubectl().command(&["apply", "-f"]).arg(manifest))
            .await?
            .expect(0)?;
        for name in ["client", "workload"] {
            let ready = cluster.rolled_out(NAMESPACE, name).await;
            ready.with_context(|| format!("{name} does not get ready; `make client` brings the images"))?;
        }
        let of = async |selector: &str| {
            let words = ["get", "pods", "-n", NAMESPACE, "-l", selector];
            let mut pods = cluster.kubectl().list(&words).await?;
            pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
            anyhow::Ok(pods)
        };
        let client = of("app=client").await?;
        let client = client.first().and_then(|pod| pod["metadata"]["name"].as_str());
        let client = client.context("the client has no pod")?.to_owned();
        let mut workloads = Vec::new();
        for pod in of("app.kubernetes.io/name=workload").await? {
            workloads.push(Workload::new(cluster, &pod).await?);
        }
        Ok(Pods {
            workloads,
            relay: cluster
                .forwards()
                .to(NAMESPACE, &format!("pod/{client}"), RELAY)
                .await?,
            log: Log::follow(cluster.kubectl(), NAMESPACE, &client)?,
            client,
        })
    }

    /// From now on they are the workloads of this case; those that it does not need are nobody's.
    ///
    /// # Errors
    /// There are too few of them, or one does not answer.
    pub(super) async fn become_those_of(&mut self, cluster: &Cluster, case: &Case) -> Result<()> {
        ensure!(
            case.workloads.len() <= self.workloads.len(),
            "there are only {} workloads",
            self.workloads.len()
        );
        for (index, workload) in self.workloads.iter_mut().enumerate() {
            let role = case.workloads.get(index);
            let labels = role.map(|role| {
                role.labels
                    .iter()
                    .map(|(k, v)| (k.clone(), v.0.clone()))
                    .collect()
            });
            workload.label(cluster, labels.unwrap_or_default()).await?;
            if let Some(role) = role {
                let told = json!({"name": role.name, "behaviour": role.behaviour});
                workload.told(&Call::put("/workload", &told)).await?;
            }
        }
        Ok(())
    }

    /// What all of them received with this `x-lab-id`, in order: one machine has one clock.
    ///
    /// # Errors
    /// One does not answer.
    pub(super) async fn received(&self, lab_id: &str) -> Result<Vec<Received>> {
        let mut all: Vec<(u64, Received)> = Vec::new();
        for workload in &self.workloads {
            let body = workload.told(&Call::get(&format!("/received/{lab_id}"))).await?;
            all.extend(serde_json::from_value::<Vec<(u64, Received)>>(body)?);
        }
        all.sort_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, one)| one).collect())
    }
}

impl Workload {
    async fn new(cluster: &Cluster, pod: &Value) -> Result<Self> {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let name = text("/metadata/name").context("a pod has a name")?;
        let control = cluster
            .forwards()
            .to(NAMESPACE, &format!("pod/{name}"), CONTROL)
            .await?;
        let labels = pod["metadata"]["labels"].as_object().into_iter().flatten();
        let labels = labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
        Ok(Workload {
            address: text("/status/podIP").context("a pod that runs has an address")?,
            labels: labels.filter(|(key, _)| !lasts(key)).collect(),
            control: Way::from(control),
            pod: name,
        })
    }

    /// Replaces the labels of one case by those of another.
    async fn label(&mut self, cluster: &Cluster, labels: BTreeMap<String, String>) -> Result<()> {
        if self.labels == labels {
            return Ok(());
        }
        let gone = self.labels.keys().map(|key| (key.clone(), Value::Null));
        let mut patch: BTreeMap<String, Value> = gone.collect();
        patch.extend(labels.iter().map(|(key, value)| (key.clone(), json!(value))));
        let patch = json!({"metadata": {"labels": patch}}).to_string();
        let words = [
            "patch",
            "pod",
            "-n",
            NAMESPACE,
            &self.pod,
            "--type=merge",
            "-p",
            &patch,
        ];
        cluster.kubectl().text(&words).await?;
        self.labels = labels;
        Ok(())
    }

    /// Changes how it behaves.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) async fn behave(&self, behaviour: &Behaviour) -> Result<()> {
        self.told(&Call::put("/behaviour", &json!(behaviour)))
            .await
            .map(drop)
    }

    async fn told(&self, call: &Call) -> Result<Value> {
        let answer = until("a workload listens", START, async || {
            Ok(Connection::new(self.control.clone()).send(call).await.ok())
        })
        .await?;
        ensure!(answer.status == 200, "{}: {}", self.pod, answer.text());
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

fn lasts(label: &str) -> bool {
    label == "pod-template-hash" || LASTING.iter().any(|prefix| label.starts_with(prefix))
}
