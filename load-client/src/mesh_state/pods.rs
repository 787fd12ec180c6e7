//! The pods that a caller is, from `kubectl get pods -o json`.

use std::collections::BTreeMap;

use mesh_config::Client;
use serde::Deserialize;

/// The container that Istio adds to a pod, and that a gateway consists of.
const PROXY: &str = "istio-proxy";

/// A pod, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it has a proxy.
    pub has_proxy: bool,
    /// Whether it runs and is to go on.
    pub running: bool,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    containers: Vec<Container>,
    /// Since Istio 1.27 the proxy is one of these where the cluster can do it: a sidecar that starts first.
    #[serde(default)]
    init_containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: String,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    phase: String,
}

/// All pods of a list.
///
/// # Errors
/// It is something else than kubectl prints.
pub fn read_pods(text: &str) -> Result<Vec<Pod>, serde_json::Error> {
    let list: List = serde_json::from_str(text)?;
    Ok(list.items.into_iter().map(Pod::new).collect())
}

impl Pod {
    fn new(item: Item) -> Self {
        let mut containers = item.spec.containers.iter().chain(&item.spec.init_containers);
        Pod {
            has_proxy: containers.any(|container| container.name == PROXY),
            running: item.status.phase == "Running" && item.metadata.deletion_timestamp.is_none(),
            name: item.metadata.name,
            namespace: item.metadata.namespace,
            labels: item.metadata.labels,
        }
    }

    /// As istiod and istioctl call its proxy.
    #[must_use]
    pub fn proxy(&self) -> String {
        format!("{}.{}", self.name, self.namespace)
    }

    /// Whether it is one of a caller: its labels are those of the Deployment, or of the gateway. A caller without labels
    /// is known by its name alone.
    #[must_use]
    pub fn is_of(&self, caller: &Client) -> bool {
        let labelled = || {
            let mut wanted = caller.labels.iter();
            wanted.all(|(key, value)| self.labels.get(key) == Some(value))
        };
        let named = || {
            let rest = self.name.strip_prefix(&caller.name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let known = if caller.labels.is_empty() {
            named()
        } else {
            labelled()
        };
        self.running && self.namespace == caller.namespace && known
    }
}
