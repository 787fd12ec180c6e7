//! What a subset and a port have of the policy above them.

use mesh_config::{ClusterPolicy, ConnectionPool, LoadBalancer, OutlierDetection};

use super::of_subset;

#[test]
fn a_subset_inherits_the_blocks_that_it_does_not_give_and_replaces_the_others_whole() {
    assert_eq!(of_subset("", ""), ClusterPolicy::default());
    let top = "loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {maxConnections: 5}}, outlierDetection: {consecutive5xxErrors: 1}";
    let inherited = of_subset(top, "");
    assert_eq!(inherited.load_balancer, LoadBalancer::Random);
    assert_eq!(inherited.pool.max_connections, Some(5));
    assert_eq!(inherited.outlier.as_ref().unwrap().consecutive_5xx, 1);
    let own = of_subset(top, "connectionPool: {http: {http2MaxRequests: 7}}");
    let pool = ConnectionPool {
        max_requests: Some(7),
        ..ConnectionPool::default()
    };
    assert_eq!(
        own,
        ClusterPolicy {
            pool,
            ..inherited.clone()
        }
    );
    let own = of_subset(top, "loadBalancer: {simple: ROUND_ROBIN}, outlierDetection: {}");
    assert_eq!(own.load_balancer, LoadBalancer::RoundRobin);
    assert_eq!(own.outlier, Some(OutlierDetection::default()));
}

/// The policy of subset `v1` with a setting for port 8080 in the rule, in the subset, or in both.
fn for_port(top: &str, subset: &str) -> (Option<u32>, LoadBalancer) {
    let policy = of_subset(top, subset);
    (policy.pool.max_requests, policy.load_balancer)
}

#[test]
fn a_setting_for_the_port_replaces_the_rules_policy_whole() {
    let seven = "connectionPool: {http: {http2MaxRequests: 7}}";
    let port = |number| {
        format!("portLevelSettings: [{{port: {{number: {number}}}, loadBalancer: {{simple: RANDOM}}}}]")
    };
    assert_eq!(
        for_port(&format!("{seven}, {}", port(8080)), ""),
        (None, LoadBalancer::Random)
    );
    assert_eq!(
        for_port(&format!("{seven}, {}", port(9999)), ""),
        (Some(7), LoadBalancer::LeastRequest)
    );
    // A subset inherits from it what it does not give itself,
    assert_eq!(for_port(&port(8080), seven), (Some(7), LoadBalancer::Random));
    // and one of its own leaves nothing to inherit.
    let robin = "loadBalancer: {simple: ROUND_ROBIN}";
    let own = format!("{seven}, {}", port(8080));
    assert_eq!(
        for_port(&format!("{robin}, {seven}"), &own),
        (None, LoadBalancer::Random)
    );
    assert_eq!(
        for_port(seven, &format!("{robin}, {}", port(9999))),
        (Some(7), LoadBalancer::RoundRobin)
    );
}
