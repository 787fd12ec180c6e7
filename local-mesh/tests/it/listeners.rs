use std::fs;
use std::net::SocketAddr;

use crate::kit::{Lab, echo, gateway, get, own_address, until};

fn at(address: &str, port: u16) -> SocketAddr {
    format!("{address}:{port}").parse().unwrap()
}

fn service(name: &str, port: u16) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec:\n  selector: {{app: echo}}\n  ports: [{{name: http, port: {port}, targetPort: web}}]\n"
    )
}

#[test]
fn a_transparent_client_has_the_ports_of_the_services_as_they_come_and_go() {
    let lab = Lab::new();
    let address = own_address();
    let up = lab.up(
        &echo(1, ""),
        &["--client", &format!("shop/curl,app=curl@{address}")],
    );
    assert_eq!(get(at(&address, 8080), "echo", "/").unwrap().0, 200);
    assert_eq!(get(at(&address, 8081), "echo2", "/"), None);
    let file = lab.file("second.yaml", &service("echo2", 8081));
    up.ok(&["apply", "-f", &file]);
    // The port dialled decides, whatever the Host says of it.
    assert_eq!(get(at(&address, 8081), "echo2", "/").unwrap().0, 200);
    assert_eq!(get(at(&address, 8081), "echo2:9", "/").unwrap().0, 200);
    assert_eq!(get(at(&address, 8080), "echo2:8081", "/").unwrap().0, 502);
    up.ok(&["delete", "-f", &file]);
    assert_eq!(get(at(&address, 8081), "echo2", "/"), None);
    assert_eq!(get(at(&address, 8080), "echo", "/").unwrap().0, 200);
}

#[test]
fn a_client_with_a_port_is_an_http_proxy() {
    let lab = Lab::new();
    let up = lab.up(&echo(1, ""), &["--client", "shop/curl@127.0.0.1:0"]);
    let status = up.json(&["status", "-o", "json"]);
    let address: SocketAddr = status["clients"][0]["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(get(address, "echo:8080", "http://echo:8080/").unwrap().0, 200);
    assert_eq!(get(address, "echo:8080", "/").unwrap().0, 200);
    assert_eq!(
        get(address, "echo", "/").unwrap().0,
        502,
        "without a port it is 80"
    );
}

#[test]
fn a_port_that_cannot_be_had_refuses_the_whole_change() {
    let lab = Lab::new();
    let address = own_address();
    let up = lab.up(&echo(1, ""), &["--client", &format!("shop/curl@{address}")]);
    let taken = std::net::TcpListener::bind(at(&address, 8082)).unwrap();
    let file = lab.file("more.yaml", &(service("free", 8081) + &service("taken", 8082)));
    let answer = up.verb(&["apply", "-f", &file]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(
        answer
            .err
            .contains(&format!("{address}:8082 for client shop/curl")),
        "{}",
        answer.err
    );
    assert_eq!(get(at(&address, 8081), "free", "/"), None);
    assert_eq!(up.verb(&["get", "svc", "free"]).code, 1);
    drop(taken);
    up.ok(&["apply", "-f", &file]);
    assert_eq!(get(at(&address, 8082), "taken", "/").unwrap().0, 200);
}

#[test]
fn the_gateway_opens_when_a_gateway_object_is_applied() {
    let lab = Lab::new();
    let address = own_address();
    let up = lab.up(&echo(1, ""), &["--gateway", &address]);
    assert!(up.ok(&["status"]).contains("closed"));
    let one = lab.file("one.yaml", &gateway(&[8090]));
    up.ok(&["apply", "-f", &one]);
    assert_eq!(get(at(&address, 8090), "anything", "/").unwrap().0, 200);
    let two = lab.file("two.yaml", &gateway(&[8090, 8091]));
    up.ok(&["apply", "-f", &two]);
    assert_eq!(get(at(&address, 8091), "anything", "/").unwrap().0, 200);
    up.ok(&["delete", "-f", &two]);
    assert_eq!(get(at(&address, 8090), "anything", "/"), None);
}

#[test]
fn an_address_with_a_port_serves_one_server_port_only() {
    let lab = Lab::new();
    let up = lab.up(&(echo(1, "") + &gateway(&[80])), &["--gateway", "127.0.0.1:0"]);
    let door = up.gateway();
    assert_eq!(get(door, "anything", "/").unwrap().0, 200);
    let two = lab.file("two.yaml", &gateway(&[80, 81]));
    let answer = up.verb(&["apply", "-f", &two]);
    assert_eq!(answer.code, 2, "{answer:?}");
    for expected in ["80 `web-80`", "81 `web-81`", "--gateway 127.0.0.1`"] {
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
    // Another port of the same door is a change of what it stands for, not of the door.
    up.ok(&["apply", "-f", &lab.file("other.yaml", &gateway(&[81]))]);
    assert_eq!(up.gateway(), door);
    assert_eq!(get(door, "anything", "/").unwrap().0, 200);
    let answer = lab.run(&gateway(&[80, 81]), &["--gateway", "127.0.0.1:0"]);
    assert_eq!(answer.code, 2, "{answer:?}");
}

#[test]
fn a_gateway_that_was_asked_for_answers_without_a_gateway_object() {
    let lab = Lab::new();
    let up = lab.up("", &["--gateway", "127.0.0.1:0"]);
    assert_eq!(get(up.gateway(), "anything", "/").unwrap().0, 404);
}

#[test]
fn requests_are_in_the_access_log_and_in_the_metrics() {
    let lab = Lab::new();
    let log = lab.path("access.log");
    let options = ["--gateway", "127.0.0.1:0", "--access-log", log.to_str().unwrap()];
    let up = lab.up(&(echo(1, "") + &gateway(&[80])), &options);
    for path in ["/a", "/b"] {
        assert_eq!(get(up.gateway(), "anything", path).unwrap().0, 200);
    }
    let lines = || fs::read_to_string(&log).unwrap().lines().count();
    until("written", || lines() == 2);
    let first: serde_json::Value =
        serde_json::from_str(fs::read_to_string(&log).unwrap().lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["path"], &first["response_code"]),
        (&"/a".into(), &200.into())
    );
    let (status, metrics) = get(up.admin, "127.0.0.1", "/stats/prometheus").unwrap();
    assert!(
        status == 200 && metrics.contains("istio_requests_total"),
        "{metrics}"
    );
}
