//! A recorded case, as its file says it. The format is in README.md; a key that it does not have is an error.

mod behaviour;
mod observed;
mod send;
mod step;
mod text;

use serde::Deserialize;
use std::collections::BTreeMap;

pub use behaviour::Behaviour;
pub use observed::{Counts, Headers, Many, Observed, One, Reply, Seen};
pub use send::Send;
pub use step::{Action, Asked, Change, Step};
pub use text::{Fields, Lines, Text};

/// One case: what runs, what is configured, what was asked and what the real thing answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The name of the file, without `.yaml`.
    #[serde(rename = "case")]
    pub name: String,
    /// What it is about, in a few words.
    pub title: String,
    /// Why it is here.
    #[serde(default)]
    pub about: String,
    /// Who sends.
    #[serde(default)]
    pub client: Client,
    /// Which proxy answers.
    #[serde(default)]
    pub proxy: Proxy,
    /// Istio objects are of different age, in document order; otherwise names decide ties.
    #[serde(default)]
    pub ordered: bool,
    /// The endpoints.
    #[serde(default)]
    pub workloads: Vec<Workload>,
    /// Kubernetes and Istio objects, as text.
    #[serde(default)]
    pub config: String,
    /// What was done, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The API server or istiod's webhook refused the config.
    #[serde(default)]
    pub refused: Option<Refusal>,
    /// istiod took the config and Envoy refused the result.
    #[serde(default)]
    pub nack: Option<Nack>,
    /// Nothing was sent: it is enough that the config is accepted.
    #[serde(default)]
    pub accepted: bool,
    /// What the webhook warned of; nothing depends on it.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// The workload that sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, Text>,
    /// `region/zone/subzone`.
    pub locality: Option<String>,
}

impl Default for Client {
    fn default() -> Self {
        Client {
            namespace: "default".into(),
            labels: BTreeMap::from([("app".to_owned(), Text::from("client"))]),
            locality: None,
        }
    }
}

/// Which proxy the requests go to.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// The client's own.
    #[default]
    Sidecar,
    /// The ingress gateway, labels `istio: ingressgateway` in `istio-system`.
    Gateway,
}

/// One endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Unique in the case.
    pub name: String,
    /// Services and ServiceEntries of this namespace select it by label.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, Text>,
    /// Where it listens.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Fixed in cases about hashing, which is over address and port; otherwise it follows from the case's name.
    #[serde(default)]
    pub address: Option<std::net::Ipv4Addr>,
    /// `region/zone/subzone`.
    #[serde(default)]
    pub locality: Option<String>,
    /// For load balancing.
    #[serde(default)]
    pub weight: Option<u32>,
    /// Not a member of the mesh at the start.
    #[serde(default)]
    pub gone: bool,
    /// How it answers.
    #[serde(default)]
    pub behaviour: Behaviour,
}

/// A refusal by the API server's schema (`crd`) or istiod's webhook (`webhook`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Who refused.
    pub by: String,
    /// `Kind/name`.
    pub object: String,
    /// In its words.
    pub message: String,
}

/// A refusal by Envoy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nack {
    /// The xDS resource.
    pub resource: String,
    /// In its words.
    pub message: String,
}

fn default_namespace() -> String {
    "default".into()
}

fn default_port() -> u16 {
    8080
}

// === impl Case ===

impl Case {
    /// Reads a case. The error says line and column.
    pub fn parse(text: &str) -> Result<Case, serde_saphyr::Error> {
        serde_saphyr::from_str_with_options(text, yaml_options())
    }

    /// What the real thing said when it refused the config, if it did.
    pub fn refusal(&self) -> Option<&str> {
        let refused = self.refused.as_ref().map(|refused| refused.message.as_str());
        refused.or(self.nack.as_ref().map(|nack| nack.message.as_str()))
    }

    /// The config and everything that is applied later.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let later = self.steps.iter().filter_map(|step| match &step.action {
            Action::Apply { text, .. } => Some(text.as_str()),
            _ => None,
        });
        std::iter::once(self.config.as_str()).chain(later)
    }

    /// The labels of a workload in one line, or its name if it has none: what is left when the choice is free.
    pub fn kind_of(&self, workload: &str) -> String {
        let labels = self
            .workloads
            .iter()
            .find(|w| w.name == workload)
            .map(|w| &w.labels);
        match labels {
            Some(labels) if !labels.is_empty() => {
                let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
                pairs.join(",")
            }
            _ => workload.to_owned(),
        }
    }
}

/// YAML 1.2 as the recorder wrote it: `yes` and `on` are text.
pub(crate) fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true, with_snippet: false }
}
