//! Which rule a request meets: names of hosts, who sees a rule, which of several rules wins.

use mesh_config::{Client, ListenerKind, Mesh};

use crate::kit::{ask, client, goes, istio, mesh, objects, service, show, to};

/// A VirtualService with these hosts (and further lines of the spec) that leads to a subset of `auth` in `shop`.
fn rule(name: &str, spec: &str, subset: &str) -> String {
    let target = format!("{{host: auth.shop.svc.cluster.local, subset: {subset}, port: {{number: 8080}}}}");
    istio(
        "VirtualService",
        name,
        &format!("{spec}\nhttp: [{{route: [{{destination: {target}}}]}}]"),
    )
}

fn from(namespace: &str) -> Client {
    Client {
        namespace: namespace.to_owned(),
        ..client()
    }
}

fn check(mesh: &Mesh, rows: &[(&str, &str)]) {
    for (url, expected) in rows {
        assert_eq!(goes(mesh, &format!("GET http://{url}/")), *expected, "{url}");
    }
}

#[test]
fn a_service_answers_to_its_names_whatever_port_and_case_the_host_header_has() {
    let mesh = mesh(&[]);
    for (host, in_shop, elsewhere) in [
        ("auth", "*", "502"),
        ("AUTH", "*", "502"),
        ("auth.shop", "*", "*"),
        ("auth.shop.svc", "*", "*"),
        ("auth.shop.svc.cluster.local", "*", "*"),
        ("auth.shop.svc.cluster.local.", "*", "*"),
        ("auth.", "502", "502"),
        ("auth.shop.svc.cluster", "502", "502"),
        ("x.auth", "502", "502"),
        ("auth.other", "502", "502"),
    ] {
        for (namespace, expected) in [("shop", in_shop), ("other", elsewhere)] {
            let distribution = ask(&mesh, &from(namespace), &format!("GET http://{host}:8080/"));
            assert_eq!(show(&distribution), expected, "{host} from {namespace}");
        }
    }
    // The port dialled selects the table, whatever the Host header says.
    let request = crate::kit::Request::new("GET http://auth:12345/");
    assert_eq!(show(&mesh.distribution(&client(), 8080, &request.head())), "*");
    assert_eq!(show(&mesh.distribution(&client(), 9999, &request.head())), "502");
}

#[test]
fn a_headless_service_also_owns_the_names_below_its_own() {
    let headless =
        service("shop/ledger", "{name: http, port: 8080}").replace("spec: {", "spec: {clusterIP: None, ");
    let mesh = mesh(&[&headless]);
    check(
        &mesh,
        &[
            ("ledger:8080", "*"),
            ("ledger-0.ledger:8080", "*"),
            ("a.b.ledger.shop.svc.cluster.local:8080", "*"),
            ("x.auth:8080", "502"),
        ],
    );
}

#[test]
fn only_http_ports_of_services_have_virtual_hosts() {
    for (port, http) in [
        ("{name: http, port: 7000}", true),
        ("{name: http-web, port: 7000}", true),
        ("{name: http2, port: 7000}", true),
        ("{name: grpc-web, port: 7000}", true),
        ("{port: 7000}", true),
        ("{name: web, port: 7000}", true),
        ("{name: httpx, port: 7000}", true),
        ("{name: tcp, port: 7000}", false),
        ("{name: tcp-web, port: 7000}", false),
        ("{name: https, port: 7000}", false),
        ("{name: tls-x, port: 7000}", false),
        ("{name: mongo, port: 7000}", false),
        ("{name: redis, port: 7000}", false),
        ("{name: mysql, port: 7000}", false),
        ("{name: dns, port: 7000, protocol: UDP}", false),
        ("{name: http, port: 7000, appProtocol: tcp}", false),
        ("{name: tcp, port: 7000, appProtocol: http}", true),
        ("{name: tcp, port: 7000, appProtocol: kubernetes.io/h2c}", true),
        ("{name: tcp, port: 7000, appProtocol: kubernetes.io/wss}", false),
        ("{name: tcp, port: 7000, appProtocol: company.example/own}", true),
        // Where the server speaks first, nothing can be sniffed.
        ("{port: 3306}", false),
        ("{name: http, port: 3306}", true),
    ] {
        let mesh = mesh(&[&service("shop/web", port)]);
        let ports = mesh.client_ports(&client());
        let found = ports
            .iter()
            .any(|(number, kind)| ![80, 8080].contains(number) && *kind == ListenerKind::Http);
        assert_eq!(found, http, "{port}");
    }
}

#[test]
fn hosts_of_a_rule_are_completed_with_its_own_namespace_and_compared_without_case() {
    for (name, hosts, expected) in [
        ("shop/a", "auth", "v2"),
        ("shop/a", "Auth", "v2"),
        ("shop/a", "auth.shop.svc.cluster.local", "v2"),
        ("shop/a", "AUTH.shop.svc.cluster.local", "v2"),
        ("other/a", "auth.shop.svc.cluster.local", "v2"),
        ("other/a", "auth", "*"),
        ("shop/a", "auth.shop", "*"),
        ("shop/a", "auth.shop.svc", "*"),
        ("shop/a", "auth.shop.svc.cluster.local.", "*"),
        ("shop/a", "\"*.shop.svc.cluster.local\"", "v2"),
        // Nothing need stand in front of the end that a wildcard shares with a service.
        ("shop/a", "\"*auth.shop.svc.cluster.local\"", "v2"),
        ("shop/a", "\"*th\"", "v2"),
        ("shop/a", "\"*.other.svc.cluster.local\"", "*"),
    ] {
        let mesh = mesh(&[&rule(name, &format!("hosts: [{hosts}]"), "v2")]);
        assert_eq!(goes(&mesh, "GET http://auth:8080/"), expected, "{name} {hosts}");
    }
}

#[test]
fn a_rule_for_all_names_of_a_service_applies_to_each_of_them() {
    let mesh = mesh(&[&rule("shop/a", "hosts: [auth]", "v2")]);
    check(
        &mesh,
        &[
            ("auth.shop:8080", "v2"),
            ("auth.shop.svc:8080", "v2"),
            ("auth.shop.svc.cluster.local.:80", "v2"),
        ],
    );
}

#[test]
fn hosts_that_are_no_service_exist_on_port_80_alone() {
    let rules = [
        rule("shop/a", "hosts: [bank.example, login]", "v1"),
        rule("shop/b", "hosts: [\"*.bank.example\", \"*bank.test\"]", "v2"),
    ];
    let mesh = mesh(&[&rules[0], &rules[1]]);
    check(
        &mesh,
        &[
            ("bank.example", "v1"),
            ("bank.example:8080", "502"),
            // A short name has its full form only.
            ("login", "502"),
            ("login.shop", "502"),
            ("login.shop.svc.cluster.local", "v1"),
            ("api.bank.example", "v2"),
            ("a.api.bank.example", "v2"),
            ("API.bank.example", "v2"),
            ("api.bank.example.", "502"),
            ("mybank.test", "v2"),
            // At least one character is needed in front.
            ("bank.test", "502"),
            ("other.example", "502"),
        ],
    );
}

#[test]
fn a_name_with_one_dot_takes_exactly_that_alias_of_the_service_on_port_80() {
    let mesh = mesh(&[&rule("shop/a", "hosts: [auth.shop]", "v2")]);
    check(
        &mesh,
        &[
            ("auth.shop", "v2"),
            ("auth", "*"),
            ("auth.shop.svc", "*"),
            ("auth.shop.svc.cluster.local", "*"),
            ("auth.shop:8080", "*"),
        ],
    );
}

#[test]
fn one_host_that_is_a_service_selects_the_whole_rule_on_its_port() {
    let owner = rule("shop/older", "hosts: [auth]", "v1");
    let both = rule("shop/younger", "hosts: [auth, bank.example]", "v2");
    check(
        &mesh(&[&both]),
        &[("bank.example:8080", "v2"), ("auth:8080", "v2")],
    );
    // Also when another rule has the service: the younger one loses that host only.
    check(
        &mesh(&[&owner, &both]),
        &[("bank.example:8080", "v2"), ("auth:8080", "v1")],
    );
}

#[test]
fn a_wildcard_gets_a_service_unless_a_more_specific_host_of_any_rule_covers_it() {
    let wide = rule("shop/a", "hosts: [\"*.svc.cluster.local\"]", "v1");
    let narrow = rule("shop/b", "hosts: [\"*.shop.svc.cluster.local\"]", "v2");
    let exact = rule("shop/c", "hosts: [auth]", "next");
    check(
        &mesh(&[&wide]),
        &[
            ("auth:8080", "v1"),
            ("unknown.shop.svc.cluster.local:8080", "502"),
        ],
    );
    check(&mesh(&[&wide, &narrow]), &[("auth:8080", "v2")]);
    check(&mesh(&[&wide, &narrow, &exact]), &[("auth:8080", "next")]);
    // A rule that is left without routes still keeps the wildcard away.
    let elsewhere = exact.replace("http: [{", "http: [{match: [{sourceNamespace: other}], ");
    check(&mesh(&[&wide, &elsewhere]), &[("auth:8080", "*")]);
}

#[test]
fn the_oldest_rule_for_a_host_wins_whole_and_ties_go_by_name_then_namespace() {
    let (v1, v2) = (
        rule("shop/z", "hosts: [auth]", "v1"),
        rule("shop/a", "hosts: [auth]", "v2"),
    );
    check(&mesh(&[&v1, &v2]), &[("auth:8080", "v1")]);
    let together = format!("{v1}---\n{v2}");
    check(&mesh(&[&together]), &[("auth:8080", "v2")]);
    let elsewhere = rule("bank/z", "hosts: [auth.shop.svc.cluster.local]", "next");
    check(
        &mesh(&[&format!("{v1}---\n{elsewhere}")]),
        &[("auth:8080", "next")],
    );
    // An update keeps the age, a new object is the youngest.
    let updated = mesh(&[&v1, &v2])
        .apply(objects(&v1.replace("subset: v1", "subset: next")), 9)
        .unwrap()
        .0;
    check(&updated, &[("auth:8080", "next")]);
    let key = objects(&v1)[0].key();
    let anew = updated.delete(std::slice::from_ref(&key)).0;
    check(&anew, &[("auth:8080", "v2")]);
    check(&anew.apply(objects(&v1), 10).unwrap().0, &[("auth:8080", "v2")]);
}

#[test]
fn a_rule_without_routes_for_the_client_leaves_the_host_to_the_next_one() {
    let first = istio(
        "VirtualService",
        "shop/a",
        &format!(
            "hosts: [auth]\nhttp:\n- match: [{{port: 80}}, {{sourceLabels: {{app: x}}}}]\n  {}",
            to("v1")
        ),
    );
    let second = rule("shop/b", "hosts: [auth]", "v2");
    check(&mesh(&[&first]), &[("auth:8080", "*"), ("auth", "v1")]);
    check(&mesh(&[&first, &second]), &[("auth:8080", "v2"), ("auth", "v1")]);
}

#[test]
fn private_rules_come_before_those_exported_by_name_and_those_before_public_ones() {
    let hosts = "hosts: [auth.shop.svc.cluster.local]";
    let public = rule("shop/a", hosts, "v1");
    let to_me = rule("bank/b", &format!("{hosts}\nexportTo: [shop, other]"), "v2");
    let private = rule("shop/c", &format!("{hosts}\nexportTo: [\".\", bank]"), "next");
    check(&mesh(&[&public]), &[("auth:8080", "v1")]);
    check(&mesh(&[&public, &to_me]), &[("auth:8080", "v2")]);
    check(&mesh(&[&public, &to_me, &private]), &[("auth:8080", "next")]);
    let all = mesh(&[&public, &to_me, &private]);
    for (namespace, expected) in [("other", "v2"), ("bank", "next"), ("third", "v1")] {
        let found = show(&ask(&all, &from(namespace), "GET http://auth.shop:8080/"));
        assert_eq!(found, expected, "{namespace}");
    }
}

#[test]
fn export_rules_decide_who_sees_a_rule() {
    for (export_to, own, other) in [
        ("", "v2", "v2"),
        ("exportTo: []", "v2", "v2"),
        ("exportTo: [\"*\"]", "v2", "v2"),
        ("exportTo: [\".\"]", "v2", "*"),
        ("exportTo: [shop]", "v2", "*"),
        ("exportTo: [other]", "*", "v2"),
    ] {
        let mesh = mesh(&[&rule("shop/a", &format!("hosts: [auth]\n{export_to}"), "v2")]);
        for (namespace, expected) in [("shop", own), ("other", other)] {
            let found = show(&ask(&mesh, &from(namespace), "GET http://auth.shop:8080/"));
            assert_eq!(found, expected, "{export_to} from {namespace}");
        }
    }
}

#[test]
fn only_rules_bound_to_the_mesh_count_for_a_sidecar() {
    for (gateways, expected) in [
        ("", "v2"),
        ("gateways: [mesh]", "v2"),
        ("gateways: [public, mesh]", "v2"),
        ("gateways: [public]", "*"),
        ("gateways: [istio-system/mesh]", "*"),
    ] {
        let mesh = mesh(&[&rule("shop/a", &format!("hosts: [auth]\n{gateways}"), "v2")]);
        assert_eq!(goes(&mesh, "GET http://auth:8080/"), expected, "{gateways}");
    }
}
