//! What a proxy does with a request, from its configuration.

use load_client::expect::{Call, Caller, Chain, Question, questions};
use load_client::mesh_state::{NotForwarded, ProxyConfig, held};
use mesh_config::{Mesh, Source};
use serde_json::{Value, json};

const MANIFESTS: &str = "
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: demo}
spec: {selector: {app: shop}, ports: [{name: http, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: demo}
spec: {host: shop, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: demo}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: demo}
spec:
  hosts: ['*']
  gateways: [door]
  http: [{route: [{destination: {host: shop, subset: v1}, weight: 3}, {destination: {host: shop, subset: v2}, weight: 1}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop-inside, namespace: demo}
spec:
  hosts: [shop]
  http: [{route: [{destination: {host: shop, subset: v1}}]}]
";

/// What is asked about a `POST` of this URL with these headers, from this caller.
fn question(caller: &str, url: &str, headers: &[(&str, &str)]) -> Question {
    let source = Source {
        name: "demo.yaml".to_owned(),
        text: MANIFESTS.to_owned(),
    };
    let (mesh, _) = Mesh::new().apply_sources(&[source], 0).unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), (*value).to_owned()))
        .collect();
    let chain = Chain {
        caller: caller.parse::<Caller>().unwrap(),
        call: Call::new(http::Method::POST, url, &headers).unwrap(),
        then: None,
    };
    questions(&mesh, &chain, &[]).unwrap().remove(0)
}

fn table(name: &str, hosts: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
        "dynamic_route_configs": [{
            "version_info": "1",
            "route_config": {
                "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
                "name": name, "virtual_hosts": hosts, "ignore_port_in_host_matching": true,
            },
        }],
    })
}

fn dump(sections: &[Value]) -> ProxyConfig {
    let clusters = json!({
        "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
        "dynamic_active_clusters": [{"cluster": {"name": "yes"}}, {"cluster": {"name": "no"}}],
    });
    let all: Vec<&Value> = sections.iter().chain([&clusters]).collect();
    ProxyConfig::read(&json!({"configs": all}).to_string()).unwrap()
}

/// A sidecar's table: what matches goes to the cluster `yes`, all else to `no`.
fn yes_or_no(matches: &Value) -> ProxyConfig {
    let routes = json!([
        {"match": matches, "route": {"cluster": "yes"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "no"}},
    ]);
    dump(&[table(
        "8080",
        &json!([{"name": "all", "domains": ["*"], "routes": routes}]),
    )])
}

#[test]
fn conditions_are_read_as_envoy_reads_them() {
    let url = "http://shop:8080/Cart/7?colour=red&empty=";
    let headers = [("x-user", "Ann"), ("x-list", "a"), ("x-list", "b")];
    let header = |condition: Value| json!({"prefix": "/", "headers": [condition]});
    let query = |condition: Value| json!({"prefix": "/", "query_parameters": [condition]});
    let string = |name: &str, condition: Value| json!({"name": name, "string_match": condition});
    let table = [
        (json!({"prefix": "/Cart"}), true),
        (json!({"prefix": "/cart"}), false),
        (json!({"prefix": "/cart", "case_sensitive": false}), true),
        (json!({"path": "/Cart/7"}), true),
        (json!({"path": "/Cart"}), false),
        (json!({"path_separated_prefix": "/Cart"}), true),
        (json!({"path_separated_prefix": "/Car"}), false),
        (json!({"safe_regex": {"regex": "/Cart/[0-9]"}}), true),
        (json!({"safe_regex": {"regex": "/Cart"}}), false),
        (header(string(":method", json!({"exact": "POST"}))), true),
        (header(string(":method", json!({"exact": "GET"}))), false),
        (header(string("x-user", json!({"prefix": "A"}))), true),
        (header(string("x-user", json!({"exact": "ann"}))), false),
        (
            header(string("x-user", json!({"exact": "ann", "ignore_case": true}))),
            true,
        ),
        (header(string("x-user", json!({"suffix": "nn"}))), true),
        (header(string("x-user", json!({"contains": "b"}))), false),
        (
            header(string("x-user", json!({"safe_regex": {"regex": "A.*"}}))),
            true,
        ),
        (header(string("x-list", json!({"exact": "a,b"}))), true),
        (header(json!({"name": "x-user", "present_match": true})), true),
        (header(json!({"name": "x-none", "present_match": true})), false),
        (
            header(json!({"name": "x-none", "present_match": true, "invert_match": true})),
            true,
        ),
        // istiod writes `withoutHeaders` so.
        (
            header(
                json!({"name": "x-none", "string_match": {"exact": "a"}, "invert_match": true,
                "treat_missing_header_as_empty": true}),
            ),
            true,
        ),
        (
            header(json!({"name": "x-none", "string_match": {"exact": "a"}, "invert_match": true})),
            false,
        ),
        (query(string("colour", json!({"exact": "red"}))), true),
        (query(string("colour", json!({"exact": "blue"}))), false),
        (query(json!({"name": "empty", "present_match": true})), true),
        (query(json!({"name": "none", "present_match": true})), false),
    ];
    let question = question("demo/web", url, &headers);
    for (matches, expected) in table {
        let shares = held(&yes_or_no(&matches), &question).unwrap();
        let cluster = if expected { "yes" } else { "no" };
        assert_eq!(shares.keys().collect::<Vec<_>>(), [cluster], "{matches}");
    }
}

#[test]
fn a_condition_that_is_not_understood_is_said_and_not_guessed() {
    let question = question("demo/web", "http://shop:8080/", &[]);
    for matches in [
        json!({"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 5}}}),
        json!({"prefix": "/", "headers": [{"name": "x-n", "range_match": {"start": 1, "end": 2}}]}),
        json!({"connect_matcher": {}}),
    ] {
        let refused = held(&yes_or_no(&matches), &question).unwrap_err();
        assert!(
            matches!(refused, NotForwarded::NotUnderstood(_)),
            "{matches}: {refused}"
        );
    }
}

#[test]
fn weights_are_shares_and_a_cluster_that_is_not_there_is_told() {
    let question = question("demo/web", "http://shop:8080/", &[]);
    let to = |clusters: Value| {
        let route = json!({"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": clusters}}});
        let hosts = json!([{"name": "all", "domains": ["*"], "routes": [route]}]);
        held(&dump(&[table("8080", &hosts)]), &question)
    };
    let shares = to(json!([
        {"name": "yes", "weight": 1}, {"name": "no", "weight": 1}, {"name": "yes", "weight": 2}, {"name": "gone", "weight": 0},
    ]));
    let shares: Vec<_> = shares.unwrap().into_iter().collect();
    assert_eq!(shares, [("no".to_owned(), 0.25), ("yes".to_owned(), 0.75)]);
    let missing = to(json!([{"name": "yes", "weight": 1}, {"name": "gone", "weight": 1}]));
    assert_eq!(missing, Err(NotForwarded::NoCluster("gone".to_owned())));
}

#[test]
fn the_virtual_host_is_found_in_envoys_order() {
    let host = |domains: Value, cluster: &str| {
        json!({"name": cluster, "domains": domains,
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": cluster}}]})
    };
    let yes = |domains: Value| json!([host(json!(["*"]), "no"), host(domains, "yes")]);
    let both = |worse: Value, better: Value| json!([host(worse, "no"), host(better, "yes")]);
    let question = question("demo/web", "http://shop.demo:8080/", &[]);
    for hosts in [
        yes(json!(["other", "shop.demo"])),
        yes(json!(["SHOP.demo"])),
        yes(json!(["*.demo"])),
        yes(json!(["shop.*"])),
        both(json!(["*mo"]), json!(["*.demo"])),
        both(json!(["shop.*"]), json!(["*.demo"])),
        both(json!(["*.demo"]), json!(["shop.demo"])),
    ] {
        let shares = held(&dump(&[table("8080", &hosts)]), &question).unwrap();
        assert_eq!(shares.keys().collect::<Vec<_>>(), ["yes"], "{hosts}");
    }
    let elsewhere = json!([host(json!(["other"]), "no")]);
    let unknown = held(&dump(&[table("8080", &elsewhere)]), &question);
    assert_eq!(
        unknown,
        Err(NotForwarded::UnknownHost("shop.demo:8080".to_owned()))
    );
    assert_eq!(
        held(&dump(&[table("9090", &elsewhere)]), &question),
        Err(NotForwarded::NoTable(8080))
    );
}

/// The gateway's Service translates port 80 to another port of the pod, after which the table is named.
#[test]
fn a_gateway_is_asked_for_the_table_that_is_meant() {
    let hosts = |cluster: &str| json!([{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": cluster}}]}]);
    let question = question("gateway", "http://127.0.0.1:8080/", &[]);
    assert_eq!(question.port, 80);
    let only = dump(&[table("http.8080", &hosts("yes"))]);
    assert_eq!(held(&only, &question).unwrap().len(), 1);
    let two = dump(&[
        table("http.8080", &hosts("yes")),
        table("http.8081", &hosts("no")),
    ]);
    let unclear = held(&two, &question).unwrap_err();
    assert_eq!(
        unclear,
        NotForwarded::SeveralTables("http.8080, http.8081".to_owned())
    );
    let named = dump(&[table("http.80", &hosts("yes")), table("http.8081", &hosts("no"))]);
    assert!(held(&named, &question).unwrap().contains_key("yes"));
}

#[test]
fn answers_of_the_proxy_itself_forward_nothing() {
    let question = question("demo/web", "http://shop:8080/", &[]);
    for (action, said) in [
        (json!({"direct_response": {"status": 418}}), "status 418"),
        (json!({"redirect": {"path_redirect": "/"}}), "redirect"),
        (json!({"route": {"cluster_header": "x-to"}}), "not understood"),
    ] {
        let mut route = action;
        route["match"] = json!({"prefix": "/"});
        let hosts = json!([{"name": "all", "domains": ["*"], "routes": [route]}]);
        let refused = held(&dump(&[table("8080", &hosts)]), &question).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}

#[test]
fn what_the_manifests_declare_is_told_in_clusters() {
    let outside = question("gateway", "http://127.0.0.1:8080/", &[]);
    let declared: Vec<_> = outside.declared.into_iter().collect();
    let cluster = |subset: &str| format!("outbound|8080|{subset}|shop.demo.svc.cluster.local");
    assert_eq!(declared, [(cluster("v1"), 0.75), (cluster("v2"), 0.25)]);
    let inside = question("demo/web", "http://shop:8080/", &[]);
    assert_eq!(
        inside.declared.into_iter().collect::<Vec<_>>(),
        [(cluster("v1"), 1.0)]
    );
    assert_eq!(
        (inside.edge.from.as_str(), inside.edge.to.as_str()),
        ("web", "shop")
    );
}

#[test]
fn updates_that_were_refused_are_in_the_dump() {
    let listeners = json!({
        "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
        "dynamic_listeners": [
            {"name": "0.0.0.0_8080", "active_state": {}, "error_state": {"details": "no such filter"}},
            {"name": "0.0.0.0_9090", "active_state": {}},
        ],
    });
    let config = dump(&[listeners]);
    let refused: Vec<String> = config
        .refused
        .iter()
        .map(|refused| format!("{}: {}", refused.what, refused.reason))
        .collect();
    assert_eq!(refused, ["listener 0.0.0.0_8080: no such filter"]);
    assert!(ProxyConfig::read("{}").is_err() && ProxyConfig::read("no JSON").is_err());
}
