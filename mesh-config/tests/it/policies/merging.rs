//! Several rules for one host.

use mesh_config::LoadBalancer;

use super::{FULL, applies, db, marked, rule, subsets};
use crate::kit::{client, rules, service, to};

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
