//! Names besides Services of Kubernetes, and what a client is told of: ServiceEntry, ExternalName, Sidecar, `exportTo`.

use mesh_config::{Client, ListenerKind, Mesh, Routing};

use crate::kit::{Request, client, istio, mesh, objects, service};

fn from(namespace: &str) -> Client {
    Client {
        namespace: namespace.to_owned(),
        ..client()
    }
}

/// The cluster that the only destination of a request leads to; `-` without one.
fn cluster(mesh: &Mesh, client: &Client, port: u16, host: &str) -> String {
    let view = mesh.view(client, &[]);
    let request = Request::new(&format!("GET http://{host}/"));
    let Some(table) = view.table(port) else {
        return "no listener".to_owned();
    };
    match table.route(&request.head()) {
        Routing::Route(_, route) => match &route.forward().unwrap().destinations[0].cluster {
            Ok(id) => view.cluster(*id).name.clone(),
            Err(name) => format!("unknown {name}"),
        },
        _ => "-".to_owned(),
    }
}

const CARD: &str = "hosts: [card.example, '*.cards.example', card.shop.svc.cluster.local]
addresses: [10.9.9.9, 10.8.0.0/16]
resolution: STATIC
ports: [{number: 8080, name: http, protocol: HTTP, targetPort: 9090}, {number: 7000, name: raw, protocol: TCP}]
endpoints: [{address: 127.0.0.9}, {address: 127.0.0.10, ports: {http: 9191}, weight: 3}]";

#[test]
fn each_host_of_a_service_entry_is_a_service() {
    let mesh = mesh(&[&istio("ServiceEntry", "shop/card", CARD)]);
    for (host, expected) in [
        ("card.example", "outbound|8080||card.example"),
        ("CARD.example:1", "outbound|8080||card.example"),
        ("card.example.", "outbound|8080||card.example"),
        ("a.b.cards.example", "outbound|8080||*.cards.example"),
        ("cards.example", "-"),
        ("card", "outbound|8080||card.shop.svc.cluster.local"),
        ("card.shop.svc", "outbound|8080||card.shop.svc.cluster.local"),
        ("10.9.9.9", "outbound|8080||*.cards.example"), // of hosts with one address the first by name,
        ("10.8.0.1", "-"),
    ] {
        assert_eq!(cluster(&mesh, &client(), 8080, host), expected, "{host}");
    }
    let view = mesh.view(&client(), &[]);
    let id = view.cluster_named("outbound|8080||card.example").unwrap();
    let endpoints = view.cluster(id).endpoints.iter();
    let endpoints: Vec<_> = endpoints.map(|e| (e.address.to_string(), e.weight)).collect();
    assert_eq!(
        endpoints,
        [
            ("127.0.0.9:9090".to_owned(), 1),
            ("127.0.0.10:9191".to_owned(), 3)
        ]
    );
    let raw = ListenerKind::Tcp("outbound|7000||*.cards.example".to_owned());
    assert_eq!(mesh.client_ports(&client())[&7000], raw);
}

#[test]
fn an_external_name_stands_for_its_target_and_follows_its_rules() {
    let alias = "apiVersion: v1\nkind: Service\nmetadata: {name: alias, namespace: shop}\n\
                 spec: {type: ExternalName, externalName: auth.shop.svc.cluster.local, ports: [{name: http, port: 80}]}\n";
    let lost = "apiVersion: v1\nkind: Service\nmetadata: {name: lost, namespace: shop}\n\
                spec: {type: ExternalName, externalName: nowhere.example, ports: [{name: http, port: 8080}]}\n";
    let mesh = mesh(&[
        alias,
        lost,
        &istio(
            "VirtualService",
            "shop/a",
            "hosts: [web.example]\nhttp: [{route: [{destination: {host: alias, subset: v2}}]}]",
        ),
    ]);
    let auth = "auth.shop.svc.cluster.local";
    assert_eq!(
        cluster(&mesh, &client(), 8080, "alias"),
        format!("outbound|8080||{auth}")
    );
    assert_eq!(cluster(&mesh, &from("other"), 8080, "alias"), "-");
    assert_eq!(
        cluster(&mesh, &from("other"), 8080, "alias.shop"),
        format!("outbound|8080||{auth}")
    );
    assert_eq!(cluster(&mesh, &client(), 8080, "lost"), "-");
    assert_eq!(
        cluster(&mesh, &client(), 80, "web.example"),
        format!("outbound|80|v2|{auth}")
    );
    // As a destination it is what it points at only where it has the port that the client dialled.
    let rule = "hosts: [auth]\nhttp: [{route: [{destination: {host: alias}}]}]";
    let (mesh, _) = mesh
        .apply(objects(&istio("VirtualService", "shop/b", rule)), 9)
        .unwrap();
    assert_eq!(
        cluster(&mesh, &client(), 80, "auth"),
        format!("outbound|80||{auth}")
    );
    let unknown = "unknown outbound|8080||alias.shop.svc.cluster.local";
    assert_eq!(cluster(&mesh, &client(), 8080, "auth"), unknown);
}

#[test]
fn a_service_is_seen_where_it_is_exported_to() {
    for (to, expected) in [
        ("''", false),
        ("'*'", true),
        ("'.'", false),
        ("shop", true),
        ("'other, shop'", true),
        ("other", false),
        ("'~'", false),
    ] {
        let text = service("ledger/book", "{name: http, port: 8080}");
        let annotations = format!("namespace: ledger, annotations: {{networking.istio.io/exportTo: {to}}}");
        let mesh = mesh(&[&text.replace("namespace: ledger", &annotations)]);
        let seen = cluster(&mesh, &client(), 8080, "book.ledger") != "-";
        assert_eq!(seen, expected, "{to}");
    }
}

#[test]
fn a_sidecar_object_says_what_is_imported() {
    let book = service(
        "ledger/book",
        "{name: http, port: 8080}, {name: http-own, port: 9000}",
    );
    for (spec, auth, book_8080, book_9000) in [
        ("egress: [{hosts: ['./*']}]", true, false, None),
        ("egress: [{hosts: ['ledger/*']}]", false, true, Some(true)),
        ("egress: [{hosts: ['*/*']}]", true, true, Some(true)),
        ("egress: [{hosts: ['~/*']}]", false, false, None),
        (
            "egress: [{hosts: ['*/book.ledger.svc.cluster.local']}]",
            false,
            true,
            Some(true),
        ),
        (
            "egress: [{port: {number: 9000, protocol: HTTP, name: own}, hosts: ['./*']}, {hosts: ['*/*']}]",
            true,
            true,
            Some(false),
        ),
        (
            "egress: [{port: {number: 9000, protocol: HTTP, name: own}, hosts: ['ledger/*']}]",
            false,
            false,
            Some(true),
        ),
        (
            "workloadSelector: {labels: {app: other}}\negress: [{hosts: ['~/*']}]",
            true,
            true,
            Some(true),
        ),
        ("{}", true, true, Some(true)),
    ] {
        let mesh = mesh(&[&book, &istio("Sidecar", "shop/default", spec)]);
        let seen = |port, host| {
            !matches!(
                cluster(&mesh, &client(), port, host).as_str(),
                "-" | "no listener"
            )
        };
        assert_eq!(seen(8080, "auth"), auth, "{spec}");
        assert_eq!(seen(8080, "book.ledger"), book_8080, "{spec}");
        let listens = mesh.client_ports(&client()).contains_key(&9000);
        assert_eq!(listens.then(|| seen(9000, "book.ledger")), book_9000, "{spec}");
    }
}
