//! `explain` names the object that each thing comes from.

use mesh_config::{Explanation, Origin, explain};

use crate::kit::{Request, client, istio, mesh, rules, service, to};

fn explained(objects: &[&str]) -> Explanation {
    let request = Request::new("GET http://auth:8080/");
    explain(&mesh(objects), &client(), 8080, &request.head())
}

/// `name:line`.
fn place(origin: Option<&Origin>) -> Option<String> {
    origin.map(|origin| format!("{}:{}", origin.object.name, origin.line))
}

/// A rule that delegates, with fields of its own.
fn root(fields: &str) -> String {
    rules(&format!("- delegate: {{name: leaf}}\n  {fields}"))
}

fn leaf(fields: &str) -> String {
    let rule = format!("http:\n- {}\n  {fields}", to("v1"));
    istio("VirtualService", "shop/leaf", &rule)
}

#[test]
fn what_a_delegate_does_not_say_is_told_to_come_from_the_rule_that_delegates() {
    let of_root =
        "timeout: 3s\n  fault: {delay: {fixedDelay: 1s, percentage: {value: 100}}}\n  mirror: {host: auth}";
    let explanation = explained(&[&root(of_root), &leaf("retries: {attempts: 1}")]);
    assert_eq!(
        place(explanation.timeout_from.as_ref()).as_deref(),
        Some("auth:7")
    );
    assert_eq!(
        place(explanation.retries_from.as_ref()).as_deref(),
        Some("leaf:6")
    );
    let actions: Vec<_> = explanation
        .actions
        .iter()
        .map(|a| (a.what.as_str(), place(a.from.as_ref())))
        .collect();
    let auth = Some("auth:7".to_owned());
    assert_eq!(actions, [("fault", auth.clone()), ("mirror", auth)]);
    let shown = explanation.to_string();
    assert!(
        shown.contains("\ntimeout       3s (VirtualService shop/auth, test.yaml:7)\n"),
        "{shown}"
    );
    assert!(
        !shown.contains("1 on connect-failure,refused-stream,unavailable,cancelled ("),
        "{shown}"
    );
    // What both say is the delegate's.
    let explanation = explained(&[&root("timeout: 3s"), &leaf("timeout: 2s")]);
    assert_eq!(explanation.timeout, "2s");
    assert_eq!(
        place(explanation.timeout_from.as_ref()).as_deref(),
        Some("leaf:6")
    );
}

#[test]
fn a_rule_that_gives_everything_is_told_once() {
    let rule = "host: own\ntrafficPolicy: {connectionPool: {tcp: {maxConnections: 9}}}\nsubsets: [{name: v1, labels: {version: v1}}]";
    let objects = [
        service("shop/own", "{name: http, port: 8080}"),
        istio("DestinationRule", "shop/own", rule),
        rules("- route: [{destination: {host: own, subset: v1}}]"),
    ];
    let shown = explained(&objects.each_ref().map(String::as_str)).to_string();
    let expected = "\
cluster       outbound|8080|v1|own.shop.svc.cluster.local
  rule        DestinationRule shop/own, test.yaml
  subset      v1: version=v1 (line 7)
  balancing   LEAST_REQUEST
  limits      at most: connections 9 (line 6)
  outliers    no outlier detection
";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn what_nobody_says_comes_from_nobody() {
    let explanation = explained(&[&rules(&format!("- {}", to("v1")))]);
    assert_eq!((explanation.timeout_from, explanation.retries_from), (None, None));
    assert_eq!(
        explanation.retries,
        "2 on connect-failure,refused-stream,cancelled,unavailable"
    );
}

#[test]
fn origins_are_in_json_with_file_and_line() {
    let json = serde_json::to_value(explained(&[&rules(&format!("- timeout: 1s\n  {}", to("v1")))])).unwrap();
    let object = serde_json::json!({"kind": "VirtualService", "namespace": "shop", "name": "auth"});
    let expected = serde_json::json!({"object": object, "file": "test.yaml", "line": 7});
    assert_eq!(json["timeoutFrom"], expected);
    let subset = &json["clusters"][0]["parts"][0];
    assert_eq!(
        (&subset["part"], &subset["text"]),
        (&"subset".into(), &"v1: version=v1".into())
    );
    assert_eq!(subset["from"]["object"]["kind"], "DestinationRule");
}
