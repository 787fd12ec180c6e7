//! `load-client mesh-state` over recorded answers of kubectl and istioctl.

use crate::command::{code, command, json, stderr, stdout};
use crate::lab::manifests;
use crate::mesh_state::data;

fn mesh_state(folder: &str, words: &[&str]) -> std::process::Output {
    let path = std::env::var("PATH").unwrap();
    let mut arguments = vec!["mesh-state", "--context", "recorded"];
    arguments.extend(words);
    command(&arguments)
        .env("PATH", format!("{}:{path}", data("bin").display()))
        .env("RECORDED", data(folder))
        .output()
        .unwrap()
}

fn in_stage(stage: &str, words: &[&str]) -> std::process::Output {
    let (base, stage) = (manifests("base"), manifests(&format!("stages/{stage}")));
    let fixed = [
        "--url",
        "http://127.0.0.1:8080/payments",
        "-X",
        "POST",
        "--then",
        "POST http://auth-service:8080/verify",
    ];
    mesh_state(
        "lab",
        &[&fixed[..], &["--manifests", &base, &stage], words].concat(),
    )
}

#[test]
fn the_command_reads_the_mesh_through_kubectl_and_istioctl() {
    let output = in_stage("30-canary-10", &["-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let state = json(&output);
    assert_eq!(state["agrees"], true);
    assert_eq!(
        state["edges"][1]["proxies"][0]["held"]["outbound|8080|v2|auth-service.traffic-lab.svc.cluster.local"],
        0.1
    );
    let output = in_stage("40-canary-50", &[]);
    assert_eq!(code(&output), 1, "{output:?}");
    for line in stdout(&output).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_mesh_that_cannot_be_asked_is_exit_code_2() {
    let output = mesh_state(
        "none",
        &[
            "--url",
            "http://shop:8080/",
            "--from",
            "odd/caller-fine",
            "--manifests",
            data("odd/manifests.yaml").to_str().unwrap(),
        ],
    );
    assert_eq!(code(&output), 2, "{output:?}");
    assert!(
        stderr(&output).contains("-o json --context recorded` failed"),
        "{output:?}"
    );
}
