//! What a case adds to its config: a WorkloadEntry per workload, and ages.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use serde_json::{Value, json};

use crate::case::{Case, Workload, yaml_options};

/// The objects of a text. One that is no YAML has none here: it goes to local-mesh as it is, to be refused.
pub fn documents(text: &str) -> Vec<Value> {
    let read = serde_saphyr::from_multiple_with_options::<Value>(text, yaml_options());
    read.unwrap_or_default()
        .into_iter()
        .filter(Value::is_object)
        .collect()
}

/// The config of a case as local-mesh gets it: the text, or, where age matters, objects that say how old they are.
///
/// In the recording the Istio objects of such a case were made one after the other, in document order.
pub fn config(case: &Case) -> String {
    if !case.ordered {
        return case.config.clone();
    }
    let mut objects = documents(&case.config);
    let istio = objects.iter_mut().filter(|object| is_istio(object));
    for (index, object) in istio.enumerate() {
        let age = 2 * index;
        let created = format!("2026-01-01T00:{:02}:{:02}Z", age / 60, age % 60);
        object["metadata"]["creationTimestamp"] = json!(created);
    }
    joined(objects.iter())
}

/// Objects as one text; JSON is YAML.
pub fn joined<'v>(objects: impl Iterator<Item = &'v Value>) -> String {
    let texts: Vec<String> = objects.map(ToString::to_string).collect();
    texts.join("\n---\n")
}

/// The WorkloadEntry by which an endpoint of a case joins the mesh.
///
/// Where a Service that selects it has a named target port, the entry maps the name to the workload's port, as a pod's
/// container port would.
pub fn workload_entry(case: &Case, workload: &Workload, address: SocketAddrV4) -> Value {
    let labels: BTreeMap<&str, &str> = workload
        .labels
        .iter()
        .map(|(k, v)| (k.as_str(), v.0.as_str()))
        .collect();
    let mut spec = json!({"address": address.ip().to_string(), "labels": labels});
    let objects = case.texts().flat_map(documents);
    let ports: BTreeMap<String, u16> = objects
        .flat_map(|object| named_ports(&object, &workload.namespace, &labels))
        .map(|name| (name, address.port()))
        .collect();
    if !ports.is_empty() {
        spec["ports"] = json!(ports);
    }
    if let Some(locality) = &workload.locality {
        spec["locality"] = json!(locality);
    }
    if let Some(weight) = workload.weight {
        spec["weight"] = json!(weight);
    }
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {"name": workload.name, "namespace": workload.namespace},
        "spec": spec,
    })
}

/// Ports below 1024 that local-mesh must bind for a case.
pub fn privileged_ports(case: &Case) -> BTreeSet<u16> {
    let objects = case.texts().flat_map(documents);
    let ports = objects.flat_map(|object| {
        let numbers = match object["kind"].as_str() {
            Some("Service") => each(&object["spec"]["ports"], |port| &port["port"]),
            Some("ServiceEntry") => each(&object["spec"]["ports"], |port| &port["number"]),
            Some("Gateway") => each(&object["spec"]["servers"], |server| &server["port"]["number"]),
            _ => Vec::new(),
        };
        numbers.into_iter().filter_map(Value::as_u64).collect::<Vec<_>>()
    });
    ports
        .filter_map(|port| u16::try_from(port).ok())
        .filter(|port| *port < 1024)
        .collect()
}

fn each<'v>(list: &'v Value, part: impl Fn(&'v Value) -> &'v Value) -> Vec<&'v Value> {
    list.as_array().into_iter().flatten().map(part).collect()
}

fn is_istio(object: &Value) -> bool {
    let group = object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'));
    group.is_some_and(|(group, _)| group.ends_with(".istio.io"))
}

/// Names of target ports of a Service that selects these labels in this namespace.
fn named_ports(object: &Value, namespace: &str, labels: &BTreeMap<&str, &str>) -> Vec<String> {
    let own = object["metadata"]["namespace"].as_str().unwrap_or("default");
    let Some(selector) = object["spec"]["selector"].as_object() else {
        return Vec::new();
    };
    let selects = selector
        .iter()
        .all(|(name, value)| labels.get(name.as_str()).copied() == value.as_str());
    if object["kind"] != "Service" || own != namespace || selector.is_empty() || !selects {
        return Vec::new();
    }
    let targets = each(&object["spec"]["ports"], |port| &port["targetPort"]);
    targets
        .into_iter()
        .filter_map(Value::as_str)
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "
  apiVersion: v1
  kind: Service
  metadata: {name: auth}
  spec:
    selector: {app: auth}
    ports: [{name: http, port: 80, targetPort: web}, {name: grpc, port: 8081, targetPort: 9}]
  ---
  apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {name: auth}
  spec: {hosts: [auth]}
";

    fn case(rest: &str) -> Case {
        Case::parse(&format!("case: c\ntitle: t\nconfig: |{SERVICE}{rest}")).unwrap()
    }

    #[test]
    fn a_named_target_port_is_mapped_to_the_port_of_the_workload() {
        let case =
            case("workloads: [{name: a, labels: {app: auth, version: 1}, weight: 3, locality: r/z/s}]");
        let entry = workload_entry(&case, &case.workloads[0], "127.1.2.3:8080".parse().unwrap());
        let expected = json!({
            "address": "127.1.2.3", "labels": {"app": "auth", "version": "1"}, "ports": {"web": 8080},
            "weight": 3, "locality": "r/z/s",
        });
        assert_eq!(entry["spec"], expected);
    }

    #[test]
    fn a_workload_that_is_not_selected_maps_no_ports() {
        let case = case("workloads: [{name: a, labels: {app: auth}, namespace: other}]");
        let entry = workload_entry(&case, &case.workloads[0], "127.1.2.3:8080".parse().unwrap());
        assert_eq!(entry["spec"].get("ports"), None);
        assert_eq!(entry["metadata"]["namespace"], "other");
    }

    #[test]
    fn only_istio_objects_of_an_ordered_case_say_their_age() {
        assert_eq!(config(&case("")), case("").config);
        let objects = documents(&config(&case("ordered: true")));
        assert_eq!(objects.len(), 2);
        assert_eq!(objects[0]["metadata"].get("creationTimestamp"), None);
        assert_eq!(
            objects[1]["metadata"]["creationTimestamp"],
            "2026-01-01T00:00:00Z"
        );
    }

    #[test]
    fn ports_below_1024_are_those_of_services_not_of_targets() {
        assert_eq!(privileged_ports(&case("")), BTreeSet::from([80]));
    }
}
