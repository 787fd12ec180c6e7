//! DestinationRules: which one applies, how several become one, what a subset inherits, and each policy.

mod inheriting;
mod load_balancer;
mod lookup;
mod merging;
mod origins;
mod outlier;
mod pool;

use mesh_config::{Client, ClusterPolicy, LoadBalancer, Mesh};

use crate::kit::{client, istio, mesh, service};

const NAME: &str = "outbound|8080|v1|db.shop.svc.cluster.local";

/// A mesh with a service `db` in `shop` and these rules, each a second older than the next.
pub(super) fn db(rules: &[&str]) -> Mesh {
    let service = service("shop/db", "{name: http, port: 8080}");
    mesh(&[&[service.as_str()], rules].concat())
}

pub(super) fn rule(name: &str, spec: &str) -> String {
    istio("DestinationRule", name, spec)
}

/// A rule for `db` whose only subset is `v1` and whose load balancer tells it from others.
pub(super) fn marked(name: &str, spec: &str, balancer: &str) -> String {
    let subsets = "subsets: [{name: v1, labels: {version: v1}}]";
    rule(
        name,
        &format!("{spec}\ntrafficPolicy: {{loadBalancer: {{simple: {balancer}}}}}\n{subsets}"),
    )
}

pub(super) fn from(namespace: &str) -> Client {
    Client {
        namespace: namespace.to_owned(),
        ..client()
    }
}

pub(super) fn policy(mesh: &Mesh, client: &Client, cluster: &str) -> Option<ClusterPolicy> {
    let view = mesh.view(client, &[]);
    view.cluster_named(cluster)
        .map(|id| view.cluster(id).policy.clone())
}

/// The load balancer that tells which rule applies; `None` without any.
pub(super) fn applies(mesh: &Mesh, namespace: &str) -> Option<LoadBalancer> {
    policy(mesh, &from(namespace), NAME).map(|policy| policy.load_balancer)
}

/// Names of the subsets that a client in this namespace has.
pub(super) fn subsets(mesh: &Mesh, namespace: &str) -> Vec<String> {
    let view = mesh.view(&from(namespace), &[]);
    let clusters = view
        .clusters
        .iter()
        .filter(|cluster| cluster.service_name == "db");
    clusters.filter_map(|cluster| cluster.subset.clone()).collect()
}

pub(super) const FULL: &str = "host: db.shop.svc.cluster.local";

/// The policy of subset `v1`, whose own policy and that of the rule are given.
pub(super) fn of_subset(top: &str, subset: &str) -> ClusterPolicy {
    let top = if top.is_empty() {
        String::new()
    } else {
        format!("trafficPolicy: {{{top}}}\n")
    };
    let own = if subset.is_empty() {
        String::new()
    } else {
        format!(", trafficPolicy: {{{subset}}}")
    };
    let mesh = db(&[&rule(
        "shop/a",
        &format!("{FULL}\n{top}subsets: [{{name: v1{own}}}]"),
    )]);
    policy(&mesh, &client(), NAME).unwrap()
}
