//! Services, Deployments, WorkloadEntries and the two kinds that have nothing to act on.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::words;
use super::{Any, NETWORKING, list, map, maybe, named, one_of, only, some_of, united, whole};

/// The names by which destinations call them.
fn name() -> Any<&'static str> {
    prop::sample::select(&["a", "b", "b", "alias"][..]).boxed()
}

pub(super) fn service() -> Any<Value> {
    let ports = || {
        let all = json!([
            {"name": "http", "port": 80, "targetPort": 8080},
            {"name": "web", "port": 8080, "targetPort": "web", "appProtocol": "http2"},
            {"name": "tcp", "port": 9000, "protocol": "TCP"},
            {"name": "udp", "port": 53, "protocol": "UDP"},
        ]);
        let all = all.as_array().cloned().unwrap_or_default();
        prop::sample::subsequence(all, 1..=4)
            .prop_map(Value::from)
            .boxed()
    };
    let of_pods = map(vec![
        ("selector", maybe(words::labels())),
        ("ports", ports()),
        ("clusterIP", maybe(one_of(&["None", "10.0.0.7"]))),
        ("trafficDistribution", maybe(one_of(&["PreferClose"]))),
    ]);
    let alias = json!({"type": "ExternalName", "externalName": "b.bank.svc.cluster.local"});
    let alias = united(Just(alias).boxed(), only("ports", ports()));
    named(
        "v1",
        "Service",
        name(),
        prop_oneof![7 => of_pods, 1 => alias].boxed(),
    )
}

pub(super) fn deployment() -> Any<Value> {
    let variable = prop_oneof![
        map(vec![("name", one_of(&["A", "B"])), ("value", words::free_text())]),
        Just(json!({"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})),
    ];
    let probe = map(vec![
        ("httpGet", Just(json!({"path": "/ready", "port": "web"})).boxed()),
        ("periodSeconds", maybe(whole(1..=9))),
        ("failureThreshold", maybe(whole(1..=9))),
    ]);
    let container = map(vec![
        ("name", one_of(&["main"])),
        ("image", one_of(&["auth-v1:1", "registry.example/auth@sha256:ab"])),
        ("command", maybe(list(words::free_text(), 1..3))),
        ("args", maybe(list(words::free_text(), 1..3))),
        ("env", maybe(list(variable.boxed(), 1..3))),
        (
            "ports",
            maybe(Just(json!([{"name": "web", "containerPort": 8080}])).boxed()),
        ),
        ("readinessProbe", maybe(probe.clone())),
        ("livenessProbe", maybe(probe)),
    ]);
    let pod = map(vec![
        ("serviceAccountName", maybe(one_of(&["auth"]))),
        ("containers", list(container, 1..2)),
    ]);
    let spec = (words::labels(), maybe(whole(0..=3)), pod).prop_map(|(labels, replicas, pod)| {
        let template = json!({"metadata": {"labels": labels}, "spec": pod});
        let mut spec = json!({"selector": {"matchLabels": labels}, "template": template});
        if !replicas.is_null() {
            spec["replicas"] = replicas;
        }
        spec
    });
    named("apps/v1", "Deployment", name(), spec.boxed())
}

/// A Namespace or a ServiceAccount.
pub(super) fn plain() -> Any<Value> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}});
    let account = words::namespace().prop_map(|namespace| {
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "auth", "namespace": namespace}})
    });
    prop_oneof![Just(namespace), account].boxed()
}

/// An endpoint's fields; `ports` by name.
pub(super) fn endpoint(ports: Value) -> Any<Value> {
    map(vec![
        (
            "address",
            (1..250_u8)
                .prop_map(|last| format!("127.0.0.{last}").into())
                .boxed(),
        ),
        ("ports", maybe(Just(ports).boxed())),
        ("labels", maybe(words::labels())),
        ("locality", maybe(one_of(&["r1", "r1/z1", "r2/z2/s2"]))),
        ("weight", maybe(whole(0..=9))),
    ])
}

pub(super) fn workload_entry() -> Any<Value> {
    let name = some_of(&["one", "two"], 1).prop_map(|names| names[0]);
    named(
        NETWORKING,
        "WorkloadEntry",
        name.boxed(),
        endpoint(json!({"http": 8081, "web": 8082})),
    )
}
