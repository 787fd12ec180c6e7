//! DestinationRules: which one applies, how several become one, what a subset inherits.

use std::time::Duration;

use mesh_config::{Client, ClusterPolicy, ConnectionPool, LoadBalancer, Mesh, OutlierDetection};

use crate::kit::{client, istio, labels, mesh, rules, service, to};

const NAME: &str = "outbound|8080|v1|db.shop.svc.cluster.local";

/// A mesh with a service `db` in `shop` and these rules, each a second older than the next.
fn db(rules: &[&str]) -> Mesh {
    let service = service("shop/db", "{name: http, port: 8080}");
    mesh(&[&[service.as_str()], rules].concat())
}

fn rule(name: &str, spec: &str) -> String {
    istio("DestinationRule", name, spec)
}

/// A rule for `db` whose only subset is `v1` and whose load balancer tells it from others.
fn marked(name: &str, spec: &str, balancer: &str) -> String {
    let subsets = "subsets: [{name: v1, labels: {version: v1}}]";
    rule(
        name,
        &format!("{spec}\ntrafficPolicy: {{loadBalancer: {{simple: {balancer}}}}}\n{subsets}"),
    )
}

fn from(namespace: &str) -> Client {
    Client {
        namespace: namespace.to_owned(),
        ..client()
    }
}

fn policy(mesh: &Mesh, client: &Client, cluster: &str) -> Option<ClusterPolicy> {
    let view = mesh.view(client, &[]);
    view.cluster_named(cluster)
        .map(|id| view.cluster(id).policy.clone())
}

/// The load balancer that tells which rule applies; `None` without any.
fn applies(mesh: &Mesh, namespace: &str) -> Option<LoadBalancer> {
    policy(mesh, &from(namespace), NAME).map(|policy| policy.load_balancer)
}

/// Names of the subsets that a client in this namespace has.
fn subsets(mesh: &Mesh, namespace: &str) -> Vec<String> {
    let view = mesh.view(&from(namespace), &[]);
    let clusters = view
        .clusters
        .iter()
        .filter(|cluster| cluster.service_name == "db");
    clusters.filter_map(|cluster| cluster.subset.clone()).collect()
}

const FULL: &str = "host: db.shop.svc.cluster.local";

#[test]
fn the_host_of_a_rule_is_compared_with_regard_to_case() {
    for (name, host, found) in [
        ("shop/a", "db", true),
        ("shop/a", "DB", false),
        ("shop/a", "DB.shop.svc.cluster.local", false),
        ("shop/a", "db.shop", false),
        ("shop/a", "db.shop.svc.cluster.local.", false),
        ("shop/a", "\"*\"", true),
        ("shop/a", "\"*.cluster.local\"", true),
        ("shop/a", "\"*db.shop.svc.cluster.local\"", true),
        ("shop/a", "\"*b\"", true),
        ("other/a", "db", false),
    ] {
        let mesh = db(&[&marked(name, &format!("host: {host}"), "RANDOM")]);
        assert_eq!(applies(&mesh, "shop").is_some(), found, "{name} {host}");
    }
}

#[test]
fn the_first_namespace_with_a_rule_ends_the_search() {
    let (mine, owners, root) = (
        marked("bank/a", "host: \"*.local\"", "RANDOM"),
        marked("shop/a", FULL, "ROUND_ROBIN"),
        marked("istio-system/a", FULL, "LEAST_REQUEST"),
    );
    let (random, robin, least) = (
        Some(LoadBalancer::Random),
        Some(LoadBalancer::RoundRobin),
        Some(LoadBalancer::LeastRequest),
    );
    // The client's own, though only a wildcard; then the service's; then the root namespace's; no other.
    let all = db(&[&root, &owners, &mine]);
    for (namespace, expected) in [
        ("bank", random),
        ("shop", robin),
        ("third", robin),
        ("istio-system", robin),
    ] {
        assert_eq!(applies(&all, namespace), expected, "{namespace}");
    }
    assert_eq!(applies(&db(&[&root, &mine]), "third"), least);
    assert_eq!(applies(&db(&[&mine]), "third"), None);
}

#[test]
fn a_client_in_the_root_namespace_finds_there_first_only_what_is_private_to_it() {
    let owners = marked("shop/a", FULL, "ROUND_ROBIN");
    for (export_to, expected) in [
        ("", LoadBalancer::RoundRobin),
        ("\nexportTo: [\".\"]", LoadBalancer::Random),
    ] {
        let root = marked("istio-system/a", &format!("{FULL}{export_to}"), "RANDOM");
        assert_eq!(
            applies(&db(&[&owners, &root]), "istio-system"),
            Some(expected),
            "{export_to}"
        );
    }
}

#[test]
fn export_rules_decide_who_sees_a_rule() {
    for (export_to, shop, bank) in [
        ("", true, true),
        ("exportTo: [\"*\"]", true, true),
        ("exportTo: [\".\"]", true, false),
        ("exportTo: [bank]", false, true),
        ("exportTo: [third]", false, false),
        ("exportTo: [\".\", bank]", true, true),
    ] {
        let mesh = db(&[&marked("shop/a", &format!("{FULL}\n{export_to}"), "RANDOM")]);
        for (namespace, seen) in [("shop", shop), ("bank", bank)] {
            assert_eq!(
                applies(&mesh, namespace).is_some(),
                seen,
                "{export_to} from {namespace}"
            );
        }
    }
    // A rule of the client's namespace for another namespace is not the client's; the search goes on.
    let mine = marked("bank/a", &format!("{FULL}\nexportTo: [third]"), "RANDOM");
    let mesh = db(&[&mine, &marked("shop/a", FULL, "ROUND_ROBIN")]);
    assert_eq!(applies(&mesh, "bank"), Some(LoadBalancer::RoundRobin));
}

#[test]
fn an_exact_host_hides_wildcards_even_where_it_is_not_exported() {
    let exact = marked("shop/a", &format!("{FULL}\nexportTo: [bank]"), "RANDOM");
    let wide = marked("shop/b", "host: \"*.shop.svc.cluster.local\"", "ROUND_ROBIN");
    let mesh = db(&[&wide, &exact]);
    assert_eq!(applies(&mesh, "bank"), Some(LoadBalancer::Random));
    assert_eq!(applies(&mesh, "third"), None);
    assert_eq!(applies(&mesh, "shop"), Some(LoadBalancer::RoundRobin));
    let longer = marked("shop/c", "host: \"*b.shop.svc.cluster.local\"", "RANDOM");
    assert_eq!(
        applies(&db(&[&wide, &longer]), "shop"),
        Some(LoadBalancer::Random)
    );
}

#[test]
fn rules_for_one_host_are_one_with_the_first_policy_and_the_first_subset_of_a_name() {
    let plain = rule(
        "shop/a",
        &format!("{FULL}\nsubsets: [{{name: v1, labels: {{version: v1}}}}]"),
    );
    let second = rule(
        "shop/b",
        &format!(
            "{FULL}\ntrafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}\nsubsets: [{{name: v1, labels: {{version: x}}}}, {{name: v2, labels: {{version: v2}}}}]"
        ),
    );
    let third = marked("shop/c", FULL, "ROUND_ROBIN");
    let mesh = db(&[&plain, &second, &third]);
    assert_eq!(subsets(&mesh, "shop"), ["v1", "v2"]);
    assert_eq!(applies(&mesh, "shop"), Some(LoadBalancer::Random));
    let route = rules(&format!("- {}", to("v1").replace("auth", "db")));
    let mesh = crate::kit::mesh(&[
        &service("shop/db", "{name: http, port: 8080}"),
        &plain,
        &second,
        &route,
    ]);
    let share = &crate::kit::ask(&mesh, &client(), "GET http://auth:8080/").shares[0];
    assert_eq!(
        share.version.as_deref(),
        Some("v1"),
        "the first definition of a subset counts"
    );
    // A wildcard's subsets are never added to an exact rule.
    let wide = second
        .replace("host: db", "host: \"*")
        .replace("local\n", "local\"\n");
    assert_eq!(subsets(&db(&[&wide, &plain]), "shop"), ["v1"]);
}

#[test]
fn rules_with_different_export_rules_hide_one_another() {
    let subset = |name: &str, export_to: &str, subset: &str| {
        rule(
            name,
            &format!("{FULL}\nexportTo: [{export_to}]\nsubsets: [{{name: {subset}}}]"),
        )
    };
    let (private, public) = (subset("shop/a", "\".\"", "p"), subset("shop/b", "\"*\"", "q"));
    // Only the younger one counts inside the namespace.
    assert_eq!(subsets(&db(&[&private, &public]), "shop"), ["q"]);
    assert_eq!(subsets(&db(&[&public, &private]), "shop"), ["p"]);
    assert_eq!(subsets(&db(&[&public, &private]), "bank"), ["q"]);
    // A wider rule joins the older narrow one and does not stand on its own.
    let (narrow, wider) = (
        subset("shop/a", "bank", "p"),
        subset("shop/b", "bank, third", "q"),
    );
    let mesh = db(&[&narrow, &wider]);
    assert_eq!(
        (subsets(&mesh, "bank"), subsets(&mesh, "third")),
        (vec!["p".to_owned(), "q".to_owned()], vec![])
    );
    let mesh = db(&[&wider, &narrow]);
    assert_eq!(
        (subsets(&mesh, "bank"), subsets(&mesh, "third")),
        (vec!["p".to_owned()], vec!["q".to_owned()])
    );
}

#[test]
fn a_rule_with_a_workload_selector_is_for_those_clients_of_its_namespace_alone() {
    let selected = rule(
        "shop/a",
        &format!("{FULL}\nworkloadSelector: {{matchLabels: {{app: client}}}}\nsubsets: [{{name: mine}}]"),
    );
    let all = rule("shop/b", &format!("{FULL}\nsubsets: [{{name: all}}]"));
    let mesh = db(&[&all, &selected]);
    assert_eq!(subsets(&mesh, "shop"), ["mine"]);
    assert_eq!(subsets(&mesh, "bank"), ["all"]);
    let other = Client {
        labels: labels(&[("app", "other")]),
        ..client()
    };
    let view = mesh.view(&other, &[]);
    assert!(
        view.cluster_named("outbound|8080|all|db.shop.svc.cluster.local")
            .is_some()
    );
    assert!(
        view.cluster_named("outbound|8080|mine|db.shop.svc.cluster.local")
            .is_none()
    );
}

/// The policy of subset `v1`, whose own policy and that of the rule are given.
fn of_subset(top: &str, subset: &str) -> ClusterPolicy {
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

#[test]
fn load_balancers_have_istios_names_and_default() {
    for (name, expected) in [
        ("LEAST_REQUEST", LoadBalancer::LeastRequest),
        ("LEAST_CONN", LoadBalancer::LeastRequest),
        ("UNSPECIFIED", LoadBalancer::LeastRequest),
        ("ROUND_ROBIN", LoadBalancer::RoundRobin),
        ("RANDOM", LoadBalancer::Random),
    ] {
        assert_eq!(
            of_subset(&format!("loadBalancer: {{simple: {name}}}"), "").load_balancer,
            expected,
            "{name}"
        );
    }
    assert_eq!(LoadBalancer::default(), LoadBalancer::LeastRequest);
}

#[test]
fn limits_are_unlimited_when_absent_or_zero() {
    let pool = |fields: &str| of_subset(&format!("connectionPool: {{{fields}}}"), "").pool;
    let zero =
        "tcp: {maxConnections: 0}, http: {http1MaxPendingRequests: 0, http2MaxRequests: 0, maxRetries: 0}";
    assert_eq!(pool(zero), ConnectionPool::default());
    let all = pool(
        "tcp: {maxConnections: 1, connectTimeout: 250ms, idleTimeout: 9s}, http: {http1MaxPendingRequests: 2, http2MaxRequests: 3, maxRetries: 4, maxRequestsPerConnection: 5, idleTimeout: 7s}",
    );
    let expected = ConnectionPool {
        max_connections: Some(1),
        connect_timeout: Duration::from_millis(250),
        max_pending: Some(2),
        max_requests: Some(3),
        max_retries: Some(4),
        max_requests_per_connection: Some(5),
        // The one of http wins.
        idle_timeout: Duration::from_secs(7),
        ..ConnectionPool::default()
    };
    assert_eq!(all, expected);
    assert_eq!(
        pool("tcp: {idleTimeout: 9s}").idle_timeout,
        Duration::from_secs(9)
    );
}

#[test]
fn outlier_detection_has_istios_defaults_and_a_share_of_zero_is_none_given() {
    let outlier = |fields: &str| {
        of_subset(&format!("outlierDetection: {{{fields}}}"), "")
            .outlier
            .unwrap()
    };
    let default = OutlierDetection {
        consecutive_5xx: 5,
        consecutive_gateway: 0,
        consecutive_local: None,
        interval: Duration::from_secs(10),
        base_ejection_time: Duration::from_secs(30),
        max_ejection_percent: 10,
        min_health_percent: 0,
    };
    assert_eq!(outlier(""), default);
    assert_eq!(outlier("maxEjectionPercent: 0, consecutiveErrors: 1"), default);
    let given = "consecutive5xxErrors: 0, consecutiveGatewayErrors: 2, interval: 1s, baseEjectionTime: 3s, maxEjectionPercent: 100, minHealthPercent: 40, splitExternalLocalOriginErrors: true";
    let expected = OutlierDetection {
        consecutive_5xx: 0,
        consecutive_gateway: 2,
        consecutive_local: Some(5),
        interval: Duration::from_secs(1),
        base_ejection_time: Duration::from_secs(3),
        max_ejection_percent: 100,
        min_health_percent: 40,
    };
    assert_eq!(outlier(given), expected);
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

#[test]
fn a_retry_budget_replaces_nothing_but_the_limit_on_retries() {
    let budget = of_subset("retryBudget: {percent: 50, minRetryConcurrency: 1}", "")
        .retry_budget
        .unwrap();
    assert_eq!([0, 1, 2, 9].map(|active| budget.allows(active)), [1, 1, 1, 4]);
    assert_eq!(
        of_subset("retryBudget: {}", "").retry_budget.unwrap().allows(10),
        3
    );
}
