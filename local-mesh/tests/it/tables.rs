use serde_json::{Value, json};

use crate::kit::{Lab, echo, gateway, until};

/// A service with names as long as those of the demo, an endpoint that nobody asks, and a canary by header.
const CANARY: &str = "\
apiVersion: v1
kind: Service
metadata: {name: payment-service, namespace: traffic-lab}
spec: {selector: {app: payment}, ports: [{name: http, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: one, namespace: traffic-lab}
spec: {address: 127.0.0.1, ports: {http: 9}, labels: {app: payment, version: v1}, weight: 3}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: payment-service, namespace: traffic-lab}
spec:
  host: payment-service
  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: another, namespace: traffic-lab}
spec: {host: elsewhere, subsets: [{name: v9, labels: {version: v9}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: payment-service, namespace: traffic-lab}
spec:
  hosts: [payment-service]
  http:
  - name: canary
    match: [{uri: {prefix: /payments}, headers: {x-canary: {exact: 'true'}}}]
    rewrite: {uri: /v2}
    route: [{destination: {host: payment-service, subset: v2}}]
  - name: stable
    timeout: 3s
    route:
    - {destination: {host: payment-service, subset: v1}, weight: 90}
    - {destination: {host: payment-service, subset: v2}, weight: 10}
";

const CLIENT: [&str; 2] = ["--client", "traffic-lab/curl@127.0.0.1:0"];
const FROM: [&str; 2] = ["--from", "traffic-lab/curl"];

fn asked<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["get"], words, &FROM].concat()
}

/// The words of each line; every line fits on 100 columns.
fn cells(table: &str) -> Vec<Vec<&str>> {
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let lines = table.lines();
    lines
        .map(|line| {
            line.split("   ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect()
}

#[test]
fn routes_are_shown_in_the_order_in_which_they_are_tried() {
    let lab = Lab::new();
    let up = lab.up(CANARY, &CLIENT);
    let table = up.ok(&asked(&["routes"]));
    let (port, host) = ("8080", "payment-service.traffic-lab");
    let domains = up.json(&asked(&["routes", "8080", "-o", "json"]))["virtualHosts"][0]["domains"].clone();
    let more = format!("payment-service +{}", domains.as_array().unwrap().len() - 1);
    let expected = [
        vec!["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"],
        vec![port, host, &more, "/payments* +x-canary", "payment-service"],
        vec![port, host, &more, "/*", "payment-service"],
    ];
    assert_eq!(cells(&table), expected, "{table}");
    let wide = up.ok(&asked(&["routes", "-o", "wide"]));
    let service = "payment-service.traffic-lab.svc.cluster.local";
    assert!(
        wide.contains(&format!(
            "outbound|8080|v1|{service} 90, outbound|8080|v2|{service} 10"
        )),
        "{wide}"
    );
}

#[test]
fn routes_as_json_have_conditions_actions_and_what_was_written() {
    let lab = Lab::new();
    let up = lab.up(CANARY, &CLIENT);
    let tables = up.json(&asked(&["routes", "-o", "json"]));
    assert_eq!(tables["items"].as_array().unwrap().len(), 1);
    let routes = &tables["items"][0]["virtualHosts"][0]["routes"];
    let conditions = &routes[0]["match"];
    assert_eq!(conditions["uri"], json!({"prefix": "/payments"}));
    assert_eq!(
        conditions["headers"],
        json!([{"name": "x-canary", "exact": "true"}])
    );
    assert_eq!(routes[0]["rule"]["written"]["rewrite"], json!({"uri": "/v2"}));
    let forward = &routes[1]["action"]["forward"];
    assert_eq!(
        (&forward["timeout"], &forward["totalWeight"]),
        (&json!("3s"), &json!(100))
    );
    assert_eq!(forward["destinations"][0]["weight"], 90);
    assert_eq!(forward["retries"]["attempts"], 2, "Istio's default");
}

#[test]
fn clusters_name_the_rules_that_made_them() {
    let lab = Lab::new();
    let up = lab.up(CANARY, &CLIENT);
    let table = up.ok(&asked(&["clusters"]));
    let host = "payment-service.traffic-lab.svc.cluster.local";
    let row = |subset| vec![host, "8080", subset, "outbound", "EDS", "payment-service"];
    let heading = [
        "SERVICE FQDN",
        "PORT",
        "SUBSET",
        "DIRECTION",
        "TYPE",
        "DESTINATION RULE",
    ];
    assert_eq!(
        cells(&table),
        [heading.to_vec(), row("-"), row("v1"), row("v2")],
        "{table}"
    );
    let name = format!("outbound|8080|v1|{host}");
    let cluster = up.json(&asked(&["clusters", &name, "-o", "json"]));
    assert_eq!(cluster["policy"]["loadBalancer"]["name"], "ROUND_ROBIN");
    assert_eq!(cluster["destinationRules"][0]["namespace"], "traffic-lab");
    let line = |part: &str| cluster["origins"][part]["line"].as_u64();
    assert_eq!((line("loadBalancer"), line("subset")), (Some(16), Some(17)));
    assert_eq!(line("outlierDetection"), None, "no rule says anything about it");
    assert_eq!(
        cluster["priorities"],
        json!([[{"weight": 3, "endpoints": ["127.0.0.1:9"]}]])
    );
    // Without the rule there is one cluster, and nothing made it but the service.
    let rule = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: payment-service, namespace: traffic-lab}\n\
                ---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: payment-service, namespace: traffic-lab}\n";
    up.ok(&["delete", "-f", &lab.file("rule.yaml", rule)]);
    let table = up.ok(&asked(&["clusters"]));
    assert_eq!(cells(&table)[1..], [vec![host, "8080", "-", "outbound", "EDS"]]);
}

#[test]
fn endpoints_are_those_of_each_cluster() {
    let lab = Lab::new();
    let up = lab.up(&(echo(1, "") + "---\n" + CANARY), &CLIENT);
    let table = up.ok(&asked(&["endpoints", "payment-service"]));
    let row = |subset: &str| {
        let cluster = format!("outbound|8080|{subset}|payment-service.traffic-lab.svc.cluster.local");
        format!("127.0.0.1:9 HEALTHY {cluster}")
    };
    let rows: Vec<String> = cells(&table)[1..].iter().map(|cells| cells.join(" ")).collect();
    assert_eq!(rows, [row(""), row("v1")], "{table}");
    let all = up.json(&asked(&["endpoints", "-o", "json"]));
    let of = |name: &str| {
        let items = all["items"].as_array().unwrap().iter();
        let found: Vec<&Value> = items.filter(|item| item["cluster"] == name).collect();
        found
    };
    let echo = of("outbound|8080||echo.shop.svc.cluster.local");
    assert_eq!((echo.len(), &echo[0]["priority"]), (1, &json!(0)));
    assert_eq!(echo[0]["labels"]["version"], "v1");
}

#[test]
fn an_endpoint_that_is_not_ready_is_unhealthy() {
    let lab = Lab::new();
    // A folder that is always there: the pod runs and never says that it is ready.
    let never_ready = format!(
        "readinessProbe: {{httpGet: {{path: /readyz, port: web}}, periodSeconds: 1}}\n\
         env: [{{name: UNREADY_WHILE, value: {:?}}}]",
        env!("CARGO_MANIFEST_DIR")
    );
    let up = lab.start(&echo(1, &never_ready), &CLIENT);
    until("an endpoint", || {
        up.ok(&asked(&["endpoints"])).contains("UNHEALTHY")
    });
}

#[test]
fn the_gateway_is_asked_if_it_is_open_and_nobody_is_named() {
    let lab = Lab::new();
    let up = lab.up(&(echo(1, "") + &gateway(&[80])), &["--gateway", "127.0.0.1:0"]);
    let table = up.ok(&["get", "routes"]);
    assert_eq!(cells(&table)[1], ["80", "*", "*", "/*", "door.shop"], "{table}");
    assert_eq!(up.ok(&["get", "routes", "--from", "gateway"]), table);
    let both = up.ok(&["get", "routes,clusters", "--from", "shop/echo"]);
    assert!(
        both.contains("route/8080") && both.contains("echo.shop.svc"),
        "{both}"
    );
}

#[test]
fn questions_about_no_client_are_refused() {
    let lab = Lab::new();
    let up = lab.up(CANARY, &CLIENT);
    for (words, code, expected) in [
        (
            &["get", "routes"][..],
            2,
            "--from NAMESPACE/NAME; known are gateway, traffic-lab/curl",
        ),
        (
            &["get", "clusters", "--from", "shop/nobody"],
            1,
            "nobody here is called",
        ),
        (
            &["get", "pods", "--from", "traffic-lab/curl"],
            2,
            "--from is for routes",
        ),
        (
            &["get", "routes,vs", "--from", "traffic-lab/curl"],
            2,
            "`vs` by itself",
        ),
        (
            &["get", "routes", "-n", "x", "--from", "traffic-lab/curl"],
            2,
            "without -n",
        ),
        (
            &["get", "routes", "81", "--from", "traffic-lab/curl"],
            1,
            "routes \"81\" not found",
        ),
    ] {
        let answer = up.verb(words);
        assert_eq!(answer.code, code, "{words:?}: {answer:?}");
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
}
