use std::net::TcpListener;

use crate::kit::{Lab, deployment, echo, gateway, verb};

/// Starts nothing: its only pod would leave a file.
fn tattling(lab: &Lab) -> String {
    let file = lab.path("started");
    echo(
        1,
        &format!("command: [sh, -c, 'touch {}; sleep 60']", file.display()),
    )
}

#[test]
fn every_problem_of_every_file_is_shown_and_nothing_is_started() {
    let lab = Lab::new();
    let second = lab.file(
        "rules.yaml",
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: shop}\n\
         spec:\n  hots: [echo]\n  http:\n  - route: [{destination: {host: echo}}]\n  http: []\n",
    );
    let third = lab.file("kind.yaml", "apiVersion: v1\nkind: Servce\nmetadata: {name: a}\n");
    let answer = lab.run(&tattling(&lab), &["-f", &second, "-f", &third]);
    assert_eq!(answer.code, 2, "{answer:?}");
    for expected in [
        "rules.yaml:5:3",
        "hots",
        "rules.yaml:8:3",
        "kind.yaml:2:7",
        "Servce",
        "^",
    ] {
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
    assert!(!lab.path("started").exists() && lab.processes().is_empty());
}

#[test]
fn a_subset_that_nobody_defines_is_refused_with_its_place() {
    let lab = Lab::new();
    let rule = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: shop}\n\
                spec:\n  hosts: [echo]\n  http:\n  - route: [{destination: {host: echo, subset: v9}}]\n";
    let answer = lab.run(&(tattling(&lab) + rule), &[]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(
        answer.err.contains("subset `v9`") && answer.err.contains("mesh.yaml:"),
        "{}",
        answer.err
    );
    assert!(!lab.path("started").exists());
}

#[test]
fn a_missing_program_is_named_with_what_to_do() {
    let lab = Lab::new();
    let both = tattling(&lab) + &deployment("other", "v3", 1, "") + &deployment("third", "v4", 1, "");
    let answer = lab.run(&both, &[]);
    assert_eq!(answer.code, 2, "{answer:?}");
    for expected in [
        "shop/other",
        "echo-v3",
        "shop/third",
        "echo-v4",
        "make build",
        "--bin-dir",
    ] {
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
    assert!(!lab.path("started").exists());
}

#[test]
fn what_cannot_be_run_as_one_process_is_refused() {
    let lab = Lab::new();
    let second = "      - {name: second, image: 'lab/echo:v1'}\n";
    for (manifest, expected) in [
        (deployment("echo", "v1", 2, "") + second, "a pod of 2 containers"),
        (echo(2, "env: [{name: PORT, value: '9000'}]"), "the port 9000"),
        (
            echo(1, "env: [{name: X, valueFrom: {fieldRef: {fieldPath: spec.x}}}]"),
            "`spec.x`",
        ),
    ] {
        let answer = lab.run(&manifest, &[]);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
}

#[test]
fn addresses_in_use_are_named_with_their_owner() {
    let lab = Lab::new();
    let up = lab.up("", &[]);
    let admin = up.admin.to_string();
    let file = lab.file("mesh.yaml", &tattling(&lab));
    let answer = verb(&["up", "-f", &file, "--admin", &admin]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(
        answer.err.contains(&format!("pid {}", up.pid())) && answer.err.contains("--admin"),
        "{}",
        answer.err
    );

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let answer = lab.run(&(tattling(&lab) + &gateway(&[80])), &["--gateway", &address]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(
        answer.err.contains(&address) && answer.err.contains("--gateway"),
        "{}",
        answer.err
    );
    assert!(!lab.path("started").exists());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let lab = Lab::new();
    let twice = ["--client", "a/b@127.0.0.1:0", "--client", "a/b@127.0.0.1:0"];
    for (options, expected) in [
        (&["--admin", "0.0.0.0:0"][..], "loopback"),
        (&["--client", "curl@127.0.0.1:0"], "NAMESPACE/NAME"),
        (&["--gateway", "somewhere"], "127.0.0.1:8080"),
        (&["--client-locality", "a/b/c/d"], "region/zone/subzone"),
        (&["--bin-dir", "/no/such/folder"], "no such folder"),
        (&["-f", "/no/such/file"], "no such file"),
        (&twice, "twice"),
    ] {
        let file = lab.file("empty.yaml", "");
        let mut words = vec!["up", "-f", &file];
        words.extend(options);
        if !options.contains(&"--admin") {
            // The default address may be that of a mesh which somebody runs.
            words.extend(["--admin", "127.0.0.1:0"]);
        }
        let answer = verb(&words);
        assert_eq!(answer.code, 2, "{options:?}: {answer:?}");
        assert!(answer.err.contains(expected), "{expected}: {}", answer.err);
    }
}

#[test]
fn a_rule_that_asks_for_tls_is_named_once_with_its_place() {
    let lab = Lab::new();
    let rule = |mode: &str, subset: &str| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: echo, namespace: shop}}\n\
             spec:\n  host: echo\n  trafficPolicy: {{tls: {{mode: {mode}}}}}\n\
             \x20 subsets: [{{name: v1, labels: {{version: v1}}, trafficPolicy: {{tls: {{mode: {subset}}}}}}}]\n"
        )
    };
    let up = lab.up(&rule("ISTIO_MUTUAL", "SIMPLE"), &[]);
    let (notices, mesh) = (up.notices(), lab.path("mesh.yaml"));
    let expected = format!(
        "{}:7: DestinationRule shop/echo: TLS ISTIO_MUTUAL, SIMPLE: plain text here",
        mesh.display()
    );
    assert_eq!(notices.matches("TLS").count(), 1, "{notices}");
    assert!(notices.contains(&expected), "{notices}");
    for (text, notes) in [
        (rule("ISTIO_MUTUAL", "SIMPLE") + "# the same\n", ""),
        (
            rule("DISABLE", "SIMPLE"),
            "rule.yaml:8: DestinationRule shop/echo: TLS SIMPLE",
        ),
        (rule("DISABLE", "DISABLE"), ""),
    ] {
        let answer = up.verb(&["apply", "-f", &lab.file("rule.yaml", &text)]);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert_eq!(answer.err.is_empty(), notes.is_empty(), "{}", answer.err);
        assert!(answer.err.contains(notes), "{}", answer.err);
    }
}

#[test]
fn a_service_entry_that_needs_a_name_server_is_named() {
    let lab = Lab::new();
    let entry = |endpoints: &str| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: pay, namespace: shop}}\n\
             spec: {{hosts: [pay.example], resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: {endpoints}}}\n"
        )
    };
    for (endpoints, expected) in [
        (
            "[]",
            "ServiceEntry shop/pay: not looked up here, so no endpoint (503 UH): pay.example",
        ),
        ("[{address: 127.0.0.1}]", ""),
    ] {
        let answer = lab.run(&entry(endpoints), &["--", "true"]);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(answer.err.contains(expected), "{}", answer.err);
        assert_eq!(
            answer.err.contains("looked up"),
            !expected.is_empty(),
            "{}",
            answer.err
        );
    }
}

#[test]
fn kinds_that_are_not_enforced_are_named_once() {
    let lab = Lab::new();
    let policy = |name: &str| {
        format!(
            "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}}}\nspec: {{}}\n"
        )
    };
    let answer = lab.run(&(policy("a") + &policy("b")), &["--", "true"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(
        answer.err.matches("PeerAuthentication").count(),
        1,
        "{}",
        answer.err
    );
}
