//! Which endpoints a client's proxy must know for the Services and subsets of a case.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::pods::{NAMESPACE, Workload};

/// Clusters by name, each with the addresses of its endpoints.
pub(super) type Clusters = BTreeMap<String, BTreeSet<String>>;

/// Those of these objects: of each Service and port, whole and by subset. Only Services that select.
pub(super) fn expected(objects: &[Value], workloads: &[Workload]) -> Clusters {
    let mut found = Clusters::new();
    for service in objects.iter().filter(|object| object["kind"] == "Service") {
        let Some(name) = service["metadata"]["name"].as_str() else {
            continue;
        };
        let selector = &service["spec"]["selector"];
        if selector.as_object().is_none_or(serde_json::Map::is_empty) {
            continue;
        }
        let ports = each(&service["spec"]["ports"]).filter_map(|port| port["port"].as_u64());
        for port in ports {
            let host = format!("{name}.{NAMESPACE}.svc.cluster.local");
            let mut add = |subset: &str, labels: &Value| {
                let members = workloads
                    .iter()
                    .filter(|one| carries(one, selector) && carries(one, labels));
                let addresses = members.map(|one| one.address.clone()).collect();
                found
                    .entry(format!("outbound|{port}|{subset}|{host}"))
                    .or_insert(addresses);
            };
            add("", &Value::Null);
            let rules = objects.iter().filter(|object| {
                object["kind"] == "DestinationRule"
                    && [name, &host].iter().any(|host| object["spec"]["host"] == *host)
            });
            for subset in rules.flat_map(|rule| each(&rule["spec"]["subsets"])) {
                add(subset["name"].as_str().unwrap_or_default(), &subset["labels"]);
            }
        }
    }
    found
}

/// Those that Envoy's `/clusters` shows: lines such as `outbound|8080|v1|HOST::10.244.0.9:8080::weight::1`. A cluster
/// without endpoints is there with none.
pub(super) fn shown(page: &str) -> Clusters {
    let mut found = Clusters::new();
    for line in page.lines() {
        let mut parts = line.split("::");
        let (Some(cluster), Some(endpoint)) = (parts.next(), parts.next()) else {
            continue;
        };
        let members = found.entry(cluster.to_owned()).or_default();
        if let Some((address, port)) = endpoint.rsplit_once(':')
            && port.parse::<u16>().is_ok()
        {
            members.insert(address.to_owned());
        }
    }
    found
}

fn carries(workload: &Workload, labels: &Value) -> bool {
    let mut wanted = labels.as_object().into_iter().flatten();
    wanted.all(|(key, value)| workload.labels.get(key).map(String::as_str) == value.as_str())
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_off_the_page_of_envoy() {
        let page = "outbound|80||a::observability_name::outbound|80||a;\n\
                    outbound|80||a::10.0.0.1:8080::weight::1\n\
                    outbound|80||a::10.0.0.2:8080::health_flags::healthy\n\
                    outbound|80|v1|a::added_via_api::true\n";
        let addresses = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect();
        let expected = Clusters::from([
            ("outbound|80||a".to_owned(), addresses(&["10.0.0.1", "10.0.0.2"])),
            ("outbound|80|v1|a".to_owned(), addresses(&[])),
        ]);
        assert_eq!(shown(page), expected);
    }
}
