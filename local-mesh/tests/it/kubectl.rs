use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::kit::{Lab, PROGRAM, Up, deployment, echo, send, until};

fn two_versions(lab: &Lab) -> Up {
    let labelled = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: shop, labels: {tier: front}}\n---\n\
                    apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: b, namespace: shop}\n";
    lab.up(
        &(labelled.to_owned() + &echo(2, "") + &deployment("echo-two", "v2", 1, "")),
        &[],
    )
}

#[test]
fn labels_select_pods_and_objects() {
    let lab = Lab::new();
    let up = two_versions(&lab);
    for (words, count, name) in [
        (
            &["get", "pods", "-l", "app=echo,version=v2", "-o", "name"][..],
            1,
            "pod/echo-two-",
        ),
        (
            &["get", "pods", "--selector", "version in (v1, v2)", "-o", "name"],
            3,
            "pod/echo-",
        ),
        (
            &["get", "po", "-l", "version!=v2", "-n", "shop", "-o", "name"],
            2,
            "pod/echo-",
        ),
        (&["get", "sa", "-l", "!tier", "-o", "name"], 1, "serviceaccount/b"),
        (&["get", "deploy/echo", "-o", "name"], 1, "deployment.apps/echo"),
        (&["get", "pods", "-l", "app=other", "-o", "name"], 0, ""),
    ] {
        let lines = up.ok(words);
        assert_eq!(lines.lines().count(), count, "{words:?}: {lines}");
        assert!(
            lines.lines().all(|line| line.starts_with(name)),
            "{words:?}: {lines}"
        );
    }
    for (words, expected) in [
        (&["get", "pods", "-l", "version of (v1)"][..], "no label selector"),
        (&["get", "pods", "a", "-l", "app=echo"], "cannot be used"),
        (
            &["get", "endpoints", "-l", "app=echo", "--from", "shop/echo"],
            "-l is for other kinds",
        ),
    ] {
        let answer = up.verb(words);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.err.contains(expected), "{}", answer.err);
    }
}

#[test]
fn a_forwarded_port_leads_to_the_process_itself() {
    let lab = Lab::new();
    let up = two_versions(&lab);
    let name = up.ok(&["get", "pods", "-l", "version=v2", "-o", "name"]);
    let name = name.trim();
    let admin = up.admin.to_string();
    let mut child = Command::new(PROGRAM)
        .args(["port-forward", name, ":8080", "-n", "shop", "--admin", &admin])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let first = lines.next().unwrap();
    let port = first.strip_prefix("Forwarding from 127.0.0.1:").unwrap();
    let port: u16 = port.strip_suffix(" -> 8080").unwrap().parse().unwrap();
    // No service has this name: whoever answers did not ask the mesh.
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: nobody\r\n\r\n")
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with(name.trim_start_matches("pod/")), "{answer}");
    assert_eq!(lines.next().unwrap(), format!("Handling connection for {port}"));
    send(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    for (words, code, expected) in [
        (
            &["port-forward", "pod/nobody", "8080"][..],
            1,
            "pods \"nobody\" not found",
        ),
        (&["port-forward", name, ":9"], 2, "no port 9; it has 8080"),
        (&["port-forward", "svc/echo", ":8080"], 2, "write pod/NAME"),
    ] {
        let answer = up.verb(words);
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(answer.err.contains(expected), "{}", answer.err);
    }
}

#[test]
fn a_deleted_pod_is_replaced_and_a_deleted_object_is_not() {
    let lab = Lab::new();
    let up = two_versions(&lab);
    let names = |up: &Up| up.ok(&["get", "pods", "-l", "version=v1", "-o", "name"]);
    let before = names(&up);
    let victim = before.lines().next().unwrap();
    let name = victim.trim_start_matches("pod/");
    assert_eq!(
        up.ok(&["delete", victim, "-n", "shop"]),
        format!("pod \"{name}\" deleted\n")
    );
    until("replaced", || {
        let now = names(&up);
        up.verb(&["status"]).code == 0 && now.lines().count() == 2 && !now.contains(name)
    });
    let lines = up.ok(&["delete", "pods", "-l", "version=v2"]);
    assert!(lines.starts_with("pod \"echo-two-"), "{lines}");
    until("replaced", || up.verb(&["status"]).code == 0);
    assert_eq!(up.ok(&["delete", "sa", "a", "b"]).lines().count(), 2);
    assert_eq!(up.verb(&["get", "sa", "a"]).code, 1);
    for (words, code, expected) in [
        (&["delete", "pod", "nobody"][..], 1, "pods \"nobody\" not found"),
        (&["delete", "pods"], 2, "by name, or with -l"),
        (&["delete"], 2, "say what"),
    ] {
        let answer = up.verb(words);
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(answer.err.contains(expected), "{}", answer.err);
    }
}
