//! Which rule applies to a service, for one client.

use mesh_config::{Client, LoadBalancer};

use super::{FULL, applies, db, marked, rule, subsets};
use crate::kit::{client, labels};

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
