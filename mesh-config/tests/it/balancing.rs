//! Consistent hashing and localities: what is compiled for a client.

use std::collections::BTreeMap;

use mesh_config::{Client, Forward, Mesh, Workload};

use crate::kit::{client, forward, istio, labels, mesh, route, service};

const DB: &str = "outbound|8080||db.shop.svc.cluster.local";

fn db(policy: &str, others: &[&str]) -> Mesh {
    let service = service("shop/db", "{name: http, port: 8080}");
    let rule = istio(
        "DestinationRule",
        "shop/db",
        &format!("host: db\ntrafficPolicy: {{{policy}}}\nsubsets: [{{name: v1}}, {{name: v2}}]"),
    );
    mesh(&[&[service.as_str(), rule.as_str()], others].concat())
}

fn routed(destinations: &str, more: &str) -> String {
    istio(
        "VirtualService",
        "shop/db",
        &format!("hosts: [db]\nhttp:\n- route: [{destinations}]\n{more}"),
    )
}

/// What the route of `db` hashes and whether its retries avoid endpoints that were tried.
fn hashed(mesh: &Mesh) -> (Vec<String>, bool) {
    let view = mesh.view(&client(), &[]);
    let forward: &Forward = forward(route(&view, "GET http://db:8080/"));
    let keys = forward.hash.iter().map(ToString::to_string).collect();
    (keys, forward.retry.as_ref().unwrap().avoid_previous_hosts)
}

const HEADER: &str = "loadBalancer: {consistentHash: {httpHeaderName: x-user}}";

#[test]
fn a_single_destination_that_is_hashed_is_tried_again_where_it_was() {
    let key = vec!["header x-user".to_owned()];
    let one = "{destination: {host: db}}";
    assert_eq!(hashed(&db(HEADER, &[&routed(one, "")])), (key.clone(), false));
    let said = "  retries: {attempts: 1, retryIgnorePreviousHosts: true}";
    assert_eq!(hashed(&db(HEADER, &[&routed(one, said)])), (key.clone(), true));
    // The default route of a service, and several destinations, avoid.
    assert_eq!(hashed(&db(HEADER, &[])), (key, true));
    let two =
        "{destination: {host: db, subset: v1}, weight: 1}, {destination: {host: db, subset: v2}, weight: 1}";
    let (keys, avoids) = hashed(&db(HEADER, &[&routed(two, "")]));
    assert_eq!((keys.len(), avoids), (2, true));
}

#[test]
fn a_key_for_a_port_needs_the_port_in_the_destination() {
    let for_port = format!("portLevelSettings: [{{port: {{number: 8080}}, {HEADER}}}]");
    let keys = |others: &[&str]| hashed(&db(&for_port, others)).0.len();
    assert_eq!(keys(&[]), 1);
    assert_eq!(
        keys(&[&routed("{destination: {host: db, port: {number: 8080}}}", "")]),
        1
    );
    assert_eq!(keys(&[&routed("{destination: {host: db}}", "")]), 0);
}

fn pod(name: &str, locality: &str) -> Workload {
    Workload {
        name: name.to_owned(),
        namespace: "shop".to_owned(),
        labels: labels(&[("app", "db")]),
        address: [127, 0, 0, 1].into(),
        ports: BTreeMap::new(),
        port_names: BTreeMap::new(),
        ready: true,
        locality: locality.parse().ok(),
        weight: 1,
    }
}

/// Priorities, as `name:weight of its locality`.
fn priorities(policy: &str, here: &str) -> Vec<String> {
    let workloads = [
        pod("near", "r1/z1/s1"),
        pod("zone", "r1/z1/s2"),
        pod("region", "r1/z2/s1"),
        pod("two", "r2/z1/s1"),
        pod("three", "r3/z1/s1"),
        pod("none", ""),
    ];
    let client = Client {
        locality: here.parse().ok(),
        ..client()
    };
    let view = db(policy, &[]).view(&client, &workloads);
    let cluster = view.cluster(view.cluster_named(DB).unwrap());
    let levels = cluster.priorities.iter().map(|priority| {
        let groups = priority.localities.iter().flat_map(|group| {
            let names = group
                .endpoints
                .iter()
                .map(|index| &cluster.endpoints[*index].workload);
            names.map(|name| format!("{name}:{}", group.weight))
        });
        groups.collect::<Vec<_>>().join(" ")
    });
    levels.collect()
}

const OUTLIER: &str = "outlierDetection: {}";

#[test]
fn endpoints_are_ordered_by_distance_if_outliers_are_detected() {
    let expected = ["near:1", "zone:1", "region:1", "none:1 two:1 three:1"];
    assert_eq!(priorities(OUTLIER, "r1/z1/s1"), expected);
    assert_eq!(priorities("loadBalancer: {simple: RANDOM}", "r1/z1/s1").len(), 1);
    let off = "loadBalancer: {localityLbSetting: {enabled: false}}, outlierDetection: {}";
    assert_eq!(priorities(off, "r1/z1/s1").len(), 1);
}

#[test]
fn a_failover_puts_its_target_before_other_regions() {
    let failover =
        "loadBalancer: {localityLbSetting: {failover: [{from: r1, to: r3}]}}, outlierDetection: {}";
    let expected = ["near:1", "zone:1", "region:1", "three:1", "none:1 two:1"];
    assert_eq!(priorities(failover, "r1/z1/s1"), expected);
}

#[test]
fn failover_priority_compares_labels_in_order() {
    let by = "loadBalancer: {localityLbSetting: {failoverPriority: [topology.kubernetes.io/region, topology.kubernetes.io/zone]}}, outlierDetection: {}";
    // `two` and `three` share the zone's name only, which is worth nothing.
    assert_eq!(
        priorities(by, "r1/z1/s1"),
        ["near:1 zone:1", "region:1", "none:1 two:1 three:1"]
    );
    let value = "loadBalancer: {localityLbSetting: {failoverPriority: [\"topology.kubernetes.io/region=r2\"]}}, outlierDetection: {}";
    assert_eq!(priorities(value, "r1/z1/s1")[0], "two:1");
}

#[test]
fn distribute_gives_shares_and_leaves_out_what_it_does_not_list() {
    let shares =
        "loadBalancer: {localityLbSetting: {distribute: [{from: r1/z1/*, to: {r1/z1/*: 80, r2/*: 20}}]}}";
    assert_eq!(priorities(shares, "r1/z1/s1"), ["near:40 zone:40 two:20"]);
    // Nothing is said for other clients.
    assert_eq!(priorities(shares, "r9").len(), 1);
    assert_eq!(priorities(shares, "r9")[0].split(' ').count(), 6);
}
