//! `load-client doctor` over programs that print what docker, kind, kubectl and istioctl print.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Output;

use crate::command::{code, command, json, stderr, stdout};

/// `load-client doctor` with the programs of this folder and no others.
fn doctor(programs: &str, configuration: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kind-config.yaml");
    fs::write(&file, configuration).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/doctor")
        .join(programs);
    command(&[
        "doctor",
        "-o",
        "json",
        "--cluster",
        "traffic",
        "--config",
        file.to_str().unwrap(),
    ])
    .env("PATH", path)
    .env_remove("KIND_IMAGE")
    .output()
    .unwrap()
}

fn configuration(port: u16) -> String {
    format!(
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n  - role: control-plane\n    \
         image: kindest/node:v1.34.3@sha256:08497ee19eace7b4b5348db5c6a1591d7752b164530a36f855cb0f2bdcbadd48\n    \
         extraPortMappings:\n      - {{listenAddress: 127.0.0.1, hostPort: {port}, containerPort: 30080}}\n"
    )
}

fn level<'a>(report: &'a serde_json::Value, check: &str) -> &'a str {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check}: {report:#}"))["level"]
        .as_str()
        .unwrap()
}

#[test]
fn the_command_reads_what_the_programs_print() {
    let output = doctor("bin", &configuration(18080));
    let report = json(&output);
    // The machine that runs the test has its own limits.
    for check in [
        "docker",
        "cpus",
        "architecture",
        "cgroups",
        "disk",
        "cluster",
        "port 18080",
        "kind",
        "kubectl",
        "istioctl",
    ] {
        assert_eq!(level(&report, check), "ok", "{check}: {report:#}");
    }
    assert_eq!((code(&output), &report["ready"]), (0, &true.into()), "{report:#}");
}

#[test]
fn a_port_that_is_taken_is_a_problem_and_exit_code_1() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = doctor("bin", &configuration(port));
    assert_eq!(code(&output), 1, "{output:?}");
    let report = json(&output);
    assert_eq!(level(&report, &format!("port {port}")), "problem", "{report:#}");
}

#[test]
fn without_any_program_each_is_named() {
    let output = doctor("none", "kind: Cluster\n");
    assert_eq!(code(&output), 1, "{output:?}");
    let report = json(&output);
    for check in ["docker", "kind", "kubectl", "istioctl"] {
        assert_eq!(level(&report, check), "problem", "{report:#}");
    }
}

#[test]
fn a_configuration_that_is_none_is_bad_input() {
    let output = doctor("bin", "nodes: {port: 8080}\n");
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("not a configuration of kind"),
        "{output:?}"
    );
    let missing = command(&["doctor", "--config", "/no/such/file"])
        .output()
        .unwrap();
    assert_eq!((code(&missing), stdout(&missing).as_str()), (2, ""));
    assert!(stderr(&missing).contains("--config"), "{missing:?}");
}
