//! What `get` shows of each kind, in kubectl's columns where kubectl has them.

use std::net::Ipv4Addr;

use mesh_config::{Client, Mesh, Object, ObjectKey, Spec, View, Workload};
use serde_json::{Value, json};

use super::draft::{Draft, age, joined, labels, list};
use super::pods::Pod;
use super::state::{State, now};
use crate::kubelet::Phase;

pub(super) fn pods(pods: &[&Pod]) -> Draft {
    let mut draft = Draft::new("NAME READY STATUS RESTARTS AGE | PID PORT PROXY VERSION");
    for pod in pods {
        let (identity, status) = (&pod.plan.identity, &pod.status);
        let number = |value: Option<u32>| value.map_or("<none>".to_owned(), |value| value.to_string());
        let version = identity.labels.get("version").map_or("<none>", String::as_str);
        let row = vec![
            identity.name.clone(),
            format!("{}/1", u8::from(status.ready)),
            phase(pod).to_owned(),
            status.restarts.to_string(),
            age(now() - pod.created),
            number(status.pid),
            number(status.port.map(u32::from)),
            pod.plan.proxy.to_string(),
            version.to_owned(),
        ];
        draft.rows.push((identity.namespace.clone(), row));
    }
    draft
}

fn phase(pod: &Pod) -> &'static str {
    if pod.is_stopping() {
        return "Terminating";
    }
    match pod.status.phase {
        Phase::Pending => "Pending",
        Phase::Running => "Running",
        Phase::CrashLoopBackOff => "CrashLoopBackOff",
        Phase::Terminated => "Terminated",
    }
}

/// A pod as an object: what Kubernetes would say, and what only a process has.
pub(super) fn pod_object(pod: &Pod, mesh: &Mesh) -> Value {
    let (identity, status) = (&pod.plan.identity, &pod.status);
    let created = jiff::Timestamp::from_second(pod.created).unwrap_or_default();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": identity.name,
            "namespace": identity.namespace,
            "labels": identity.labels,
            "creationTimestamp": created.to_string(),
        },
        "spec": {
            "containers": [{"name": pod.plan.container.name, "image": pod.plan.container.image}],
            "serviceAccountName": identity.service_account,
        },
        "status": {
            "phase": phase(pod),
            "podIP": Ipv4Addr::LOCALHOST,
            "ready": status.ready,
            "restarts": status.restarts,
            "pid": status.pid,
            "port": status.port,
            "ports": pod.workload(mesh).map(|workload| ports(&workload)),
            "proxy": pod.plan.proxy,
            "lastEnd": status.last_end,
        },
    })
}

/// Which port of the process stands for a port of the container.
fn ports(workload: &Workload) -> Vec<Value> {
    let ports = workload.ports.iter();
    ports
        .map(|(container, process)| json!({"containerPort": container, "hostPort": process}))
        .collect()
}

impl State {
    pub(super) fn table(&self, kind: &str, objects: &[(&Object, ObjectKey)]) -> Draft {
        let mut draft = Draft::new(match kind {
            "Service" => "NAME TYPE PORT(S) ENDPOINTS AGE | SELECTOR",
            "Deployment" => "NAME READY UP-TO-DATE AVAILABLE AGE | IMAGE SELECTOR",
            "Gateway" => "NAME AGE | SELECTOR PORT(S)",
            "VirtualService" => "NAME GATEWAYS HOSTS AGE",
            "DestinationRule" => "NAME HOST AGE | SUBSETS",
            "ServiceEntry" => "NAME HOSTS LOCATION RESOLUTION AGE",
            "WorkloadEntry" => "NAME AGE ADDRESS | LABELS",
            "Namespace" => "NAME STATUS AGE",
            _ => "NAME AGE",
        });
        // Whoever looks, a Service has the same endpoints.
        let view = self.mesh.view(&Client::ingress_gateway(), &self.workloads());
        for (object, key) in objects {
            let age = age(now() - self.mesh.created(key).unwrap_or_default());
            let row = self.row(&view, object, key, age);
            draft.rows.push((object.metadata.namespace.clone(), row));
        }
        draft
    }

    fn row(&self, view: &View, object: &Object, key: &ObjectKey, age: String) -> Vec<String> {
        let name = object.metadata.name.clone();
        let spec = &object.content()["spec"];
        match &object.spec {
            Spec::Service(service) => {
                let kind = spec["type"].as_str().unwrap_or("ClusterIP").to_owned();
                let ports = service.ports.iter().map(|port| format!("{}/TCP", port.port));
                let selector = labels(&spec["selector"]);
                vec![
                    name,
                    kind,
                    joined(ports),
                    endpoints_of(view, object),
                    age,
                    selector,
                ]
            }
            Spec::Deployment(deployment) => {
                let current = self.templates.get(key);
                let state = current.map(|template| self.deployment(key, template));
                let ready = state.map_or(0, |state| state.ready);
                let up_to_date = self
                    .pods_of(key)
                    .filter(|pod| current.is_some_and(|template| template.hash == pod.hash));
                let images = deployment.containers.iter().map(|c| c.image.clone());
                let counts = [
                    format!("{ready}/{}", deployment.replicas),
                    up_to_date.count().to_string(),
                    ready.to_string(),
                ];
                let rest = [age, joined(images), labels(&spec["selector"]["matchLabels"])];
                [name].into_iter().chain(counts).chain(rest).collect()
            }
            Spec::Gateway(gateway) => {
                let ports = gateway.servers.iter().map(|server| server.port.to_string());
                vec![name, age, labels(&spec["selector"]), joined(ports)]
            }
            Spec::VirtualService(_) => vec![name, list(&spec["gateways"]), list(&spec["hosts"]), age],
            Spec::DestinationRule(rule) => {
                let subsets = rule.subsets.iter().map(|subset| subset.name.value.clone());
                vec![name, rule.host.value.clone(), age, joined(subsets)]
            }
            Spec::WorkloadEntry(entry) => {
                vec![name, age, entry.address.clone(), labels(&spec["labels"])]
            }
            Spec::ServiceEntry(_) => {
                let text = |field: &str, default: &str| spec[field].as_str().unwrap_or(default).to_owned();
                let kinds = [text("location", "MESH_EXTERNAL"), text("resolution", "NONE")];
                let known = [name, list(&spec["hosts"])].into_iter();
                known.chain(kinds).chain([age]).collect()
            }
            Spec::Namespace => vec![name, "Active".to_owned(), age],
            Spec::ServiceAccount | Spec::Sidecar(_) | Spec::NotEnforced | Spec::Unreadable => vec![name, age],
        }
    }
}

/// `2/2`: ready ones of all, at the first HTTP port.
fn endpoints_of(view: &View, service: &Object) -> String {
    let (name, namespace) = (&service.metadata.name, &service.metadata.namespace);
    let whole = view.clusters.iter().find(|cluster| {
        cluster.subset.is_none() && cluster.service_name == *name && cluster.service_namespace == *namespace
    });
    let endpoints = whole.map_or(&[][..], |cluster| &cluster.endpoints);
    let ready = endpoints.iter().filter(|endpoint| endpoint.healthy).count();
    format!("{ready}/{}", endpoints.len())
}
