//! Rules that delegate, and how two of them become one.

use crate::kit::{ask, client, istio, mesh, route, rules, show, view};

/// Where a request goes when `root` has the rules for `auth` and `leaf` those of the delegate `shop/next`.
fn through(root: &str, leaf: &str, request: &str) -> String {
    let leaf = istio("VirtualService", "shop/next", &format!("http:\n{leaf}"));
    show(&ask(&mesh(&[&rules(root), &leaf]), &client(), request))
}

const FALLBACK: &str = "\n- route: [{destination: {host: auth, subset: v1}}]";

#[test]
fn a_delegate_narrows_what_its_root_lets_through() {
    let leaf_to = "route: [{destination: {host: auth, subset: v2}}]";
    for (root, leaf, path, expected) in [
        ("uri: {prefix: /pay}", "uri: {exact: /pay/a}", "/pay/a", "v2"),
        ("uri: {prefix: /pay}", "uri: {exact: /pay/a}", "/pay/b", "v1"),
        ("uri: {prefix: /pay}", "uri: {prefix: /pay/v2}", "/pay/v2/x", "v2"),
        // Outside of the root, or not known to be inside: the route is dropped.
        ("uri: {prefix: /pay}", "uri: {prefix: /refund}", "/refund", "v1"),
        ("uri: {prefix: /pay}", "uri: {regex: \"/pay.*\"}", "/pay", "v1"),
        ("uri: {exact: /pay}", "uri: {prefix: /pay}", "/pay", "v1"),
        ("uri: {exact: /pay}", "uri: {exact: /pay}", "/pay", "v2"),
        (
            "uri: {prefix: /pay}",
            "{uri: {prefix: /pay}, ignoreUriCase: true}",
            "/pay",
            "v1",
        ),
        (
            "{uri: {prefix: /pay}, ignoreUriCase: true}",
            "method: {exact: GET}",
            "/PAY",
            "v1",
        ),
        (
            "{uri: {prefix: /pay}, ignoreUriCase: true}",
            "{method: {exact: GET}, ignoreUriCase: true}",
            "/PAY",
            "v2",
        ),
        // Conditions of both hold.
        ("uri: {prefix: /pay}", "method: {exact: GET}", "/pay", "v2"),
        ("uri: {prefix: /pay}", "method: {exact: GET}", "/other", "v1"),
        ("method: {exact: POST}", "method: {exact: GET}", "/", "v1"),
        ("port: 8080", "port: 9090", "/", "v1"),
        ("sourceNamespace: shop", "sourceNamespace: bank", "/", "v1"),
        // What the root asks of the namespace, the delegate must ask too.
        ("sourceNamespace: shop", "uri: {prefix: /}", "/", "v1"),
        (
            "queryParams: {a: {exact: b}}",
            "queryParams: {c: {}}",
            "/?a=b&c",
            "v2",
        ),
        (
            "queryParams: {a: {exact: b}}",
            "queryParams: {c: {}}",
            "/?c",
            "v1",
        ),
        ("headers: {x: {}}", "headers: {x: {exact: a}}", "/", "v1"),
    ] {
        let block = |text: &str| {
            if text.starts_with('{') {
                text.to_owned()
            } else {
                format!("{{{text}}}")
            }
        };
        let root_rule = format!("- match: [{}]\n  delegate: {{name: next}}{FALLBACK}", block(root));
        let leaf_rule = format!("- match: [{}]\n  {leaf_to}", block(leaf));
        let found = through(&root_rule, &leaf_rule, &format!("GET http://auth:8080{path}"));
        assert_eq!(found, expected, "{root} / {leaf} on {path}");
    }
}

#[test]
fn the_delegates_action_fields_win_and_the_roots_fill_gaps() {
    let root = "- name: a\n  match: [{uri: {prefix: /pay}}]\n  delegate: {name: next}\n  timeout: 3s\n\
                \x20 headers: {request: {set: {x: root}}}\n  fault: {abort: {httpStatus: 503, percentage: {value: 50}}}";
    let leaf = "http:\n- name: b\n  headers: {}\n  timeout: 1s\n  route: [{destination: {host: auth}}]";
    let mesh = mesh(&[&rules(root), &istio("VirtualService", "shop/next", leaf)]);
    let view = view(&mesh);
    let route = route(&view, "GET http://auth:8080/pay");
    assert_eq!(route.name, "a-b");
    let forward = crate::kit::forward(route);
    assert_eq!(forward.timeout, Some(std::time::Duration::from_secs(1)));
    assert!(forward.headers.is_empty(), "headers count as a whole");
    assert!(forward.fault.is_some());
    let (rule, root) = (route.rule.as_ref().unwrap(), route.root.as_ref().unwrap());
    assert_eq!(
        (rule.object.name.as_str(), root.object.name.as_str()),
        ("next", "auth")
    );
}

#[test]
fn a_delegate_that_is_missing_hidden_or_has_hosts_drops_the_rule() {
    let root = format!("- delegate: {{name: next, namespace: bank}}{FALLBACK}");
    let leaf = "http: [{route: [{destination: {host: auth.shop.svc.cluster.local, subset: v2}}]}]";
    let with = |leaf: &str| {
        let leaf = istio("VirtualService", "bank/next", leaf);
        crate::kit::goes(&mesh(&[&rules(&root), &leaf]), "GET http://auth:8080/")
    };
    assert_eq!(with(leaf), "v2");
    assert_eq!(with(&format!("exportTo: [shop]\n{leaf}")), "v2");
    assert_eq!(with(&format!("exportTo: [\".\"]\n{leaf}")), "v1");
    assert_eq!(with(&format!("hosts: [elsewhere.example]\n{leaf}")), "v1");
    assert_eq!(
        crate::kit::goes(&mesh(&[&rules(&root)]), "GET http://auth:8080/"),
        "v1"
    );
    // Without any route left there is no rule.
    let only = "- delegate: {name: nothing}";
    assert_eq!(
        crate::kit::goes(&mesh(&[&rules(only)]), "GET http://auth:8080/"),
        "*"
    );
}
