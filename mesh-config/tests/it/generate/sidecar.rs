//! ServiceEntries, Sidecars and Gateways: what proxies know of, and where they listen.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::kubernetes::endpoint;
use super::words;
use super::{Any, NETWORKING, list, lists, map, maybe, named, one_of, only, texts, united};

pub(super) fn service_entry() -> Any<Value> {
    let http = json!({"number": 80, "name": "http", "protocol": "HTTP"});
    let grpc = json!({"number": 8080, "name": "grpc", "protocol": "GRPC", "targetPort": 9090});
    let tcp = json!({"number": 9000, "name": "tcp", "protocol": "TCP"});
    let ports = |ports: &[&Value]| only("ports", Just(json!(ports)).boxed());
    // Only one host may have a port that is not HTTP.
    let several = united(
        only(
            "hosts",
            texts(&[
                "ext.example",
                "*.wild.example",
                "a.shop.svc.cluster.local",
                "b.bank",
            ]),
        ),
        prop_oneof![ports(&[&http]), ports(&[&http, &grpc])].boxed(),
    );
    let single = united(only("hosts", lists(&[&["ext.example"]])), ports(&[&http, &tcp]));
    let rest = map(vec![
        ("addresses", maybe(lists(&[&["10.9.9.9"], &["10.9.0.0/16"]]))),
        ("location", maybe(one_of(&["MESH_EXTERNAL", "MESH_INTERNAL"]))),
        ("exportTo", words::export_to()),
    ]);
    let hosts = united(prop_oneof![3 => several, 1 => single].boxed(), rest);
    let written = map(vec![
        ("resolution", one_of(&["STATIC"])),
        ("endpoints", list(endpoint(json!({"http": 8081})), 1..3)),
    ]);
    let found = map(vec![
        ("resolution", one_of(&["STATIC"])),
        ("workloadSelector", only("labels", words::labels())),
    ]);
    let nowhere = Just(json!({"resolution": "NONE"}));
    let backed = prop_oneof![3 => written, 2 => found, 1 => nowhere].boxed();
    named(NETWORKING, "ServiceEntry", words::name(), united(hosts, backed))
}

pub(super) fn sidecar() -> Any<Value> {
    let hosts = || {
        let all = &[
            "./*",
            "bank/*",
            "*/ext.example",
            "shop/a.shop.svc.cluster.local",
            "~./ext.example",
        ];
        texts(all)
    };
    let own = (hosts(), one_of(&["HTTP", "TCP"])).prop_map(|(hosts, protocol)| {
        json!({"port": {"number": 8080, "name": "own", "protocol": protocol}, "hosts": hosts})
    });
    let egress = (prop::collection::vec(own, 0..2), hosts()).prop_map(|(own, hosts)| {
        let rest = json!({"hosts": hosts});
        own.into_iter().chain([rest]).collect::<Value>()
    });
    let spec = map(vec![
        ("workloadSelector", maybe(only("labels", words::labels()))),
        ("egress", egress.boxed()),
        (
            "outboundTrafficPolicy",
            maybe(Just(json!({"mode": "REGISTRY_ONLY"})).boxed()),
        ),
    ]);
    named(NETWORKING, "Sidecar", words::name(), spec)
}

pub(super) fn gateway() -> Any<Value> {
    let hosts = lists(&[
        &["*"],
        &["shop/*"],
        &["ext.example", "*.wild.example"],
        &["./api.wild.example"],
    ]);
    let server = |number: i64| {
        let port = Just(json!({"number": number, "name": format!("http-{number}"), "protocol": "HTTP"}));
        map(vec![
            ("port", port.boxed()),
            ("hosts", hosts.clone()),
            (
                "tls",
                prop_oneof![5 => Just(Value::Null), 1 => Just(json!({"httpsRedirect": true}))].boxed(),
            ),
        ])
    };
    let servers = (server(80), server(8080)).prop_map(|(one, other)| json!([one, other]));
    let spec = map(vec![
        ("selector", Just(json!({"istio": "ingressgateway"})).boxed()),
        ("servers", servers.boxed()),
    ]);
    named(NETWORKING, "Gateway", Just("door").boxed(), spec)
}
