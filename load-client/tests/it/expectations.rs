//! What the manifests declare for a request.

use http::Method;
use load_client::expect::{
    Call, Caller, Chain, Expected, LoadError, NotDeclared, claims, expected, load_manifests, variants,
};
use mesh_config::Mesh;

use crate::lab::{STAGES, declared, header, hop, payments, stage, with};

fn versions(expected: &Expected) -> Vec<(String, f64)> {
    expected
        .versions()
        .map(|(version, share)| (version.to_owned(), share))
        .collect()
}

fn shares(v1: f64, v2: f64) -> Vec<(String, f64)> {
    vec![("v1".to_owned(), v1), ("v2".to_owned(), v2)]
}

fn get(url: &str) -> Call {
    Call::new(Method::GET, url, &[]).unwrap()
}

fn ask(mesh: &Mesh, from: &str, words: &str) -> Result<Expected, NotDeclared> {
    expected(mesh, &from.parse().unwrap(), &Call::from_words(words).unwrap())
}

/// Why there is no answer.
fn refused(mesh: &Mesh, from: &str, words: &str) -> String {
    ask(mesh, from, words).unwrap_err().to_string()
}

/// A VirtualService for `auth-service` with this `http`.
fn auth_rules(http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: auth, namespace: traffic-lab}}\n\
         spec:\n  hosts: [auth-service]\n  http:\n{http}"
    )
}

#[test]
fn the_gateway_sends_a_tenth_to_the_canary_whatever_the_host() {
    let mesh = stage("30-canary-10");
    for url in ["http://127.0.0.1:8080/version", "http://payment.example/payments"] {
        let found = expected(&mesh, &Caller::Gateway, &get(url)).unwrap();
        assert_eq!(versions(&found), shares(0.9, 0.1), "{url}");
        assert_eq!(
            found.origin().to_string(),
            "VirtualService traffic-lab/payment-gateway http[1]"
        );
        assert_eq!(found.services(), ["payment-service"]);
    }
}

#[test]
fn a_version_without_traffic_is_expected_with_probability_zero() {
    assert_eq!(
        versions(&ask(&stage("10-stable"), "gateway", "http://lab/version").unwrap()),
        shares(1.0, 0.0)
    );
    assert_eq!(
        versions(&ask(&stage("50-promoted"), "gateway", "http://lab/version").unwrap()),
        shares(0.0, 1.0)
    );
}

#[test]
fn method_path_and_caller_decide_which_rule_counts() {
    let mesh = stage("40-canary-50");
    let tokens = ask(&mesh, "gateway", "POST http://lab/tokens").unwrap();
    assert_eq!(tokens.services(), ["auth-service"]);
    let payments = ask(&mesh, "gateway", "GET http://lab/tokens").unwrap();
    assert_eq!(payments.services(), ["payment-service"]);
    let inside = ask(
        &mesh,
        "traffic-lab/payment-v1",
        "POST http://auth-service:8080/verify",
    )
    .unwrap();
    assert_eq!(
        inside.origin().to_string(),
        "VirtualService traffic-lab/auth http[0]"
    );
}

#[test]
fn a_header_canary_is_a_variant_of_its_stage_and_of_no_other() {
    for name in STAGES {
        let found = variants(&stage(name), &payments()).unwrap();
        let names: Vec<String> = found.iter().map(ToString::to_string).collect();
        let wanted: &[&str] = if name == "20-header-canary" {
            &["x-canary: true"]
        } else {
            &[]
        };
        assert_eq!(names, wanted, "{name}");
    }
}

#[test]
fn a_request_that_has_the_header_has_no_variant() {
    let chain = Chain {
        call: payments().call.with(&[header("x-canary", "true")]).unwrap(),
        ..payments()
    };
    assert_eq!(variants(&stage("20-header-canary"), &chain).unwrap(), []);
}

#[test]
fn the_chain_has_an_edge_for_each_version_that_calls() {
    let edges = |name| -> Vec<String> {
        let claims = declared(&stage(name));
        let text = |claim: &load_client::expect::Claim| match &claim.expected {
            Some(expected) => {
                let shares: Vec<String> = expected.versions().map(|(v, p)| format!("{v}={p}")).collect();
                format!("{}: {}", claim.edge, shares.join(" "))
            }
            None => format!("{}: not used", claim.edge),
        };
        claims.iter().map(text).collect()
    };
    assert_eq!(
        edges("30-canary-10"),
        [
            "client -> payment-service: v1=0.9 v2=0.1",
            "payment-service v1 -> auth-service: v1=0.9 v2=0.1",
            "payment-service v2 -> auth-service: v1=0.9 v2=0.1",
        ]
    );
    assert_eq!(
        edges("20-header-canary"),
        [
            "client -> payment-service: v1=1 v2=0",
            "payment-service v1 -> auth-service: v1=1 v2=0",
            "payment-service v2 -> auth-service: not used",
            "client -> payment-service [x-canary: true]: v1=0 v2=1",
            "payment-service v2 -> auth-service [x-canary: true]: v1=0 v2=1",
        ]
    );
}

#[test]
fn the_caller_of_the_second_hop_is_the_deployment_of_its_version() {
    let by_source = auth_rules(
        "  - match: [{sourceLabels: {version: v2}}]\n    route: [{destination: {host: auth-service, subset: v2}}]\n\
         \x20 - route: [{destination: {host: auth-service, subset: v1}}]\n",
    );
    let found = declared(&with(&stage("30-canary-10"), &by_source));
    let second = |index: usize| versions(found[index].expected.as_ref().unwrap());
    assert_eq!((second(1), second(2)), (shares(1.0, 0.0), shares(0.0, 1.0)));
}

#[test]
fn a_header_that_a_route_sets_is_seen_by_the_second_hop() {
    let text = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: payment-gateway, namespace: traffic-lab}
spec:
  hosts: ['*']
  gateways: [traffic-lab/traffic-lab]
  http:
  - headers: {request: {set: {x-canary: 'true'}}}
    route: [{destination: {host: payment-service, subset: v1, port: {number: 8080}}}]
";
    let found = declared(&with(&stage("20-header-canary"), text));
    assert_eq!(found[1].edge.to_string(), "payment-service v1 -> auth-service");
    assert_eq!(versions(found[1].expected.as_ref().unwrap()), shares(0.0, 1.0));
}

#[test]
fn weights_are_relative_and_destinations_of_one_version_add_up() {
    let http = "  - route:\n\
        \x20   - {weight: 1, destination: {host: auth-service, subset: v1}}\n\
        \x20   - {weight: 1, destination: {host: auth-service, subset: v2}}\n\
        \x20   - {weight: 2, destination: {host: auth-service, subset: v1}}\n";
    let mesh = with(&stage("10-stable"), &auth_rules(http));
    let found = ask(
        &mesh,
        "traffic-lab/payment-v1",
        "http://auth-service:8080/version",
    )
    .unwrap();
    assert_eq!(versions(&found), shares(0.75, 0.25));
}

#[test]
fn a_hop_of_another_service_does_not_pass_for_the_expected_one() {
    let found = ask(&stage("30-canary-10"), "gateway", "http://lab/version").unwrap();
    assert_eq!(found.index_of(&hop("payment-service", "v2")), Some(1));
    assert_eq!(
        found.index_of(&hop("", "v2")),
        Some(1),
        "a header with the version alone"
    );
    assert_eq!(
        found.index_of(&hop("payments", "v2")),
        Some(1),
        "a service that calls itself something else"
    );
    assert_eq!(found.index_of(&hop("auth-service", "v2")), None);
    assert_eq!(found.label(&hop("auth-service", "v2")), "auth-service/v2");
}

#[test]
fn where_no_version_is_declared_the_reason_says_what_to_do() {
    let mesh = stage("10-stable");
    let inside = "traffic-lab/payment-v1";
    for (rules, wanted) in [
        (
            "  - route: [{destination: {host: auth-service}}]\n",
            "without a subset, so no version is declared",
        ),
        (
            "  - route: [{destination: {host: auth-service, subset: v9}}]\n",
            "outbound|8080|v9|auth-service.traffic-lab",
        ),
        (
            "  - match: [{uri: {exact: /no}}]\n    route: [{destination: {host: auth-service, subset: v1}}]\n",
            "404",
        ),
    ] {
        let message = refused(
            &with(&mesh, &auth_rules(rules)),
            inside,
            "http://auth-service:8080/version",
        );
        assert!(message.contains(wanted), "{message}");
    }
    let unknown = refused(&mesh, inside, "http://shop:8080/");
    assert!(
        unknown
            .contains("no Service and no VirtualService that payment-v1 sees answers for host `shop:8080`"),
        "{unknown}"
    );
    let port = refused(&mesh, inside, "http://auth-service:81/");
    assert!(port.contains("at port 81"), "{port}");
    let namespace = refused(&mesh, "trafic-lab/payment-v1", "http://auth-service:8080/");
    assert!(namespace.contains("namespace `trafic-lab`"), "{namespace}");
}

#[test]
fn a_service_without_rules_declares_no_version() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: traffic-lab}\n\
        spec: {selector: {app: shop}, ports: [{name: http, port: 8080}]}\n";
    let message = refused(
        &with(&stage("10-stable"), service),
        "traffic-lab/x",
        "http://shop:8080/",
    );
    assert!(
        message.contains("no VirtualService routes `shop:8080`"),
        "{message}"
    );
}

#[test]
fn the_port_of_the_url_need_not_be_that_of_the_only_gateway_server() {
    let second = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: other, namespace: traffic-lab}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 81, name: http-81, protocol: HTTP}, hosts: ['*']}]
";
    let mesh = with(&stage("30-canary-10"), second);
    let message = refused(&mesh, "gateway", "http://lab:8080/version");
    assert!(
        message.contains("at ports 80, 81; port 8080 of the URL is none of them"),
        "{message}"
    );
    assert!(ask(&mesh, "gateway", "http://lab:80/version").is_ok());
    let empty = refused(&Mesh::new(), "gateway", "http://lab/version");
    assert!(empty.contains("no Gateway with a plain HTTP server"), "{empty}");
}

#[test]
fn a_second_hop_without_a_caller_is_not_declared() {
    let mesh = stage("30-canary-10");
    let deployments = ["payment-v1", "payment-v2"].map(|name| mesh_config::ObjectKey {
        kind: "Deployment".to_owned(),
        namespace: "traffic-lab".to_owned(),
        name: name.to_owned(),
    });
    let message = claims(&mesh.delete(&deployments).0, &payments(), &[])
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("no Deployment with `version: v1` is behind payment-service"),
        "{message}"
    );
}

#[test]
fn a_caller_is_the_gateway_or_a_name_with_labels() {
    assert_eq!("gateway".parse(), Ok(Caller::Gateway));
    let labels = [("tier".to_owned(), "gold".to_owned())].into();
    let wanted = Caller::Workload {
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        labels,
    };
    assert_eq!("shop/web,tier=gold".parse(), Ok(wanted));
    for text in ["web", "/web", "shop/", "a/b/c", "shop/web,tier", ""] {
        assert!(text.parse::<Caller>().is_err(), "{text}");
    }
}

#[test]
fn a_stated_split_is_relative_and_its_mistakes_are_named() {
    let stated: Expected = "v2=10, v1=90".parse().unwrap();
    assert_eq!(versions(&stated), shares(0.9, 0.1));
    for (text, wanted) in [
        ("v1", "`v1`: expected VERSION=WEIGHT pairs"),
        ("=1", "expected VERSION=WEIGHT pairs"),
        ("v1=many", "`many` is not a weight for version `v1`"),
        ("v1=-1,v2=2", "`-1` is not a weight for version `v1`"),
        ("v1=1,v1=2", "version `v1` has two weights"),
        ("v1=0,v2=0", "no version has a weight above 0"),
    ] {
        let message = text.parse::<Expected>().unwrap_err().to_string();
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn manifests_that_cannot_be_used_are_named_with_all_their_problems() {
    let folder = tempfile::tempdir().unwrap();
    let load =
        || load_manifests(&Mesh::new(), &[folder.path().to_owned()], 0).map(|mesh| mesh.objects().count());
    assert!(matches!(load(), Err(LoadError::Empty(_))));
    std::fs::write(folder.path().join("notes.txt"), "not a manifest").unwrap();
    std::fs::create_dir(folder.path().join("deeper.yaml")).unwrap();
    assert!(matches!(load(), Err(LoadError::Empty(_))));

    std::fs::write(
        folder.path().join("a.yaml"),
        "apiVersion: v1\nkind: Namespace\nmetadata: {nam: x}\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("b.yaml"), auth_rules("  - rout: []\n")).unwrap();
    let message = load().unwrap_err().to_string();
    for wanted in [
        "a.yaml:3",
        "`metadata.nam`",
        "b.yaml:7",
        "`spec.http[0].rout`",
        "^^^",
    ] {
        assert!(message.contains(wanted), "{wanted} in:\n{message}");
    }
    let missing = load_manifests(&Mesh::new(), &[folder.path().join("c.yaml")], 0)
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("cannot read") && missing.contains("c.yaml"),
        "{missing}"
    );
}
