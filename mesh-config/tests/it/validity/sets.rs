//! Recorded analyses: sets of objects, and what `istioctl analyze` said of them in a cluster that had them.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// One set of objects.
#[derive(Deserialize)]
pub(super) struct Set {
    pub(super) name: String,
    /// The objects are Istio's own.
    istio: Option<Value>,
    pub(super) objects: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    code: String,
    /// `Kind namespace/name`.
    origin: String,
}

impl Set {
    pub(super) fn is_istios(&self) -> bool {
        self.istio.is_some()
    }

    /// What was said about VirtualServices and DestinationRules: code and object.
    pub(super) fn said(&self) -> BTreeSet<(String, String)> {
        let messages = self.cluster.messages.iter();
        let ours = messages.filter(|message| is_ours(&message.origin));
        ours.map(|message| (message.code.clone(), message.origin.clone()))
            .collect()
    }
}

pub(super) fn is_ours(origin: &str) -> bool {
    origin.starts_with("VirtualService ") || origin.starts_with("DestinationRule ")
}

pub(super) fn read(file: &Path) -> Vec<Set> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
