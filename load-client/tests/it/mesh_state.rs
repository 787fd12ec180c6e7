//! What recorded proxies hold beside what manifests declare (tests/data/mesh_state/README.md).

use std::fs;
use std::path::PathBuf;

use load_client::expect::{Call, Caller, Chain, Question, load_manifests, questions, variants};
use load_client::mesh_state::{
    Counters, Finding, MeshState, ProxyConfig, Reading, Seen, Trouble, read_pods, read_statuses, reconcile,
};
use mesh_config::Mesh;

use crate::lab::manifests;

pub(crate) fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/mesh_state")
        .join(path)
}

fn reading(folder: &str, status: &str) -> Reading {
    let mut reading = Reading {
        statuses: read_statuses(&fs::read_to_string(data(folder).join(status)).unwrap()).unwrap(),
        ..Reading::default()
    };
    for entry in fs::read_dir(data(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(stem) = name
            .strip_suffix(".json")
            .filter(|stem| !stem.starts_with("status"))
        else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        if stem.starts_with("pods-") {
            reading.pods.extend(read_pods(&text).unwrap());
        } else {
            let config = ProxyConfig::read(&text).unwrap();
            reading.configs.insert(stem.to_owned(), Ok(config));
        }
    }
    reading
}

fn lab() -> Reading {
    reading("lab", "status.json")
}

/// What the payments of the demo ask in a stage.
fn payments(stage: &str) -> Vec<Question> {
    let paths = [manifests("base"), manifests(&format!("stages/{stage}"))];
    let mesh = load_manifests(&Mesh::default(), &paths.map(PathBuf::from), 0).unwrap();
    let chain = Chain {
        caller: Caller::Gateway,
        call: Call::from_words("POST http://127.0.0.1:8080/payments").unwrap(),
        then: Some(Call::from_words("POST http://auth-service:8080/verify").unwrap()),
    };
    let variants = variants(&mesh, &chain).unwrap();
    questions(&mesh, &chain, &variants).unwrap()
}

fn ask_odd(caller: &str) -> Vec<Question> {
    let mesh = load_manifests(&Mesh::default(), &[data("odd/manifests.yaml")], 0).unwrap();
    let chain = Chain {
        caller: format!("odd/{caller}").parse().unwrap(),
        call: Call::from_words("GET http://shop:8080/").unwrap(),
        then: None,
    };
    questions(&mesh, &chain, &[]).unwrap()
}

fn odd(caller: &str, status: &str) -> MeshState {
    reconcile(&ask_odd(caller), &reading("odd", status), &[])
}

fn only(state: &MeshState) -> &Finding {
    assert!(!state.agrees);
    assert_eq!(state.findings.len(), 1, "{state:#?}");
    &state.findings[0]
}

fn table(state: &MeshState) -> String {
    let mut text = Vec::new();
    state.write_table(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn proxies_that_follow_hold_what_the_stage_declares() {
    let state = reconcile(&payments("30-canary-10"), &lab(), &[]);
    assert!(state.agrees, "{state:#?}");
    let edges: Vec<_> = state
        .edges
        .iter()
        .map(|edge| (edge.edge.to_string(), edge.proxies.len()))
        .collect();
    let expected = [
        ("client -> payment-service", 1),
        ("payment-service v1 -> auth-service", 2),
        ("payment-service v2 -> auth-service", 2),
    ];
    assert_eq!(edges, expected.map(|(edge, proxies)| (edge.to_owned(), proxies)));
    assert!(
        table(&state).ends_with("5 proxies hold what is declared\n"),
        "{}",
        table(&state)
    );
}

#[test]
fn another_stage_than_the_declared_one_is_seen_on_every_proxy() {
    let state = reconcile(&payments("40-canary-50"), &lab(), &[]);
    let troubles: Vec<_> = state.findings.iter().map(|finding| finding.trouble).collect();
    assert_eq!(troubles, [Trouble::Differs; 5]);
    assert_eq!(
        state.findings[0].text,
        "holds v1 90 %, v2 10 % for payment-service, not v1 50 %, v2 50 %"
    );
    // What to do about it is the same for all of them and said once.
    let text = table(&state);
    assert_eq!(text.matches("-> apply the manifests").count(), 1, "{text}");
}

#[test]
fn a_variant_of_the_request_is_asked_about_on_its_own() {
    let state = reconcile(&payments("20-header-canary"), &lab(), &[]);
    let gateway = &state.findings[0];
    let expected = "holds v1 90 %, v2 10 % for payment-service, not v1 100 %; \
                    holds v1 90 %, v2 10 % for payment-service [x-canary: true], not v2 100 %";
    assert_eq!(gateway.text, expected);
}

#[test]
fn a_caller_that_follows_is_not_blamed_for_the_others() {
    assert!(odd("caller-fine", "status.json").agrees);
}

#[test]
fn a_pod_without_a_proxy_is_not_in_the_mesh() {
    let state = odd("caller-outside", "status.json");
    let finding = only(&state);
    assert_eq!(finding.trouble, Trouble::NotInMesh);
    // This one opts out itself; a label on the namespace would not help.
    assert!(finding.fix.contains("sidecar.istio.io/inject"), "{finding:?}");
    let mut reading = reading("odd", "status.json");
    for pod in &mut reading.pods {
        pod.labels.remove("sidecar.istio.io/inject");
    }
    let questions = ask_odd("caller-outside");
    let mut unlabelled = questions.clone();
    unlabelled[0].caller.labels.remove("sidecar.istio.io/inject");
    let state = reconcile(&unlabelled, &reading, &[]);
    assert!(
        only(&state)
            .fix
            .contains("kubectl label namespace odd istio-injection=enabled"),
        "{state:?}"
    );
}

#[test]
fn a_proxy_that_refused_an_update_is_named_with_envoys_reason() {
    let state = odd("caller-refuses", "status.json");
    let finding = only(&state);
    assert_eq!(finding.trouble, Trouble::Refused);
    let expected = "refused an update and keeps what it had (RouteConfiguration: missing ]: [); \
                    holds v1 50 %, v2 50 % for shop, not v1 90 %, v2 10 %";
    assert_eq!(finding.text, expected);
}

#[test]
fn a_proxy_that_does_not_answer_is_behind_and_then_not_connected() {
    let state = odd("caller-behind", "status.json");
    let finding = only(&state);
    assert_eq!(finding.trouble, Trouble::Behind);
    assert!(
        finding.text.contains("(Cluster, Listener, RouteConfiguration)"),
        "{finding:?}"
    );
    assert_eq!(finding.fix, "kubectl -n odd rollout restart deploy/caller-behind");
    let state = odd("caller-behind", "status-later.json");
    let finding = only(&state);
    assert_eq!(finding.trouble, Trouble::NotConnected);
    assert!(
        finding
            .text
            .ends_with("holds v1 50 %, v2 50 % for shop, not v1 90 %, v2 10 %"),
        "{finding:?}"
    );
    assert_eq!(
        finding.proxy.as_deref(),
        Some("caller-behind-5db75fbbbc-tcbrj.odd")
    );
}

#[test]
fn a_caller_without_pods_is_said_and_pods_that_end_do_not_count() {
    let questions = ask_odd("caller-fine");
    let mut without = reading("odd", "status.json");
    for pod in &mut without.pods {
        pod.running = false;
    }
    let state = reconcile(&questions, &without, &[]);
    assert_eq!(only(&state).trouble, Trouble::NoPods);
}

#[test]
fn a_proxy_that_cannot_be_asked_agrees_with_nothing() {
    let mut reading = reading("odd", "status.json");
    for config in reading.configs.values_mut() {
        *config = Err("the tunnel broke".to_owned());
    }
    let state = reconcile(&ask_odd("caller-fine"), &reading, &[]);
    let finding = only(&state);
    assert_eq!(finding.trouble, Trouble::NotRead);
    assert!(finding.text.contains("the tunnel broke"), "{finding:?}");
}

#[test]
fn what_the_client_saw_is_held_against_the_proxies() {
    let seen = |questions: &[Question], as_declared| {
        let edge = questions[0].edge.clone();
        [Seen {
            edge,
            as_declared: Some(as_declared),
            requests: 1_000,
        }]
    };
    let questions = payments("30-canary-10");
    assert!(reconcile(&questions, &lab(), &seen(&questions, true)).agrees);
    let state = reconcile(&questions, &lab(), &seen(&questions, false));
    let finding = only(&state);
    assert_eq!((finding.trouble, &finding.proxy), (Trouble::Bypassed, &None));
    assert!(
        finding.text.starts_with("client -> payment-service: "),
        "{finding:?}"
    );
    // Old routes explain what the client saw.
    let questions = payments("40-canary-50");
    let state = reconcile(&questions, &lab(), &seen(&questions, false));
    assert!(
        state
            .findings
            .iter()
            .all(|finding| finding.trouble == Trouble::Differs),
        "{state:#?}"
    );
    let state = reconcile(&questions, &lab(), &seen(&questions, true));
    assert!(
        state.findings[0]
            .text
            .ends_with("(the client saw the declared split all the same)"),
        "{state:#?}"
    );
}

/// What Istio's Envoy prints for requests to auth-service, and one that it received itself.
fn prometheus(v1: u64, v2: u64) -> String {
    let line = |reporter: &str, service: &str, version: &str, status: u16, count: u64| {
        format!(
            "istio_requests_total{{response_code=\"{status}\",reporter=\"{reporter}\",source_workload=\"payment-v1\",\
             destination_workload=\"auth-{version}\",destination_version=\"{version}\",\
             destination_service=\"{service}.traffic-lab.svc.cluster.local\",request_protocol=\"http\",\
             response_flags=\"-\"}} {count}\n"
        )
    };
    [
        "# TYPE istio_requests_total counter\n".to_owned(),
        line("source", "auth-service", "v1", 200, v1 - 5),
        line("source", "auth-service", "v1", 503, 5),
        line("source", "auth-service", "v2", 200, v2),
        line("destination", "payment-service", "v1", 200, 7_777),
        "istio_request_bytes_sum{reporter=\"source\"} 12\n".to_owned(),
    ]
    .concat()
}

#[test]
fn requests_are_counted_over_the_time_in_question() {
    let (before, after) = (prometheus(100, 50), prometheus(550, 100));
    let (before, after) = (Counters::read(&before).unwrap(), Counters::read(&after).unwrap());
    let questions = payments("30-canary-10");
    let mut reading = lab();
    // One of the two pods was started in between.
    for (pod, counted) in [
        ("7wq5r", after.since(&before)),
        ("zc8cb", before.since(&Counters::default())),
    ] {
        let proxy = format!("payment-v1-6cdc97876c-{pod}.traffic-lab");
        reading.counted.insert(proxy, counted);
    }
    let seen = |requests| {
        let edge = questions[1].edge.clone();
        [Seen {
            edge,
            as_declared: Some(true),
            requests,
        }]
    };
    let state = reconcile(&questions, &reading, &seen(650));
    assert!(state.agrees, "{state:#?}");
    let line = "payment-service v1 -> auth-service: the proxies counted 550 requests to v1, 100 to v2\n";
    assert!(table(&state).contains(line), "{}", table(&state));
    // The gateway does not count, so nothing is said of its requests.
    assert_eq!(state.counted.len(), 1);
    let state = reconcile(&questions, &reading, &seen(1_000));
    let finding = only(&state);
    assert_eq!(finding.trouble, Trouble::Bypassed);
    assert!(
        finding
            .text
            .contains("saw 1,000 requests, the proxies of the caller counted 650"),
        "{finding:?}"
    );
}

#[test]
fn a_proxy_without_istios_metrics_does_not_count() {
    assert_eq!(
        Counters::read("envoy_cluster_upstream_rq{cluster_name=\"xds-grpc\"} 1\n"),
        None
    );
    // A proxy that started anew has counted less than before.
    let old = Counters::read(&prometheus(900, 90)).unwrap();
    let new = Counters::read(&prometheus(10, 0)).unwrap();
    assert_eq!(new.since(&old), new);
}

#[test]
fn output_that_is_something_else_is_an_error() {
    assert!(read_pods("{}").is_err());
    assert!(read_statuses("No proxies").is_err());
    assert_eq!(read_statuses("").unwrap(), []);
    // Two istiods print one answer after the other.
    let one = r#"{"resources": [{"node": {"id": "a.b"}}]}"#;
    assert_eq!(read_statuses(&format!("{one}\n{one}")).unwrap().len(), 2);
}
