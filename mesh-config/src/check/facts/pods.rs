//! Pods, as far as manifests say what pods there will be.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::json::Json;
use crate::object::Object;

/// One template of pods, or one endpoint that is no pod.
pub(crate) struct Pod<'a> {
    /// What makes it.
    pub(crate) object: &'a Object,
    pub(crate) namespace: &'a str,
    pub(crate) labels: BTreeMap<&'a str, &'a str>,
    /// The pod's `spec`; null for an endpoint that is no pod.
    pub(crate) spec: &'a Value,
    /// JSON pointer to the template's `metadata`.
    pub(crate) metadata: &'static str,
    /// How many there are, if that is said or follows.
    pub(crate) replicas: Option<u64>,
}

impl<'a> Pod<'a> {
    /// What an object makes.
    pub(crate) fn of(object: &'a Object) -> Option<Self> {
        let content = object.content();
        let (template, metadata, replicas) = match object.kind.as_str() {
            "Deployment" | "StatefulSet" | "ReplicaSet" => (
                &content["spec"]["template"],
                "/spec/template/metadata",
                Some(content["spec"].number("replicas").unwrap_or(1)),
            ),
            "DaemonSet" | "Job" => (&content["spec"]["template"], "/spec/template/metadata", None),
            "Pod" => (content, "/metadata", Some(1)),
            "WorkloadEntry" => {
                return Some(Pod {
                    object,
                    namespace: &object.metadata.namespace,
                    labels: content["spec"].labels("labels"),
                    spec: &Value::Null,
                    metadata: "/spec",
                    replicas: Some(1),
                });
            }
            _ => return None,
        };
        Some(Pod {
            object,
            namespace: &object.metadata.namespace,
            labels: template["metadata"].labels("labels"),
            spec: &template["spec"],
            metadata,
            replicas,
        })
    }

    /// Whether it has all these labels.
    pub(crate) fn has(&self, labels: &BTreeMap<&str, &str>) -> bool {
        labels
            .iter()
            .all(|(name, value)| self.labels.get(name) == Some(value))
    }

    /// The ports that its containers name: number and name.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (u64, Option<&'a str>)> {
        let containers = self.spec.list("containers").iter();
        let ports = containers.flat_map(|container| container.list("ports"));
        ports.filter_map(|port| Some((port.number("containerPort")?, port.text("name"))))
    }
}
