//! What is refused, with which words.

use crate::kit::{istio, objects, problems, rules, service};

/// Fields of a rule (with a good `route` if they have none) and what is said about them.
const WRONG: &[(&str, &str)] = &[
    (
        "route: []",
        "`spec.http[0]`: the rule leads nowhere: `route` is missing or empty",
    ),
    (
        "route: [{destination: {host: auth}, weight: -1}]",
        "`spec.http[0].route[0].weight`: -1 is less than 0",
    ),
    (
        "route: [{destination: {host: auth}, weight: \"90\"}]",
        "expected a whole number, found the text \"90\"",
    ),
    (
        "route: [{destination: {host: auth}}, {destination: {host: b}}]",
        "the weights add up to 0",
    ),
    (
        "route: [{destination: {host: a}, weight: 2147483647}, {destination: {host: b}, weight: 2147483647}, {destination: {host: c}, weight: 2}]",
        "the weights add up to 4294967296, which istiod takes for 0",
    ),
    (
        "route: [{destination: {host: a}, weight: 2147483647}, {destination: {host: b}, weight: 2147483647}, {destination: {host: c}, weight: 3}]",
        "more than 4294967295",
    ),
    (
        "route: [{destination: {subset: v1}}]",
        "`spec.http[0].route[0].destination`: `host` is missing",
    ),
    ("route: [{destination: {host: \"*\"}}]", "`*` is not a host name"),
    (
        "route: [{destination: {host: 10.0.0.1}}]",
        "`10.0.0.1` is not a host name",
    ),
    (
        "route: [{weight: 1}]",
        "`spec.http[0].route[0]`: `destination` is missing",
    ),
    (
        "route: [{destination: {host: auth, port: {number: 70000}}}]",
        "70000 is not between 1 and 65535",
    ),
    (
        "timeout: 0s",
        "`spec.http[0].timeout`: the duration `0s` is less than 1ms",
    ),
    ("timeout: 1.5ms", "not a whole number of milliseconds"),
    ("timeout: 10", "expected text, found the number 10"),
    ("timeout: 5sec", "`5sec` is not a duration"),
    (
        "match: [{uri: {exact: /a, prefix: /b}}]",
        "only one of exact, prefix may be given",
    ),
    ("match: [{uri: {regex: \"a(\"}}]", "does not compile"),
    ("match: [{method: {prefix: \"\"}}]", "an empty prefix"),
    ("match: [{uri: {regex: \"\"}}]", "the regular expression is empty"),
    (
        "match: [{headers: {x: {exact: true}}}]",
        "`spec.http[0].match[0].headers.x.exact`: expected text, found the boolean true",
    ),
    ("match: [{headers: {x: {regex: \"*\"}}}]", "does not compile"),
    ("match: [{queryParams: {x: {regex: \"*\"}}}]", "does not compile"),
    (
        "match: [{headers: {\"x y\": {exact: a}}}]",
        "is not a header name",
    ),
    ("match: [{port: 65536}]", "65536 is not between 1 and 65535"),
    (
        "retries: {attempts: 1, retryOn: \"5xx,rest\"}",
        "`rest` is neither a retry condition",
    ),
    // Two keys: the second one has no value, and yet it is no field.
    (
        "retries: {attempts: 1, retryOn: 5xx,reset}",
        "unknown field `spec.http[0].retries.reset`",
    ),
    (
        "retries: {attempts: 1, retryOn: \"5xx, reset\"}",
        "` reset` is neither",
    ),
    ("retries: {attempts: 1, retryOn: \"599\"}", "`599` is neither"),
    ("retries: {attempts: 0, retryOn: 5xx}", "switches retries off"),
    ("rewrite: {}", "needs one of uri"),
    ("rewrite: {uri: \"\"}", "needs one of uri"),
    (
        "rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}",
        "only one of uri, uriRegexRewrite may be given",
    ),
    ("headers: {request: {set: {x: 50%}}}", "without its partner"),
    (
        "headers: {request: {set: {x: \"%NO_SUCH%\"}}}",
        "Envoy has no command `%NO_SUCH%`",
    ),
    ("headers: {request: {set: {x: \"a\\nb\"}}}", "control characters"),
    (
        "headers: {request: {set: {\":path\": /x}}}",
        "`:path` cannot be changed here",
    ),
    (
        "headers: {response: {remove: [host]}}",
        "`host` cannot be changed here",
    ),
    (
        "headers: {request: {sets: {x: y}}}",
        "unknown field `spec.http[0].headers.request.sets`",
    ),
];

#[test]
fn wrong_values_are_told_with_their_path() {
    let good = "route: [{destination: {host: auth}}]";
    for (fields, message) in WRONG {
        let rest = if fields.contains("route:") { "" } else { good };
        let rule = rules(format!("- {fields}\n  {rest}").trim_end());
        let shown = problems(&rule).to_string();
        assert!(shown.contains(message), "{fields}\n{shown}");
        assert!(shown.contains('^'), "{shown}");
    }
    assert_eq!(objects(&rules(&format!("- name: a\n  {good}"))).len(), 1);
}

/// Lines of `spec` of a kind and what is said about them.
const WRONG_SPECS: &[(&str, &str, &str)] = &[
    (
        "VirtualService",
        "{hosts: [], gateways: [a], http: [{route: [{destination: {host: a}}]}]}",
        "this is a delegate, which has only `http`",
    ),
    (
        "VirtualService",
        "http: [{delegate: {name: a}}]",
        "a delegate cannot delegate",
    ),
    ("VirtualService", "hosts: [a_b]", "`a_b` is not a host name"),
    (
        "VirtualService",
        "hosts: [\"*\"]",
        "the host `*` cannot be bound to mesh",
    ),
    (
        "VirtualService",
        "hosts: [\"*.a.b\", x.a.b]",
        "`x.a.b` overlaps `*.a.b`",
    ),
    ("VirtualService", "hosts: [a]", "there are no routes"),
    (
        "VirtualService",
        "hosts: [a]\nexportTo: [\"~\"]",
        "`~` (nobody) is not allowed here",
    ),
    (
        "VirtualService",
        "hosts: [a]\nexportTo: [\"*\", b]",
        "`*` (everybody) stands alone",
    ),
    (
        "VirtualService",
        "hosts: [a]\nexportTo: [b, b]",
        "`b` is given twice",
    ),
    (
        "DestinationRule",
        "host: 10.0.0.1",
        "`10.0.0.1` is not a host name",
    ),
    ("DestinationRule", "subsets: []", "`host` is missing"),
    (
        "DestinationRule",
        "host: a\nsubsets: [{name: v1}, {name: v1}]",
        "there is a subset `v1` before",
    ),
    (
        "DestinationRule",
        "host: a\nsubsets: [{name: v_1}]",
        "`v_1` is not a name for a subset",
    ),
    (
        "DestinationRule",
        "host: a\ntrafficPolicy: {}",
        "an empty policy says nothing",
    ),
    (
        "DestinationRule",
        "host: a\ntrafficPolicy: {connectionPool: {}}",
        "needs `tcp` or `http`",
    ),
    (
        "DestinationRule",
        "host: a\ntrafficPolicy: {loadBalancer: {simple: RANDON}}",
        "`RANDON` is not one of LEAST_REQUEST, ROUND_ROBIN, RANDOM",
    ),
    (
        "DestinationRule",
        "host: a\ntrafficPolicy: {outlierDetection: {maxEjectionPercent: 101}}",
        "101 is not between 0 and 100",
    ),
    ("Gateway", "selector: {}", "`servers` is missing"),
    (
        "Gateway",
        "servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a]}]",
        "not supported yet: `spec.servers[0].port.protocol`",
    ),
    (
        "Gateway",
        "servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: []}]",
        "a server needs a host",
    ),
    (
        "WorkloadEntry",
        "address: example.com",
        "`example.com` is not an IP address",
    ),
    (
        "WorkloadEntry",
        "address: 10.0.0.1\nlocality: a//b",
        "locality `a//b`",
    ),
];

#[test]
fn wrong_specs_are_told_with_their_path() {
    for (kind, spec, message) in WRONG_SPECS {
        let shown = problems(&istio(kind, "shop/a", spec)).to_string();
        assert!(shown.contains(message), "{kind} {spec}\n{shown}");
        assert!(shown.contains("spec"), "{shown}");
    }
}

#[test]
fn real_fields_that_are_not_implemented_are_refused_by_name() {
    for (policy, path) in [
        (
            "loadBalancer: {zoneAwareLbSetting: {}}",
            "loadBalancer.zoneAwareLbSetting",
        ),
        ("tunnel: {targetHost: a, targetPort: 80}", "tunnel"),
        ("proxyProtocol: {version: V1}", "proxyProtocol"),
    ] {
        let text = format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: a}}\nspec:\n  host: a\n  trafficPolicy:\n    {policy}\n"
        );
        let shown = problems(&text).to_string();
        assert!(
            shown.contains(&format!("not supported yet: `spec.trafficPolicy.{path}`")),
            "{shown}"
        );
    }
}

#[test]
fn the_names_of_service_ports_are_checked_as_the_api_server_does() {
    for (port, message) in [
        ("{name: HTTP, port: 80}", "`HTTP` is not a name for a port"),
        (
            "{name: http_web, port: 80}",
            "`http_web` is not a name for a port",
        ),
        (
            "{name: http, port: 80, protocol: tcp}",
            "`tcp` is not one of TCP, UDP, SCTP",
        ),
        ("{name: http}", "`port` is missing"),
    ] {
        let shown = problems(&service("shop/a", port)).to_string();
        assert!(shown.contains(message), "{shown}");
    }
}

#[test]
fn misspelt_fields_of_deployments_and_services_are_problems() {
    let deployment = |container: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec:\n  selector: {{matchLabels: {{app: a}}}}\n  template:\n    metadata: {{labels: {{app: a}}}}\n    spec:\n      securityContext: {{runAsNonRoot: true}}\n      containers:\n      - name: a\n        image: a:v1\n{container}\n"
        )
    };
    assert_eq!(
        objects(&deployment("        resources: {limits: {cpu: 1}}")).len(),
        1
    );
    for (container, message) in [
        ("        readinesProbe: {}", "did you mean `readinessProbe`?"),
        (
            "        readinessProbe: {httpGet: {path: /, prot: 80}}",
            "`port` is missing",
        ),
        ("        readinessProbe: {exec: {}}", "not supported yet"),
        (
            "        ports: [{containerport: 80}]",
            "did you mean `containerPort`?",
        ),
        ("        env: [{name: A, value: 1}]", "put it in quotes"),
    ] {
        let shown = problems(&deployment(container)).to_string();
        assert!(shown.contains(message), "{shown}");
    }
}

/// Policies that the API server or istiod's webhook refuses, with a part of what is said.
const REFUSED_POLICIES: &[(&str, &str)] = &[
    (
        "loadBalancer: {simple: RANDOM, consistentHash: {httpHeaderName: x}}",
        "only one of simple, consistentHash",
    ),
    (
        "loadBalancer: {consistentHash: {httpHeaderName: x, useSourceIp: true}}",
        "only one of httpHeaderName, useSourceIp",
    ),
    (
        "loadBalancer: {consistentHash: {httpCookie: {ttl: 1s}}}",
        "`name` is missing",
    ),
    (
        "loadBalancer: {consistentHash: {httpHeaderName: x, minimumRingSize: 3, ringHash: {}}}",
        "only one of minimumRingSize and ringHash",
    ),
    (
        "loadBalancer: {consistentHash: {maglev: {tableSize: 12}}}",
        "must be a prime number",
    ),
    (
        "loadBalancer: {consistentHash: {maglev: {tableSize: 5000011}}}",
        "less than 5000011",
    ),
    (
        "loadBalancer: {warmup: {minimumPercent: 10}}",
        "`duration` is missing",
    ),
    (
        "loadBalancer: {warmup: {duration: 1s, aggression: 0}}",
        "greater than 0",
    ),
    (
        "loadBalancer: {warmup: {duration: 1s, minimumPercent: 101}}",
        "not between 0 and 100",
    ),
    (
        "loadBalancer: {localityLbSetting: {distribute: [{from: a/*, to: {a/*: 80}}]}}",
        "add up to 80, not to 100",
    ),
    (
        "loadBalancer: {localityLbSetting: {distribute: [{from: a/*/b, to: {a/*: 100}}]}}",
        "must be at its end",
    ),
    (
        "loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {a: 100}}, {from: a/b, to: {a: 100}}]}}",
        "overlaps",
    ),
    (
        "loadBalancer: {localityLbSetting: {failover: [{from: a, to: a}]}}",
        "two different regions",
    ),
    (
        "loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [topology.kubernetes.io/zone]}}",
        "exclude each other",
    ),
    ("portLevelSettings: []", "an empty policy says nothing"),
    ("portLevelSettings: [{port: {number: 80}}]", "at least one of"),
    (
        "portLevelSettings: [{loadBalancer: {simple: RANDOM}}]",
        "`port` is missing",
    ),
    (
        "outlierDetection: {consecutiveLocalOriginFailures: 1}",
        "needs splitExternalLocalOriginErrors",
    ),
    (
        "connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}",
        "exclude each other",
    ),
    ("tls: {mode: MUTUAL}", "needs a clientCertificate"),
    ("retryBudget: {percent: 101}", "not between 0 and 100"),
];

#[test]
fn policies_are_checked_as_the_api_server_and_the_webhook_do() {
    for (policy, message) in REFUSED_POLICIES {
        let text = format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: a}}\nspec:\n  host: a\n  trafficPolicy:\n    {policy}\n"
        );
        let shown = problems(&text).to_string();
        assert!(shown.contains(message), "{policy}: {shown}");
    }
}
