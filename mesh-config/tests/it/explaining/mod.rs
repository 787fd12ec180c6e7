//! `explain`: the reasons, as a person reads them.

mod missing;
mod origins;

use mesh_config::{Client, Explanation, Role, explain};

use crate::kit::{Request, client, goes, istio, labels, mesh, rules, to};

const POLICY: &str = "host: auth
trafficPolicy:
  connectionPool: {http: {http2MaxRequests: 100}}
  outlierDetection: {consecutive5xxErrors: 3, maxEjectionPercent: 50}";

/// A rule with a name for a header, one that is for other clients, a split.
const CANARY: &str = "
- name: canary
  match: [{headers: {x-canary: {exact: \"true\"}}}]
  timeout: 3s
  route: [{destination: {host: auth, subset: v2}}]
- match:
  - {sourceLabels: {app: batch}}
  - {uri: {prefix: /old}}
  route: [{destination: {host: auth, subset: v9}}]
- retries: {attempts: 1, retryOn: \"5xx,409\", perTryTimeout: 500ms}
  route:
  - {destination: {host: auth, subset: v1}, weight: 2}
  - {destination: {host: auth, subset: v2}, weight: 1}
";

fn asked(client: &Client, port: u16, request: &str) -> Explanation {
    let mesh = mesh(&[
        &istio("DestinationRule", "shop/auth-policy", POLICY),
        &rules(CANARY),
    ]);
    explain(&mesh, client, port, &Request::new(request).head())
}

/// What applies to the first cluster.
fn parts(explanation: &Explanation) -> Vec<&str> {
    let parts = explanation.clusters[0].parts.iter();
    parts.map(|part| part.text.as_str()).collect()
}

#[test]
fn every_rule_up_to_the_deciding_one_is_told_with_the_condition_that_failed() {
    let shown = asked(&client(), 8080, "GET http://auth:8080/tokens?x=1 x-canary: no").to_string();
    let expected = "\
request       GET http://auth:8080/tokens?x=1 (port 8080)
decision      rule 2 of VirtualService shop/auth decides
virtual host  auth.shop.svc.cluster.local:8080
object        VirtualService shop/auth
place         test.yaml:15
rule          http[0].match[0] `canary` (line 8): no: header `x-canary` is `no`;
                needs exact `true`
rule          http[1].match[0] (line 12): no: the client lacks the labels
                app=batch
rule          http[1].match[1] (line 13): no: path is `/tokens`; needs prefix
                `/old`
rule          http[2] (line 15): decides
goes to        66.667 %  auth.shop.svc.cluster.local subset v1
goes to        33.333 %  auth.shop.svc.cluster.local subset v2
cluster       outbound|8080|v1|auth.shop.svc.cluster.local
  subset      v1: version=v1 (DestinationRule shop/auth, test.yaml:15)
  balancing   LEAST_REQUEST
  limits      at most: requests 100 (DestinationRule shop/auth-policy,
                test.yaml:7)
  outliers    ejects for 30s after 3 5xx in a row, at most 50 % of the endpoints
                (DestinationRule shop/auth-policy, test.yaml:8)
cluster       outbound|8080|v2|auth.shop.svc.cluster.local
  subset      v2: version=v2 (DestinationRule shop/auth, test.yaml:16)
  balancing   LEAST_REQUEST
  limits      at most: requests 100 (DestinationRule shop/auth-policy,
                test.yaml:7)
  outliers    ejects for 30s after 3 5xx in a row, at most 50 % of the endpoints
                (DestinationRule shop/auth-policy, test.yaml:8)
timeout       none
retries       1 on 5xx,409, 500ms per try
";
    assert_eq!(shown, expected);
}

#[test]
fn an_explanation_says_when_nothing_is_there() {
    for (port, request, expected) in [
        (
            8080,
            "GET http://auth:8080/old",
            "cluster       outbound|8080|v9|auth.shop.svc.cluster.local\n              no DestinationRule gives this client a subset v9: 503, flag NC;\n                there are v1, v2, next\n",
        ),
        (
            8080,
            "GET http://nobody/",
            "decision      no virtual host on port 8080 has this Host: 502\n",
        ),
        (
            9999,
            "GET http://nobody/",
            "decision      nothing in the mesh serves HTTP on port 9999: 502\n",
        ),
        (
            9999,
            "GET http://auth/",
            "9999: 502; this Host is\n                known on port 80, 8080\n",
        ),
    ] {
        let shown = asked(&client(), port, request).to_string();
        assert!(shown.contains(expected), "{request}\n{shown}");
    }
}

#[test]
fn a_request_without_a_route_is_told_all_rules_and_that_it_gets_404() {
    let rule = format!(
        "- match: [{{port: 80}}, {{method: {{exact: PUT}}}}]\n  {}\n- match: [{{sourceNamespace: other}}]\n  {}",
        to("v1"),
        to("v2")
    );
    let mesh = mesh(&[&rules(&rule)]);
    let request = Request::new("GET http://auth:8080/");
    let explanation = explain(&mesh, &client(), 8080, &request.head());
    assert_eq!(explanation.decision, "no rule matches: 404, flag NR");
    assert_eq!(explanation.place.as_deref(), Some("test.yaml:1"));
    let failed: Vec<_> = explanation
        .rules
        .iter()
        .map(|rule| rule.failed.as_deref().unwrap())
        .collect();
    let expected = [
        "port is 8080; needs 80",
        "method is `GET`; needs exact `PUT`",
        "the client's namespace is `shop`; needs `other`",
    ];
    assert_eq!(failed, expected);
    assert_eq!(goes(&mesh, "GET http://auth:8080/"), "404");
}

#[test]
fn the_default_route_is_told_as_such() {
    let explanation = explain(
        &mesh(&[]),
        &client(),
        8080,
        &Request::new("GET http://auth:8080/").head(),
    );
    assert_eq!(
        explanation.decision,
        "no VirtualService applies: the default route of the Service"
    );
    assert!(explanation.object.is_none() && explanation.rules.is_empty());
    assert_eq!(
        parts(&explanation),
        ["LEAST_REQUEST", "no limits", "no outlier detection"]
    );
    assert!(
        explanation.clusters[0]
            .parts
            .iter()
            .all(|part| part.from.is_none())
    );
    assert_eq!(
        explanation.retries,
        "2 on connect-failure,refused-stream,cancelled,unavailable"
    );
}

#[test]
fn each_kind_of_condition_says_what_it_saw() {
    for (block, request, expected) in [
        (
            "authority: {exact: auth}",
            "GET http://auth:8080/",
            "authority is `auth:8080`; needs exact `auth`",
        ),
        (
            "scheme: {exact: https}",
            "GET http://auth:8080/",
            "scheme is `http`; needs exact `https`",
        ),
        (
            "headers: {x: {regex: a+}}",
            "GET http://auth:8080/",
            "header `x` is missing; needs regex `a+`",
        ),
        (
            "headers: {x: {}}",
            "GET http://auth:8080/",
            "header `x` is missing",
        ),
        (
            "headers: {x: {prefix: b}}",
            "GET http://auth:8080/ x: a, x: c",
            "header `x` is `a`, `c`; needs prefix `b`",
        ),
        (
            "headers: {\":path\": {exact: /x}}",
            "GET http://auth:8080/?a",
            "header `:path` is `/?a`; needs exact `/x`",
        ),
        (
            "withoutHeaders: {x: {exact: a}}",
            "GET http://auth:8080/ x: a",
            "header `x` is `a`; must not match exact `a`",
        ),
        (
            "withoutHeaders: {x: {}}",
            "GET http://auth:8080/ x: a",
            "header `x` is `a`; must not be there",
        ),
        (
            "queryParams: {q: {exact: a}}",
            "GET http://auth:8080/?q=b",
            "query parameter `q` is `b`; needs exact `a`",
        ),
        (
            "queryParams: {q: {}}",
            "GET http://auth:8080/",
            "query parameter `q` is missing",
        ),
        (
            "gateways: [public]",
            "GET http://auth:8080/",
            "gateway is mesh; not listed",
        ),
    ] {
        let rule = format!(
            "- match: [{{{block}}}]\n  {}\n- match: [{{uri: {{exact: /never}}}}]\n  {}",
            to("v1"),
            to("v2")
        );
        let explanation = explain(
            &mesh(&[&rules(&rule)]),
            &client(),
            8080,
            &Request::new(request).head(),
        );
        assert_eq!(explanation.rules[0].failed.as_deref(), Some(expected), "{block}");
    }
}

#[test]
fn merged_rules_of_a_gateway_are_told_with_their_objects_in_the_order_of_evaluation() {
    let gateway = Client {
        namespace: "istio-system".to_owned(),
        labels: labels(&[("istio", "ingressgateway")]),
        role: Role::Gateway,
        ..client()
    };
    let rule = |name: &str, matches: &str| {
        let spec = format!(
            "hosts: [\"*\"]\ngateways: [public]\nhttp: [{{{matches}route: [{{destination: {{host: auth}}}}]}}]"
        );
        istio("VirtualService", name, &spec)
    };
    let server = "selector: {}\nservers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}]";
    let mesh = mesh(&[
        &istio("Gateway", "shop/public", server),
        &rule("shop/all", ""),
        &rule("shop/some", "match: [{uri: {prefix: /a}}], "),
    ]);
    let shown = explain(&mesh, &gateway, 80, &Request::new("GET http://any/").head()).to_string();
    let expected = "\
rule          VirtualService shop/some: http[0].match[0] (line 7): no: path is
                `/`; needs prefix `/a`
rule          VirtualService shop/all: http[0] (line 7): decides
";
    assert!(shown.contains(expected), "{shown}");
    let absent = explain(&mesh, &gateway, 80, &Request::new("GET http://any/").head());
    assert_eq!(absent.object.unwrap().name, "all");
}

#[test]
fn an_explanation_fits_into_80_columns() {
    for request in [
        "GET http://auth:8080/",
        "GET http://auth:8080/old",
        "GET http://nobody/",
        "GET http://auth/",
    ] {
        for port in [80, 8080, 1] {
            for line in asked(&client(), port, request).to_string().lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}

#[test]
fn what_is_hashed_and_how_retries_are_limited_is_told() {
    let rule = istio(
        "DestinationRule",
        "shop/own",
        "host: own\ntrafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}, retryBudget: {}, connectionPool: {http: {h2UpgradePolicy: UPGRADE}}, tls: {mode: ISTIO_MUTUAL}}",
    );
    let service = crate::kit::service("shop/own", "{name: http, port: 8080}");
    let explanation = explain(
        &mesh(&[&service, &rule]),
        &client(),
        8080,
        &Request::new("GET http://own:8080/").head(),
    );
    let expected = [
        "RING_HASH of header x-user",
        "no limits; HTTP/2",
        "retries at most 20 % of the requests, or 3",
        "no outlier detection",
        "ISTIO_MUTUAL; plain text here",
    ];
    assert_eq!(parts(&explanation), expected);
}
