//! The view of an ingress gateway: its servers, the rules bound to them, how rules for one host are merged.

use mesh_config::{Client, Mesh, Role, explain};

use crate::kit::{Request, client, istio, labels, mesh, service, show};

fn gateway() -> Client {
    Client {
        namespace: "istio-system".to_owned(),
        name: "istio-ingressgateway".to_owned(),
        labels: labels(&[("istio", "ingressgateway")]),
        locality: None,
        role: Role::Gateway,
    }
}

/// A Gateway with one HTTP server, whose hosts are given.
fn server(name: &str, port: u16, hosts: &str) -> String {
    let spec = format!(
        "selector: {{istio: ingressgateway}}\nservers: [{{port: {{number: {port}, name: http-{port}, protocol: HTTP}}, hosts: [{hosts}]}}]"
    );
    istio("Gateway", name, &spec)
}

/// A VirtualService whose only rule has this match and leads to a subset of `auth` in `shop`.
fn rule(name: &str, spec: &str, matches: &str, subset: &str) -> String {
    let target = format!("{{host: auth.shop.svc.cluster.local, subset: {subset}, port: {{number: 8080}}}}");
    let matches = if matches.is_empty() {
        String::new()
    } else {
        format!("match: [{matches}], ")
    };
    istio(
        "VirtualService",
        name,
        &format!("{spec}\nhttp: [{{{matches}route: [{{destination: {target}}}]}}]"),
    )
}

/// Where the gateway sends `GET http://URL` on port 80; a host without one is `404` as well as a missing route.
fn goes(mesh: &Mesh, url: &str) -> String {
    let request = Request::new(&format!("GET http://{url}"));
    show(&mesh.distribution(&gateway(), 80, &request.head())).replace("502", "404")
}

const PUBLIC: &str = "shop/public";

#[test]
fn a_server_with_https_redirect_answers_everything_with_the_https_url() {
    let spec = "selector: {istio: ingressgateway}\nservers:\n\
                - {port: {number: 80, name: http, protocol: HTTP}, hosts: [safe.example], tls: {httpsRedirect: true}}\n\
                - {port: {number: 80, name: plain, protocol: HTTP}, hosts: [bank.example]}";
    let bound = "hosts: [safe.example, bank.example]\ngateways: [public]";
    let rule = rule("shop/a", bound, "{uri: {prefix: /a}}", "v1");
    for with_rule in [true, false] {
        let gateway_object = istio("Gateway", PUBLIC, spec);
        let texts = [gateway_object.as_str(), rule.as_str()];
        let mesh = mesh(if with_rule { &texts } else { &texts[..1] });
        for (path, port) in [("/a?b=c", ""), ("/other", ":80"), ("/a", ":8080")] {
            let request = Request::new(&format!("GET http://safe.example{port}{path}"));
            let explained = explain(&mesh, &gateway(), 80, &request.head());
            assert!(explained.decision.contains("tls.httpsRedirect"), "{explained}");
            let location = format!("301 to https://safe.example{port}{path}");
            assert!(explained.to_string().contains(&location), "{explained}");
        }
        let other = if with_rule { "v1" } else { "404" };
        assert_eq!(goes(&mesh, "bank.example/a"), other);
    }
}

#[test]
fn a_gateway_serves_the_rules_bound_to_it_and_a_sidecar_does_not() {
    let bound = "hosts: [bank.example]\ngateways: [public]";
    let mesh = mesh(&[&server(PUBLIC, 80, "\"*\""), &rule("shop/a", bound, "", "v1")]);
    for (url, expected) in [
        ("bank.example/", "v1"),
        ("Bank.Example:8080/", "v1"),
        ("bank.example./", "404"),
        ("other.example/", "404"),
        // Services are not there by themselves.
        ("auth.shop.svc.cluster.local/", "404"),
    ] {
        assert_eq!(goes(&mesh, url), expected, "{url}");
    }
    assert_eq!(crate::kit::goes(&mesh, "GET http://bank.example/"), "502");
    let view = mesh.view(&gateway(), &[]);
    assert!(
        view.table(8080).is_none(),
        "only ports of servers are listened on"
    );
}

#[test]
fn a_gateway_is_named_with_or_without_its_namespace() {
    for (name, gateways, expected) in [
        ("shop/a", "public", "v1"),
        ("shop/a", "shop/public", "v1"),
        ("shop/a", "other, public", "v1"),
        ("shop/a", "mesh, public", "v1"),
        ("shop/a", "public.shop.svc.cluster.local", "v1"),
        ("shop/a", "mesh", "404"),
        ("shop/a", "private", "404"),
        ("other/a", "public", "404"),
        ("other/a", "shop/public", "v1"),
    ] {
        let bound = format!("hosts: [bank.example]\ngateways: [{gateways}]");
        let mesh = mesh(&[&server(PUBLIC, 80, "\"*\""), &rule(name, &bound, "", "v1")]);
        assert_eq!(goes(&mesh, "bank.example/"), expected, "{name} {gateways}");
    }
}

#[test]
fn the_more_specific_of_the_hosts_of_server_and_rule_is_served() {
    for (server_hosts, rule_hosts, rows) in [
        (
            "\"*\"",
            "\"*\"",
            vec![("any.example/", "v1"), ("127.0.0.1:8080/", "v1")],
        ),
        (
            "\"*.example\"",
            "bank.example",
            vec![("bank.example/", "v1"), ("other.example/", "404")],
        ),
        (
            "bank.example",
            "\"*.example\"",
            vec![("bank.example/", "v1"), ("other.example/", "404")],
        ),
        (
            "a.example, b.example",
            "\"*.example\"",
            vec![("a.example/", "v1"), ("b.example/", "v1"), ("c.example/", "404")],
        ),
        (
            "\"*.example\"",
            "\"*.bank.example\"",
            vec![("x.bank.example/", "v1"), ("bank.example/", "404")],
        ),
        (
            "bank.example",
            "other.example",
            vec![("bank.example/", "404"), ("other.example/", "404")],
        ),
        (
            "\"./bank.example\"",
            "bank.example",
            vec![("bank.example/", "v1")],
        ),
        (
            "\"*/bank.example\"",
            "bank.example",
            vec![("bank.example/", "v1")],
        ),
        (
            "other/bank.example",
            "bank.example",
            vec![("bank.example/", "404")],
        ),
        ("Bank.Example", "bank.EXAMPLE", vec![("bank.example/", "v1")]),
        // A short name is completed and answers to its full form alone.
        (
            "\"*\"",
            "login",
            vec![("login/", "404"), ("login.shop.svc.cluster.local/", "v1")],
        ),
    ] {
        let bound = format!("hosts: [{rule_hosts}]\ngateways: [public]");
        let mesh = mesh(&[
            &server(PUBLIC, 80, server_hosts),
            &rule("shop/a", &bound, "", "v1"),
        ]);
        for (url, expected) in rows {
            assert_eq!(
                goes(&mesh, url),
                expected,
                "{url} at {server_hosts} with {rule_hosts}"
            );
        }
    }
}

#[test]
fn rules_for_one_host_are_merged_by_age_with_what_takes_everything_at_the_end() {
    let bound = "hosts: [bank.example]\ngateways: [public]";
    let all = rule("shop/z", bound, "", "v1");
    let some = rule("shop/m", bound, "{uri: {prefix: /a}}", "v2");
    let longer = rule("shop/l", bound, "{uri: {prefix: /a/b}}", "next");
    let gateway = server(PUBLIC, 80, "\"*\"");
    let merged = mesh(&[&gateway, &all, &some, &longer]);
    for (url, expected) in [
        ("bank.example/", "v1"),
        ("bank.example/a", "v2"),
        ("bank.example/a/b", "v2"),
    ] {
        assert_eq!(goes(&merged, url), expected, "{url}");
    }
    let other_order = mesh(&[&gateway, &longer, &some]);
    assert_eq!(goes(&other_order, "bank.example/a/b"), "next");
    assert_eq!(goes(&other_order, "bank.example/"), "404");
    // Of two that take everything the older one.
    let second = rule("shop/a", bound, "", "v2");
    assert_eq!(goes(&mesh(&[&gateway, &all, &second]), "bank.example/"), "v1");
    // A rule for the exact host and one for a wildcard are not merged.
    let wild = rule("shop/w", "hosts: [\"*\"]\ngateways: [public]", "", "v2");
    let apart = mesh(&[&gateway, &longer, &wild]);
    assert_eq!(goes(&apart, "bank.example/x"), "404");
    assert_eq!(goes(&apart, "other.example/x"), "v2");
}

#[test]
fn rules_through_two_gateways_on_one_port_are_merged_gateway_by_gateway() {
    let first = server("shop/first", 80, "\"*\"");
    let second = server("shop/second", 80, "\"*\"");
    let of_second = rule(
        "shop/a",
        "hosts: [bank.example]\ngateways: [second]",
        "{uri: {prefix: /a}}",
        "v1",
    );
    let of_first = rule(
        "shop/b",
        "hosts: [bank.example]\ngateways: [first]",
        "{uri: {prefix: /a/b}}",
        "v2",
    );
    let both = mesh(&[&first, &second, &of_second, &of_first]);
    assert_eq!(
        goes(&both, "bank.example/a/b"),
        "v2",
        "the older gateway comes first, whatever the age of the rules"
    );
    assert_eq!(goes(&both, "bank.example/a"), "v1");
    // A block may be for one of the gateways.
    let block = "{gateways: [second], uri: {prefix: /}}";
    let one = rule(
        "shop/a",
        "hosts: [bank.example]\ngateways: [first, second]",
        block,
        "v1",
    );
    assert_eq!(goes(&mesh(&[&first, &second, &one]), "bank.example/"), "v1");
    assert_eq!(goes(&mesh(&[&first, &one]), "bank.example/"), "404");
}

#[test]
fn conditions_on_the_client_look_at_the_gateway() {
    for (block, expected) in [
        ("{sourceLabels: {istio: ingressgateway}}", "v1"),
        ("{sourceLabels: {app: client}}", "404"),
        ("{sourceNamespace: istio-system}", "v1"),
        ("{port: 80}", "v1"),
        ("{port: 8080}", "404"),
        ("{gateways: [public]}", "v1"),
        ("{gateways: [mesh]}", "404"),
    ] {
        let bound = "hosts: [bank.example]\ngateways: [public]";
        let mesh = mesh(&[&server(PUBLIC, 80, "\"*\""), &rule("shop/a", bound, block, "v1")]);
        assert_eq!(goes(&mesh, "bank.example/"), expected, "{block}");
    }
}

#[test]
fn export_rules_count_for_the_namespace_of_the_gateway() {
    for (export_to, expected) in [
        ("[\"*\"]", "v1"),
        ("[istio-system]", "v1"),
        ("[\".\"]", "404"),
        ("[shop]", "404"),
    ] {
        let bound = format!("hosts: [bank.example]\ngateways: [public]\nexportTo: {export_to}");
        let mesh = mesh(&[&server(PUBLIC, 80, "\"*\""), &rule("shop/a", &bound, "", "v1")]);
        assert_eq!(goes(&mesh, "bank.example/"), expected, "{export_to}");
    }
}

#[test]
fn a_destination_without_a_port_has_the_only_port_of_its_service() {
    let services = [
        service("shop/one", "{name: http, port: 9000}"),
        service("shop/two", "{name: http, port: 9000}, {name: http-80, port: 80}"),
        service(
            "shop/neither",
            "{name: http, port: 9000}, {name: http-b, port: 9001}",
        ),
    ];
    for (host, cluster) in [
        ("one", "outbound|9000||one.shop.svc.cluster.local"),
        ("two", "outbound|80||two.shop.svc.cluster.local"),
        ("neither", "outbound|80||neither.shop.svc.cluster.local?"),
    ] {
        let spec = format!(
            "hosts: [bank.example]\ngateways: [public]\nhttp: [{{route: [{{destination: {{host: {host}}}}}]}}]"
        );
        let rule = istio("VirtualService", "shop/a", &spec);
        let mesh = mesh(&[
            &server(PUBLIC, 80, "\"*\""),
            &services[0],
            &services[1],
            &services[2],
            &rule,
        ]);
        let view = mesh.view(&gateway(), &[]);
        assert_eq!(
            crate::kit::clusters(&view, "GET http://bank.example/"),
            [cluster],
            "{host}"
        );
    }
}

#[test]
fn servers_are_those_of_gateways_that_select_the_labels_one_per_port() {
    let other = server("shop/other", 81, "\"*\"").replace("istio: ingressgateway", "istio: egressgateway");
    let unselective =
        server("shop/everybody", 82, "\"*\"").replace("selector: {istio: ingressgateway}", "selector: {}");
    let mesh = mesh(&[
        &server("shop/z", 80, "a.example"),
        &server("shop/a", 80, "b.example"),
        &other,
        &unselective,
    ]);
    let ports = |client: &Client| {
        mesh.gateway_servers(&client.labels)
            .iter()
            .map(|s| s.port)
            .collect::<Vec<_>>()
    };
    assert_eq!(ports(&gateway()), [80, 82]);
    assert_eq!(ports(&client()), [82]);
    assert_eq!(mesh.gateway_servers(&gateway().labels)[0].name, "http-80");
    let bound = rule("shop/r", "hosts: [bank.example]\ngateways: [other]", "", "v1");
    let (mesh, _) = mesh.apply(crate::kit::objects(&bound), 9).unwrap();
    assert_eq!(goes(&mesh, "bank.example/"), "404");
}
