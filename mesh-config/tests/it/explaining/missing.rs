//! `explain` of what is not there: what is answered, and what may have been meant.

use mesh_config::{Client, Mesh, explain};

use crate::kit::{Request, client, istio, mesh, rules, service};

fn decision(mesh: &Mesh, client: &Client, request: &str) -> String {
    let request = Request::new(request);
    explain(mesh, client, request.port(), &request.head()).decision
}

/// What is said of the only destination, `auth` with these fields.
fn missing(destination: &str) -> String {
    let mesh = mesh(&[&rules(&format!("- route: [{{destination: {{{destination}}}}}]"))]);
    let request = Request::new("GET http://auth:8080/");
    let explanation = explain(&mesh, &client(), 8080, &request.head());
    explanation.clusters[0].missing.clone().unwrap()
}

const FULL: &str = "auth.shop.svc.cluster.local";

#[test]
fn the_nearest_name_of_a_host_is_offered_in_full() {
    let mesh = mesh(&[]);
    let elsewhere = Client {
        namespace: "bank".to_owned(),
        ..client()
    };
    for (client, request, advice) in [
        (
            &client(),
            "GET http://atuh:8080/",
            format!("did you mean {FULL}?"),
        ),
        (
            &client(),
            "GET http://auth.shp:8080/",
            format!("did you mean {FULL}?"),
        ),
        (
            &client(),
            "GET http://auth.shop.svc.clutser.local:8080/",
            format!("did you mean {FULL}?"),
        ),
        // The namespace is what is wrong most often,
        (
            &client(),
            "GET http://auth.bank:8080/",
            format!("did you mean {FULL}?"),
        ),
        // and without it a service is known in its own only.
        (
            &elsewhere,
            "GET http://auth:8080/",
            format!("did you mean {FULL}?"),
        ),
        (
            &client(),
            "GET http://atuh:8081/",
            format!("did you mean {FULL} on port 80?"),
        ),
    ] {
        let decision = decision(&mesh, client, request);
        assert!(
            decision.ends_with(&format!("502; {advice}")),
            "{request}: {decision}"
        );
    }
    let decision = decision(&mesh, &client(), "GET http://billing:8080/");
    assert!(decision.ends_with(": 502"), "nothing is near: {decision}");
}

#[test]
fn a_service_that_is_hidden_from_the_client_is_told_to_be_so() {
    let private = service("bank/ledger", "{name: http, port: 8080}").replace(
        "namespace: bank}",
        "namespace: bank, annotations: {networking.istio.io/exportTo: \".\"}}",
    );
    let imports = istio("Sidecar", "shop/own", "egress: [{hosts: [./*]}]");
    let open = service("bank/till", "{name: http, port: 8080}");
    let mesh = mesh(&[&private, &open, &imports]);
    for name in ["ledger", "till"] {
        let decision = decision(&mesh, &client(), &format!("GET http://{name}.bank:8080/"));
        let expected =
            format!("502; {name}.bank.svc.cluster.local exists, but exportTo or a Sidecar object hides it");
        assert!(decision.contains(&expected), "{decision}");
    }
}

#[test]
fn a_destination_that_does_not_exist_is_told_with_what_does() {
    for (destination, expected) in [
        (
            "host: auth, subset: v9",
            "no DestinationRule gives this client a subset v9: 503, flag NC; there are v1, v2, next"
                .to_owned(),
        ),
        (
            "host: auth, port: {number: 9000}",
            "the service has no port 9000, only 80, 8080: 503, flag NC".to_owned(),
        ),
        (
            "host: atuh",
            format!("no such service: 503, flag NC; did you mean {FULL}?"),
        ),
        (
            "host: auth.shop",
            format!("no such service: 503, flag NC; did you mean {FULL}?"),
        ),
        ("host: billing", "no such service: 503, flag NC".to_owned()),
    ] {
        assert_eq!(missing(destination), expected, "{destination}");
    }
}
