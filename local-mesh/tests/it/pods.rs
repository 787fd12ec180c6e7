use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::kit::{Lab, Up, echo, gateway, get, pid_of, send, until};

const READY: &str =
    "readinessProbe: {httpGet: {path: /readyz, port: web}, periodSeconds: 1, failureThreshold: 1}";

fn fetch(up: &Up, path: &str) -> (u16, String) {
    get(up.gateway(), "echo", path).unwrap()
}

#[test]
fn a_pod_knows_itself_its_port_and_its_proxy_but_not_the_machine() {
    let lab = Lab::new();
    let more = "env:\n\
                - {name: WHO, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n\
                - {name: VERSION, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['version']\"}}}\n\
                - {name: URL, value: 'http://$(APP_HOST):$(APP_PORT)/'}";
    let mut command = lab.command(&(echo(1, more) + &gateway(&[80])), &["--gateway", "127.0.0.1:0"]);
    command
        .env("SECRET_OF_THE_LAPTOP", "x")
        .env("ALL_PROXY", "http://127.0.0.1:1");
    let up = Up::start(&mut command).when_ready();
    let pod = &up.pods()[0];
    let name = pod["metadata"]["name"].as_str().unwrap();
    let (port, proxy) = (&pod["status"]["port"], pod["status"]["proxy"].as_str().unwrap());
    let (_, environment) = fetch(&up, "/env");
    for line in [
        format!("WHO={name}"),
        format!("HOSTNAME={name}"),
        "VERSION=v1".to_owned(),
        format!("PORT={port}"),
        format!("APP_PORT={port}"),
        format!("URL=http://127.0.0.1:{port}/"),
        format!("HTTP_PROXY=http://{proxy}"),
        format!("http_proxy=http://{proxy}"),
        "NO_PROXY=".to_owned(),
        "no_proxy=".to_owned(),
    ] {
        assert!(
            environment.lines().any(|found| found == line),
            "{line}: {environment}"
        );
    }
    assert!(
        !environment.contains("LAPTOP") && !environment.contains("ALL_PROXY"),
        "{environment}"
    );
    // And the proxy leads into the mesh.
    assert_eq!(fetch(&up, "/hop?echo:8080/x"), (200, name.to_owned()));
}

#[test]
fn a_killed_pod_leaves_the_endpoints_and_comes_back() {
    let lab = Lab::new();
    let up = lab.up(&(echo(2, READY) + &gateway(&[80])), &["--gateway", "127.0.0.1:0"]);
    let before = up.pods();
    let victim = &before[0];
    send(pid_of(victim), Signal::SIGKILL);
    let name = victim["metadata"]["name"].as_str().unwrap();
    let now = |up: &Up| up.json(&["get", "pod", name, "-o", "json"]);
    until("noticed", || now(&up)["status"]["pid"] != victim["status"]["pid"]);
    // While it is away, and after it has come back, nobody notices.
    for _ in 0..50 {
        assert_eq!(fetch(&up, "/").0, 200);
    }
    until("restarted", || up.verb(&["status"]).code == 0);
    let after = now(&up);
    assert_eq!(after["status"]["restarts"], 1);
    assert_eq!(after["status"]["port"], victim["status"]["port"]);
    assert_eq!(after["status"]["lastEnd"], "signal 9 (SIGKILL)");
    assert!(
        up.ok(&["get", "pods"])
            .lines()
            .any(|line| line.contains(name) && line.contains(" 1 "))
    );
    assert!(up.notices().contains("signal 9"), "{}", up.notices());
}

#[test]
fn a_pod_that_is_not_ready_gets_no_requests() {
    let lab = Lab::new();
    let file = lab.path("unready");
    let more = format!(
        "env: [{{name: UNREADY_WHILE, value: {}}}]\n{READY}",
        file.display()
    );
    fs::write(&file, "").unwrap();
    let up = lab.start(&(echo(1, &more) + &gateway(&[80])), &["--gateway", "127.0.0.1:0"]);
    until("running", || up.ok(&["get", "pods"]).contains("Running"));
    let status = up.verb(&["status"]);
    assert_eq!(status.code, 1, "{status:?}");
    assert!(status.out.contains("runs, but is not ready"), "{status:?}");
    assert_eq!(fetch(&up, "/").0, 503);
    fs::remove_file(&file).unwrap();
    until("ready", || up.verb(&["status"]).code == 0);
    assert_eq!(fetch(&up, "/").0, 200);
    fs::write(&file, "").unwrap();
    until("unready again", || fetch(&up, "/").0 == 503);
    assert_eq!(up.pods()[0]["status"]["restarts"], 0);
}

#[test]
fn a_pod_that_fails_its_liveness_probe_is_restarted() {
    let lab = Lab::new();
    let file = lab.path("dead");
    let more = format!(
        "env: [{{name: UNREADY_WHILE, value: {}}}]\n\
         livenessProbe: {{httpGet: {{path: /readyz, port: web}}, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1}}",
        file.display()
    );
    let up = lab.up(&echo(1, &more), &[]);
    fs::write(&file, "").unwrap();
    until("restarted", || {
        up.pods()[0]["status"]["restarts"].as_u64().unwrap() > 0
    });
    fs::remove_file(&file).unwrap();
    until("running", || up.verb(&["status"]).code == 0);
    assert_eq!(up.pods()[0]["status"]["lastEnd"], "it failed its liveness probe");
}

#[test]
fn a_pod_that_cannot_start_is_seen_with_its_last_words() {
    let lab = Lab::new();
    let up = lab.start(&echo(1, "env: [{name: CRASH, value: '1'}]"), &[]);
    until("crash loop", || {
        up.pods()[0]["status"]["restarts"].as_u64().unwrap() >= 2
    });
    until("shown", || up.ok(&["get", "pods"]).contains("CrashLoopBackOff"));
    let status = up.verb(&["status"]);
    assert!(
        status.code == 1 && status.out.contains("exit code 3"),
        "{status:?}"
    );
    assert!(
        up.notices().contains("| cannot start: CRASH is set"),
        "{}",
        up.notices()
    );
    let name = up.pods()[0]["metadata"]["name"].as_str().unwrap().to_owned();
    assert!(up.ok(&["logs", &name]).contains("CRASH is set"));
    assert!(up.ok(&["logs", &format!("shop/{name}")]).contains("CRASH is set"));
    assert_eq!(up.verb(&["logs", "nobody"]).code, 1);
}

#[test]
fn replicas_come_and_go() {
    let lab = Lab::new();
    let up = lab.up(&echo(1, ""), &[]);
    let first = up.pods()[0]["metadata"]["name"].clone();
    for replicas in [3, 1, 0] {
        let file = lab.file("scaled.yaml", &echo(replicas, ""));
        let lines = up.ok(&["apply", "-f", &file]);
        assert!(lines.contains("deployment.apps/echo configured"), "{lines}");
        until("scaled", || {
            up.verb(&["status"]).code == 0 && up.pods().len() == replicas
        });
        let kept = up.pods().iter().any(|pod| pod["metadata"]["name"] == first);
        assert_eq!(kept, replicas > 0, "the oldest stays");
    }
}

#[test]
fn a_changed_template_replaces_the_pods_without_a_failed_request() {
    let lab = Lab::new();
    let up = lab.up(&(echo(2, READY) + &gateway(&[80])), &["--gateway", "127.0.0.1:0"]);
    let names = |up: &Up| -> BTreeSet<String> {
        let pods = up.pods();
        pods.iter()
            .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let (before, door) = (names(&up), up.gateway());
    let done = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&done);
    let load = thread::spawn(move || {
        let mut answers = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            answers.push(get(door, "echo", "/"));
        }
        answers
    });
    let changed = lab.file(
        "changed.yaml",
        &echo(2, &format!("{READY}\nenv: [{{name: A, value: b}}]")),
    );
    up.ok(&["apply", "-f", &changed]);
    until("replaced", || {
        up.verb(&["status"]).code == 0 && up.pods().len() == 2 && names(&up).is_disjoint(&before)
    });
    done.store(true, Ordering::Relaxed);
    let answers = load.join().unwrap();
    let failed: Vec<_> = answers
        .iter()
        .filter(|answer| !matches!(answer, Some((200, _))))
        .collect();
    assert!(
        failed.is_empty() && answers.len() > 10,
        "{} answers, {failed:?}",
        answers.len()
    );
}

#[test]
fn a_seed_gives_the_same_pod_names_again() {
    let names = || -> Vec<Value> {
        let lab = Lab::new();
        let up = lab.up(&echo(2, ""), &["--seed", "7"]);
        up.pods()
            .iter()
            .map(|pod| pod["metadata"]["name"].clone())
            .collect()
    };
    assert_eq!(names(), names());
}
