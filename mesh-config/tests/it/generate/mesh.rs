//! Whole meshes, those who ask in them, and what they ask.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue};
use mesh_config::{Client, Object, RequestHead, Role, Workload, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Any, NETWORKING, object, virtual_service};
use crate::kit::{labels, source};

/// What is in every mesh, so that the words of rules and requests mean something. Others may replace parts of it.
fn ground() -> Any<Vec<Value>> {
    let service = |namespace: &str, name: &str| {
        let ports = json!([{"name": "http", "port": 80}, {"name": "web", "port": 8080}]);
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"app": name}, "ports": ports},
        })
    };
    let door = json!({
        "apiVersion": NETWORKING, "kind": "Gateway", "metadata": {"name": "door", "namespace": "shop"},
        "spec": {"servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]},
    });
    let fixed = [service("shop", "a"), service("bank", "b"), door];
    let leaf = virtual_service::delegate().prop_map(|mut leaf| {
        leaf["metadata"]["namespace"] = "shop".into();
        leaf
    });
    leaf.prop_map(move |leaf| fixed.iter().cloned().chain([leaf]).collect())
        .boxed()
}

/// Objects that are parsed: so many besides those that are in every mesh.
pub(crate) fn objects(number: std::ops::Range<usize>) -> Any<Vec<Object>> {
    let others = prop::collection::vec(object(), number);
    (ground(), others)
        .prop_map(|(ground, others)| ground.iter().chain(&others).map(parsed).collect())
        .boxed()
}

fn parsed(value: &Value) -> Object {
    match parse(&[source(&value.to_string())]) {
        Ok(objects) => objects.into_iter().next().unwrap(),
        Err(problems) => panic!("{problems}\n{value:#}"),
    }
}

/// A sidecar in each namespace, and the gateway.
pub(crate) fn clients() -> Vec<Client> {
    let sidecar = |namespace: &str, pairs: &[(&str, &str)]| Client {
        namespace: namespace.to_owned(),
        name: "client".to_owned(),
        labels: labels(pairs),
        locality: "r1/z1".parse().ok(),
        role: Role::Sidecar,
    };
    vec![
        sidecar("shop", &[("app", "a"), ("version", "v1")]),
        sidecar("bank", &[("app", "b")]),
        sidecar("istio-system", &[]),
        Client::ingress_gateway(),
    ]
}

/// Two pods behind everything that selects them.
pub(crate) fn workloads() -> Vec<Workload> {
    let pod = |name: &str, version: &str, last: u8| Workload {
        name: name.to_owned(),
        namespace: "shop".to_owned(),
        labels: labels(&[("app", "a"), ("version", version)]),
        address: IpAddr::V4(Ipv4Addr::new(127, 1, 1, last)),
        ports: BTreeMap::new(),
        port_names: [("web".to_owned(), 8080)].into(),
        ready: version == "v1",
        locality: "r1/z1".parse().ok(),
        weight: 1,
    };
    vec![pod("one", "v1", 1), pod("two", "v2", 2)]
}

/// A request to be decided.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    method: &'static str,
    authority: String,
    path: &'static str,
    headers: HeaderMap,
}

impl Question {
    pub(crate) fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: self.method,
            path: self.path,
            authority: &self.authority,
            scheme: "http",
            headers: &self.headers,
        }
    }
}

/// Of words that rules look for.
pub(crate) fn question() -> Any<Question> {
    let hosts = [
        "a",
        "a.shop",
        "a.shop.svc.cluster.local",
        "a.shop.svc.cluster.local",
        "b",
        "b.bank.svc.cluster.local",
        "b.bank.svc.cluster.local",
        "EXT.example",
        "api.wild.example",
        "10.0.0.7",
        "unknown",
        "",
    ];
    let header = |name: &'static str| {
        let value = prop::sample::select(&["a", "b", "v12", "true", "/a"][..]);
        prop::option::of(value).prop_map(move |value| Some((name, HeaderValue::from_static(value?))))
    };
    (
        prop::sample::select(&["GET", "POST", "a"][..]),
        prop::sample::select(hosts.to_vec()),
        prop::sample::select(&["", ":80", ":8080"][..]),
        prop::sample::select(&["/", "/a", "/a/b", "/A?q=a", "/?q=true&q=b", "/x#y"][..]),
        [header("x-a"), header("x-b"), header("host")],
    )
        .prop_map(|(method, host, port, path, headers)| Question {
            method,
            authority: format!("{host}{port}"),
            path,
            headers: headers
                .into_iter()
                .flatten()
                .map(|(name, value)| (http::HeaderName::from_static(name), value))
                .collect(),
        })
        .boxed()
}
