use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::kit::{Lab, deployment, echo, gateway, get, request, until, verb};

/// Everything to one version.
fn all_to(version: &str) -> String {
    format!(
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: echo, namespace: shop}}\n\
         spec:\n  host: echo\n  subsets:\n  - {{name: v1, labels: {{version: v1}}}}\n  - {{name: v2, labels: {{version: v2}}}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: door, namespace: shop}}\n\
         spec:\n  hosts: ['*']\n  gateways: [door]\n  http:\n\
         \x20 - {{name: all, route: [{{destination: {{host: echo, port: {{number: 8080}}, subset: {version}}}}}]}}\n"
    )
}

fn two_versions() -> String {
    echo(1, "") + &deployment("echo-two", "v2", 1, "") + &gateway(&[80])
}

#[test]
fn apply_and_delete_speak_as_kubectl_does() {
    let lab = Lab::new();
    let up = lab.up(&two_versions(), &["--gateway", "127.0.0.1:0"]);
    let (one, two) = (
        lab.file("one.yaml", &all_to("v1")),
        lab.file("two.yaml", &all_to("v2")),
    );
    let lines = up.ok(&["apply", "-f", &one]);
    let expected = "destinationrule.networking.istio.io/echo created\nvirtualservice.networking.istio.io/door configured\n";
    assert_eq!(lines, expected);
    assert!(get(up.gateway(), "x", "/").unwrap().1.starts_with("echo-"));
    let lines = up.ok(&["apply", "-f", &one]);
    assert_eq!(lines.matches("unchanged").count(), 2, "{lines}");
    up.ok(&["apply", "-f", &two]);
    for _ in 0..20 {
        assert!(get(up.gateway(), "x", "/").unwrap().1.starts_with("echo-two-"));
    }
    // Only kinds and names count for delete; what is not there does not keep the rest.
    let names = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: nobody, namespace: shop}\n\
                 ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: door, namespace: shop}\n";
    let answer = up.verb(&["delete", "-f", &lab.file("names.yaml", names)]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_eq!(
        answer.out,
        "virtualservice.networking.istio.io \"door\" deleted\n"
    );
    assert!(
        answer
            .err
            .contains("virtualservices.networking.istio.io \"nobody\" not found"),
        "{}",
        answer.err
    );
    assert_eq!(get(up.gateway(), "x", "/").unwrap().0, 404);
}

#[test]
fn a_bad_file_is_refused_whole_and_the_old_configuration_stays() {
    let lab = Lab::new();
    let up = lab.up(&two_versions(), &["--gateway", "127.0.0.1:0"]);
    up.ok(&["apply", "-f", &lab.file("one.yaml", &all_to("v1"))]);
    let before = up.ok(&["get", "vs,dr", "-o", "json"]);
    for (text, expected) in [
        (all_to("v2").replace("subsets", "subset"), "subset"),
        (all_to("v3"), "subset `v3`"),
        (all_to("v2") + &deployment("missing", "v7", 1, ""), "echo-v7"),
        ("a: b: c".to_owned(), "bad.yaml:1"),
    ] {
        let answer = up.verb(&["apply", "-f", &lab.file("bad.yaml", &text)]);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(
            answer.err.contains(expected) && answer.err.contains("bad.yaml:"),
            "{expected}: {}",
            answer.err
        );
        assert_eq!(up.ok(&["get", "vs,dr", "-o", "json"]), before);
    }
    assert!(!get(up.gateway(), "x", "/").unwrap().1.starts_with("echo-two-"));
}

#[test]
fn no_request_fails_while_the_configuration_changes() {
    let lab = Lab::new();
    let up = lab.up(&two_versions(), &["--gateway", "127.0.0.1:0"]);
    let files = [
        lab.file("one.yaml", &all_to("v1")),
        lab.file("two.yaml", &all_to("v2")),
    ];
    up.ok(&["apply", "-f", &files[0]]);
    let (door, done) = (up.gateway(), Arc::new(AtomicBool::new(false)));
    let stop = Arc::clone(&done);
    let load = thread::spawn(move || {
        let mut statuses = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            statuses.push(get(door, "x", "/").map(|answer| answer.0));
        }
        statuses
    });
    for round in 0..40 {
        up.ok(&["apply", "-f", &files[round % 2]]);
    }
    done.store(true, Ordering::Relaxed);
    let statuses = load.join().unwrap();
    assert!(
        statuses.len() > 40 && statuses.iter().all(|status| *status == Some(200)),
        "{statuses:?}"
    );
}

#[test]
fn objects_and_pods_are_listed() {
    let lab = Lab::new();
    let up = lab.up(&two_versions(), &["--gateway", "127.0.0.1:0"]);
    let table = up.ok(&["get", "pods", "-n", "shop"]);
    let mut lines = table.lines();
    let heading: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    let row: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert!(
        row[0].starts_with("echo-") && row[1..4] == ["1/1", "Running", "0"],
        "{table}"
    );
    assert!(up.ok(&["get", "po", "-A", "-o", "wide"]).starts_with("NAMESPACE"));
    assert!(up.ok(&["get", "svc/echo", "-o", "wide"]).contains("2/2"));
    assert!(up.ok(&["get", "deploy"]).contains("1/1"));
    let all = up.ok(&["get", "all"]);
    for name in [
        "pod/echo-",
        "service/echo",
        "deployment.apps/echo-two",
        "gateway.networking.istio.io/door",
    ] {
        assert!(all.contains(name), "{name}: {all}");
    }
    let object = up.json(&["get", "virtualservice", "door", "-o", "json"]);
    assert_eq!(object["spec"]["hosts"][0], "*");
    assert!(
        up.ok(&["get", "vs", "door", "-n", "shop", "-o", "yaml"])
            .contains("kind: VirtualService\n")
    );
    let nothing = up.verb(&["get", "we"]);
    assert_eq!((nothing.code, nothing.err.as_str()), (0, "No resources found\n"));
    assert_eq!(
        up.json(&["get", "we", "-o", "json"])["items"],
        serde_json::json!([])
    );
}

#[test]
fn what_does_not_exist_is_1_and_what_makes_no_sense_is_2() {
    let lab = Lab::new();
    let up = lab.up(&two_versions(), &["--gateway", "127.0.0.1:0"]);
    for (words, code, expected) in [
        (
            &["get", "vs", "nobody"][..],
            1,
            "virtualservices.networking.istio.io \"nobody\" not found",
        ),
        (&["get", "pod", "door"], 1, "pods \"door\" not found"),
        (&["get", "vs", "door", "-n", "other"], 1, "not found"),
        (&["get", "podz"], 2, "did you mean `pod"),
        (
            &["explain", "http://echo:8080/", "--from", "shop/nobody"],
            1,
            "shop/echo-two",
        ),
        (&["explain", "https://echo:8080/"], 2, "http://"),
        (&["explain", "http://echo/", "-H", "nonsense"], 2, "name: value"),
        (&["apply", "-f", "/no/such/file"], 2, "no such file"),
    ] {
        let answer = up.verb(words);
        assert_eq!(answer.code, code, "{words:?}: {answer:?}");
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
}

#[test]
fn a_decision_is_explained_for_whoever_calls() {
    let lab = Lab::new();
    let options = ["--gateway", "127.0.0.1:0", "--client", "shop/curl@127.0.0.1:0"];
    let up = lab.up(&two_versions(), &options);
    up.ok(&["apply", "-f", &lab.file("one.yaml", &all_to("v2"))]);
    let text = up.ok(&["explain", &format!("http://{}/", up.gateway())]);
    for expected in [
        "VirtualService shop/door",
        "`all`",
        "100.000 %",
        "subset v2",
        "shop/echo-two-",
        "ready",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for from in ["shop/echo", "shop/curl"] {
        let explained = up.json(&["explain", "http://echo:8080/", "--from", from, "-o", "json"]);
        assert_eq!(explained["from"], from);
        assert_eq!(
            explained["explanation"]["object"],
            serde_json::Value::Null,
            "the default route"
        );
        assert_eq!(
            explained["endpoints"][0]["endpoints"].as_array().unwrap().len(),
            2
        );
    }
    let pod = up.pods()[0]["metadata"]["name"].as_str().unwrap().to_owned();
    up.ok(&["explain", "echo:8080", "--from", &format!("shop/{pod}")]);
}

#[test]
fn status_tells_what_is_missing() {
    let lab = Lab::new();
    let up = lab.up(&echo(1, ""), &[]);
    assert!(up.ok(&["status"]).contains("1 of 1 ready"));
    up.ok(&[
        "apply",
        "-f",
        &lab.file(
            "more.yaml",
            &deployment("late", "v2", 1, "env: [{name: CRASH, value: x}]"),
        ),
    ]);
    until("seen", || {
        up.verb(&["status"])
            .out
            .contains("not ready: Deployment shop/late: 0 of 1 pods ready")
    });
    assert_eq!(up.verb(&["status"]).code, 1);
    let status = up.json(&["status", "-o", "json"]);
    assert_eq!((&status["ready"], &status["objects"]), (&false.into(), &3.into()));
    assert_eq!(get(up.admin, "localhost", "/ready").unwrap().0, 503);
}

#[test]
fn without_a_mesh_the_verbs_say_so() {
    // Nobody listens at port 1.
    for words in [&["status"][..], &["get", "pods"], &["explain", "http://a/"]] {
        let mut words = words.to_vec();
        words.extend(["--admin", "127.0.0.1:1"]);
        let answer = verb(&words);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(
            answer.err.contains("no local-mesh at 127.0.0.1:1") && answer.err.contains("local-mesh up"),
            "{answer:?}"
        );
    }
}

#[test]
fn check_needs_no_mesh() {
    let lab = Lab::new();
    let good = lab.file("good.yaml", &(two_versions() + &all_to("v1")));
    let answer = verb(&["check", "-f", &good]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer.out.starts_with("ok: 7 objects in 1 file (Deployment 2,"),
        "{}",
        answer.out
    );
    let bad = lab.file("bad.yaml", &all_to("v1").replace("hosts", "hots"));
    let dangling = lab.file("dangling.yaml", &(two_versions() + &all_to("v9")));
    let answer = verb(&["check", "-f", &bad]);
    assert!(
        answer.code == 1
            && answer.out.contains("hots")
            && answer
                .out
                .ends_with("2 errors, 1 warning in 2 objects in 1 file\n"),
        "{answer:?}"
    );
    let answer = verb(&["check", "-f", &dangling]);
    assert!(
        answer.code == 1 && answer.out.contains("error[IST0101]"),
        "{answer:?}"
    );
    let answer = verb(&["check", "-f", "no-such-file.yaml"]);
    assert!(
        answer.code == 2 && answer.err.contains("no-such-file.yaml"),
        "{answer:?}"
    );
}

#[test]
fn findings_can_be_suppressed_and_have_forms_for_programs() {
    let lab = Lab::new();
    let file = lab.file("dangling.yaml", &(two_versions() + &all_to("v9")));
    let json = |words: &[&str]| -> serde_json::Value {
        let answer = verb(&[&["check", "-f", &file, "-o"], words].concat());
        serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    };
    let findings = json(&["json"]);
    let unknown = |finding: &&serde_json::Value| finding["rule"] == "TL0302";
    let list = findings["findings"].as_array().unwrap();
    let finding = list.iter().find(unknown).unwrap();
    assert_eq!(
        (&finding["code"], &finding["severity"]),
        (&"IST0101".into(), &"error".into())
    );
    assert_eq!(finding["file"], file.as_str());
    let sarif = json(&["sarif"]);
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(
        results
            .iter()
            .any(|result| result["ruleId"] == "TL0302" && result["level"] == "error")
    );
    let suppressed = verb(&["check", "-f", &file, "--suppress", "IST0101=VirtualService/*/*"]);
    assert_eq!(suppressed.code, 0, "{suppressed:?}");
    assert!(suppressed.err.contains("1 finding suppressed"), "{suppressed:?}");
    let bad = verb(&["check", "-f", &file, "--suppress", "IST0101"]);
    assert!(
        bad.code == 2 && bad.err.contains("CODE=KIND/NAMESPACE/NAME"),
        "{bad:?}"
    );
}

#[test]
fn pages_in_a_browser_cannot_use_the_admin_api() {
    let lab = Lab::new();
    let up = lab.up("", &[]);
    assert_eq!(get(up.admin, "127.0.0.1:15000", "/status").unwrap().0, 200);
    assert_eq!(get(up.admin, "rebound.example.com", "/status").unwrap().0, 422);
    let form = "POST /apply HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let (status, body) = request(up.admin, form).unwrap();
    assert!(status == 422 && body.contains("content-type"), "{body}");
    assert_eq!(get(up.admin, "localhost", "/nothing").unwrap().0, 404);
}
