//! The DestinationRule that each part of a cluster is said to be from.

use mesh_config::{Cluster, Mesh};

use super::{FULL, NAME, db, rule};
use crate::kit::client;

/// `subset a:9`, ...: part, name of the rule, line.
fn origins(mesh: &Mesh, cluster: &str) -> Vec<String> {
    let view = mesh.view(&client(), &[]);
    let cluster: &Cluster = view.cluster(view.cluster_named(cluster).unwrap());
    let shown = cluster.origins.iter().map(|(part, origin)| {
        assert_eq!(origin.file, "test.yaml");
        format!("{part:?} {}:{}", origin.object.name, origin.line)
    });
    shown.collect()
}

/// Lines of `text`, which begins in line 5 of the object.
fn with(text: &str) -> String {
    format!("{FULL}\n{text}")
}

#[test]
fn each_part_is_from_the_rule_and_the_line_that_gives_it() {
    let policy = "\
trafficPolicy:
  loadBalancer:
    simple: RANDOM
  connectionPool: {tcp: {maxConnections: 1}}
  outlierDetection: {}
  retryBudget: {}
  tls: {mode: SIMPLE}
";
    let subsets = "\
subsets:
- name: v1
- name: v2
  trafficPolicy:
    outlierDetection: {interval: 1s}
    tls: {mode: DISABLE}
";
    // The rules of a host are one, and still each part is known to be the one's or the other's.
    let mesh = db(&[
        &rule("shop/policy", &with(policy)),
        &rule("shop/subsets", &with(subsets)),
    ]);
    let top = [
        "LoadBalancer policy:8",
        "ConnectionPool policy:9",
        "RetryBudget policy:11",
        "OutlierDetection policy:10",
        "Tls policy:12",
    ];
    assert_eq!(origins(&mesh, &NAME.replace("v1", "")), top);
    assert_eq!(origins(&mesh, NAME), [&["Subset subsets:7"], &top[..]].concat());
    let v2 = [
        "Subset subsets:8",
        top[0],
        top[1],
        top[2],
        "OutlierDetection subsets:10",
        "Tls subsets:11",
    ];
    assert_eq!(origins(&mesh, &NAME.replace("v1", "v2")), v2);
}

#[test]
fn a_setting_for_the_port_is_where_a_part_is_from() {
    let policy = "\
trafficPolicy:
  outlierDetection: {}
  portLevelSettings:
  - port: {number: 8080}
    loadBalancer: {simple: RANDOM}
subsets: [{name: v1}]
";
    let mesh = db(&[&rule("shop/a", &with(policy))]);
    assert_eq!(origins(&mesh, NAME), ["Subset a:11", "LoadBalancer a:10"]);
}

#[test]
fn a_rule_that_is_hidden_or_gives_nothing_is_nowhere() {
    let hidden = rule("shop/first", "host: \"*\"\ntrafficPolicy: {outlierDetection: {}}");
    let mesh = db(&[&hidden, &rule("shop/second", &with("subsets: [{name: v1}]"))]);
    assert_eq!(origins(&mesh, NAME), ["Subset second:6"]);
    assert_eq!(origins(&mesh, &NAME.replace("v1", "")), Vec::<String>::new());
    // A policy of a later rule does not count where an earlier one has one.
    let one = rule(
        "shop/one",
        &with("trafficPolicy: {loadBalancer: {simple: RANDOM}}"),
    );
    let two = rule(
        "shop/two",
        &with("trafficPolicy: {outlierDetection: {}}\nsubsets: [{name: v1}]"),
    );
    assert_eq!(
        origins(&db(&[&one, &two]), NAME),
        ["Subset two:7", "LoadBalancer one:6"]
    );
}
