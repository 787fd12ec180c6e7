//! Who is behind a cluster.

use std::collections::BTreeMap;

use mesh_config::{Endpoint, Locality, Mesh, Workload};

use crate::kit::{client, istio, labels, mesh};

fn pod(name: &str, pairs: &[(&str, &str)]) -> Workload {
    Workload {
        name: name.to_owned(),
        namespace: "shop".to_owned(),
        labels: labels(pairs),
        address: [127, 0, 0, 1].into(),
        ports: BTreeMap::from([(9090, 40_001)]),
        port_names: BTreeMap::from([("web".to_owned(), 9090)]),
        ready: true,
        locality: None,
        weight: 0,
    }
}

fn endpoints(mesh: &Mesh, workloads: &[Workload], cluster: &str) -> Vec<Endpoint> {
    let view = mesh.view(&client(), workloads);
    let id = view
        .cluster_named(cluster)
        .unwrap_or_else(|| panic!("there is no {cluster}"));
    view.cluster(id).endpoints.clone()
}

fn names(mesh: &Mesh, workloads: &[Workload], subset: &str) -> Vec<String> {
    let cluster = format!("outbound|8080|{subset}|auth.shop.svc.cluster.local");
    endpoints(mesh, workloads, &cluster)
        .into_iter()
        .map(|endpoint| endpoint.workload)
        .collect()
}

#[test]
fn a_subset_narrows_what_the_selector_of_the_service_finds_in_its_namespace() {
    let everything = istio(
        "DestinationRule",
        "shop/all",
        "host: auth\nsubsets: [{name: all}]",
    );
    let mesh = mesh(&[&everything]);
    let workloads = [
        pod("a", &[("app", "auth"), ("version", "v1"), ("extra", "x")]),
        pod("b", &[("app", "auth"), ("version", "v2")]),
        pod("c", &[("app", "other"), ("version", "v1")]),
        Workload {
            namespace: "other".to_owned(),
            ..pod("d", &[("app", "auth"), ("version", "v1")])
        },
    ];
    for (subset, expected) in [
        ("", vec!["a", "b"]),
        ("v1", vec!["a"]),
        ("v2", vec!["b"]),
        ("next", vec![]),
        ("all", vec!["a", "b"]),
    ] {
        assert_eq!(names(&mesh, &workloads, subset), expected, "{subset}");
    }
}

#[test]
fn a_service_without_a_selector_has_no_endpoints() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: bare, namespace: shop}\nspec: {ports: [{port: 8080}]}\n";
    let found = endpoints(
        &mesh(&[text]),
        &[pod("a", &[])],
        "outbound|8080||bare.shop.svc.cluster.local",
    );
    assert!(found.is_empty());
}

#[test]
fn the_target_port_leads_to_where_the_workload_really_listens() {
    let mesh = mesh(&[]);
    let workloads = [pod("a", &[("app", "auth")])];
    // Port 8080 is called `web` in the pod, port 80 leads to 9090 by number.
    for port in [8080, 80] {
        let cluster = format!("outbound|{port}||auth.shop.svc.cluster.local");
        let found = endpoints(&mesh, &workloads, &cluster);
        assert_eq!(found[0].address, ([127, 0, 0, 1], 40_001).into(), "{port}");
    }
    let nameless = Workload {
        port_names: BTreeMap::new(),
        ..workloads[0].clone()
    };
    assert!(
        names(&mesh, &[nameless], "").is_empty(),
        "nobody knows the port `web`"
    );
    let plain = Workload {
        ports: BTreeMap::new(),
        ..workloads[0].clone()
    };
    let found = endpoints(&mesh, &[plain], "outbound|80||auth.shop.svc.cluster.local");
    assert_eq!(
        found[0].address.port(),
        9090,
        "a port that is not mapped is used as it is"
    );
}

#[test]
fn a_workload_that_is_not_ready_stays_and_is_marked() {
    let workloads = [
        Workload {
            ready: false,
            weight: 7,
            ..pod("a", &[("app", "auth")])
        },
        pod("b", &[("app", "auth")]),
    ];
    let found = endpoints(
        &mesh(&[]),
        &workloads,
        "outbound|8080||auth.shop.svc.cluster.local",
    );
    let seen: Vec<_> = found
        .iter()
        .map(|e| (e.workload.as_str(), e.healthy, e.weight))
        .collect();
    assert_eq!(seen, [("a", false, 7), ("b", true, 1)]);
}

#[test]
fn workload_entries_are_endpoints_by_their_labels() {
    let entry = |name: &str, spec: &str| istio("WorkloadEntry", name, spec);
    let labelled = entry("shop/labelled", "address: 10.0.0.3").replace(
        "namespace: shop",
        "namespace: shop, labels: {app: auth, version: v2}",
    );
    let mesh = mesh(&[
        &entry(
            "shop/named",
            "address: 10.0.0.1\nports: {web: 7001}\nlabels: {app: auth, version: v1}\nlocality: r/z/s\nweight: 3",
        ),
        &entry(
            "shop/by-service-port",
            "address: 10.0.0.2\nports: {http: 7002, http-80: 7003}\nlabels: {app: auth, version: v1}",
        ),
        &entry("other/elsewhere", "address: 10.0.0.4\nlabels: {app: auth}"),
        &labelled,
    ]);
    let seen = |port: u16, subset: &str| {
        let cluster = format!("outbound|{port}|{subset}|auth.shop.svc.cluster.local");
        endpoints(&mesh, &[], &cluster)
            .iter()
            .map(|e| e.address.to_string())
            .collect::<Vec<_>>()
    };
    // The name of the target port comes first, then that of the service port, then the number of the target port.
    assert_eq!(seen(8080, ""), ["10.0.0.1:7001", "10.0.0.2:7002"]);
    assert_eq!(seen(80, ""), ["10.0.0.1:9090", "10.0.0.2:7003", "10.0.0.3:9090"]);
    assert_eq!(seen(80, "v2"), ["10.0.0.3:9090"]);
    let first = endpoints(&mesh, &[], "outbound|80||auth.shop.svc.cluster.local").remove(0);
    let locality = Locality {
        region: "r".to_owned(),
        zone: "z".to_owned(),
        subzone: "s".to_owned(),
    };
    assert_eq!((first.weight, first.locality), (3, Some(locality)));
}
