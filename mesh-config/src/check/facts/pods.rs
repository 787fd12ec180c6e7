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

/// All of them, found by namespace and by label.
#[derive(Default)]
pub(crate) struct Pods<'a> {
    all: Vec<Pod<'a>>,
    by_namespace: BTreeMap<&'a str, Vec<usize>>,
    by_label: BTreeMap<&'a str, BTreeMap<&'a str, Vec<usize>>>,
}

impl<'a> Pods<'a> {
    pub(crate) fn new(objects: &[&'a Object]) -> Self {
        let mut pods = Pods::default();
        for pod in objects.iter().filter_map(|object| Pod::of(object)) {
            let index = pods.all.len();
            pods.by_namespace.entry(pod.namespace).or_default().push(index);
            for (name, value) in &pod.labels {
                let values = pods.by_label.entry(name).or_default();
                values.entry(value).or_default().push(index);
            }
            pods.all.push(pod);
        }
        pods
    }

    /// Whether nothing is said of any.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those of a namespace.
    pub(crate) fn of(&self, namespace: &str) -> impl Iterator<Item = &Pod<'a>> {
        let found = self.by_namespace.get(namespace).into_iter().flatten();
        found.map(|index| &self.all[*index])
    }

    /// Those that have all these labels, in any namespace.
    pub(crate) fn with(&self, labels: &BTreeMap<&str, &str>) -> impl Iterator<Item = &Pod<'a>> {
        // The rarest label leaves the fewest to look at.
        let lists = labels.iter().map(|(name, value)| self.having(name, value));
        let few = lists.min_by_key(|list| list.len());
        let all = if few.is_none() { self.all.as_slice() } else { &[] };
        let few = few.unwrap_or_default().iter().map(|index| &self.all[*index]);
        few.filter(|pod| pod.has(labels)).chain(all)
    }

    fn having(&self, name: &str, value: &str) -> &[usize] {
        let values = self.by_label.get(name).and_then(|values| values.get(value));
        values.map(Vec::as_slice).unwrap_or_default()
    }

    /// Those of a namespace that have all these labels.
    pub(crate) fn behind(
        &self,
        namespace: &str,
        labels: &BTreeMap<&str, &str>,
    ) -> impl Iterator<Item = &Pod<'a>> {
        self.with(labels).filter(move |pod| pod.namespace == namespace)
    }
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
