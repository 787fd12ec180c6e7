//! `scripts/in-mesh` against a kubectl that writes down what it is asked for.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{Ended, Lab, run, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

/// Answers as a cluster in which the pod comes, starts, and ends with exit code 1, unless a file says otherwise.
const KUBECTL: &str = r#"#!/usr/bin/env bash
cd "$(dirname "$0")" || exit
printf '%s\n' "$*" >>calls
while [[ $1 == -* ]]; do shift 2; done # --context and -n
case "$1 $2" in
  'create configmap') printf '%s\n' "${@:4}" >files ;;
  'create -f') cat >job.yaml ;;
  'get pods')
    [[ $* != *message* ]] || { printf 'no such image'; exit; }
    [[ ! -e state ]] || { cat state; exit; }
    printf x >>asked
    case $(<asked) in x) ;; xx) echo '|ContainerCreating' ;; *) echo '1|' ;; esac
    ;;
  logs*) printf '%s\n' 'connecting' '{' '  "verdict": "VIOLATION"' '}' ;;
esac
"#;

/// What load-client would hand over: a blank, quotes, braces and a backslash have to arrive as they are.
const FLAGS: [&str; 4] = [
    "--url=http://payment-service:8080/payments",
    r#"--body={"to":"a \"shop\" \\"}"#,
    "--header=idempotency-key: {uuid}",
    "--then=POST http://auth-service:8080/verify",
];

struct FakeCluster {
    folder: TempDir,
    lab: Lab,
}

impl FakeCluster {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let kubectl = folder.path().join("kubectl");
        fs::write(&kubectl, KUBECTL)?;
        fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755))?;
        let lab = Lab::find()?;
        Ok(FakeCluster { folder, lab })
    }

    fn script(&self) -> Command {
        // A shell cannot trap a signal that was ignored when it was started, as that of Ctrl-C is behind a `&`.
        let mut script = Command::new("env");
        script.args(["--default-signal=INT", "scripts/in-mesh"]);
        let path = format!(
            "{}:{}",
            self.folder.path().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        script.current_dir(self.lab.root()).env("PATH", path);
        script
            .env_remove("KUBECTL")
            .env_remove("NAMESPACE")
            .env_remove("IMAGE");
        script.args(FLAGS);
        script.args([
            "--manifests",
            "manifests/base",
            "./manifests/stages/30-canary-10/",
        ]);
        script.arg("--output=json");
        script
    }

    fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.folder.path().join(name)).with_context(|| format!("no {name}"))
    }

    fn job(&self) -> Result<Value> {
        Ok(serde_saphyr::from_str(&self.read("job.yaml")?)?)
    }

    /// Job and ConfigMap have one name, and both are removed.
    fn is_clean(&self, job: &Value) -> Result<()> {
        let name = job["metadata"]["name"].as_str().context("a Job has a name")?;
        let calls = self.read("calls")?;
        let removed = format!("delete job/{name} configmap/{name} ");
        assert!(
            calls.lines().last().is_some_and(|call| call.contains(&removed)),
            "{calls}"
        );
        assert!(calls.contains(&format!("create configmap {name} ")), "{calls}");
        Ok(())
    }
}

fn container(job: &Value) -> &Value {
    &job["spec"]["template"]["spec"]["containers"][0]
}

/// The files of the mounted ConfigMap: where each is to be, and where it comes from.
fn mounted(cluster: &FakeCluster, job: &Value) -> Result<BTreeMap<String, PathBuf>> {
    let files = cluster.read("files")?;
    let sources: BTreeMap<&str, &str> = files
        .lines()
        .filter_map(|line| line.strip_prefix("--from-file=")?.split_once('='))
        .collect();
    let map = &job["spec"]["template"]["spec"]["volumes"][0]["configMap"];
    let items = map["items"].as_array().context("the volume has items")?;
    assert_eq!(items.len(), sources.len());
    let item = |item: &Value| {
        let (key, path) = (item["key"].as_str()?, item["path"].as_str()?);
        Some((path.to_owned(), cluster.lab.root().join(sources.get(key)?)))
    };
    let items: Option<_> = items.iter().map(item).collect();
    items.context("every item has a key of the ConfigMap, and a path")
}

#[tokio::test]
async fn the_flags_arrive_as_they_are_and_report_and_exit_code_come_back() -> Result<()> {
    let cluster = FakeCluster::new()?;
    let ended = run(&mut cluster.script()).await?.expect(1)?;
    assert_eq!(ended.json()?, json!({"verdict": "VIOLATION"}));
    assert_eq!(
        ended.stderr, "connecting\n",
        "what is not the report is not with it"
    );
    let job = cluster.job()?;
    let mut arguments = vec!["verify"];
    arguments.extend(FLAGS);
    arguments.extend(["--manifests", "manifests/base", "manifests/stages/30-canary-10"]);
    arguments.push("--output=json");
    assert_eq!(container(&job)["args"], json!(arguments));
    assert_eq!(container(&job)["image"], "istio-traffic-lab/load-client:dev");
    assert_eq!(job["metadata"]["namespace"], "traffic-lab");
    cluster.is_clean(&job)
}

/// load-client gets as far as to find nobody who listens: it has read every manifest that it was given.
#[tokio::test]
async fn the_paths_of_the_manifests_resolve_where_they_are_mounted() -> Result<()> {
    let cluster = FakeCluster::new()?;
    run(&mut cluster.script()).await?.expect(1)?;
    let job = cluster.job()?;
    assert_eq!(
        container(&job)["workingDir"],
        container(&job)["volumeMounts"][0]["mountPath"]
    );
    let lab = tempfile::tempdir()?;
    for (path, source) in mounted(&cluster, &job)? {
        let path = lab.path().join(path);
        fs::create_dir_all(path.parent().context("below the mount")?)?;
        fs::copy(source, path)?;
    }
    let arguments = container(&job)["args"].as_array().context("a list")?;
    let mut verify = cluster.lab.program("load-client");
    verify
        .args(arguments.iter().filter_map(Value::as_str))
        .current_dir(lab.path());
    let ended = run(verify.args([
        "--proxy",
        "http://127.0.0.1:1",
        "--from",
        "traffic-lab/load-client",
    ]))
    .await?;
    let ended: Ended = ended.expect(2)?;
    assert!(
        ended.stderr.contains("nobody listens at 127.0.0.1:1"),
        "{}",
        ended.stderr
    );
    Ok(())
}

#[tokio::test]
async fn kubectl_namespace_and_image_can_be_others() -> Result<()> {
    let cluster = FakeCluster::new()?;
    let mut script = cluster.script();
    script.env("KUBECTL", "kubectl --context kind-lab");
    script
        .env("NAMESPACE", "shop")
        .env("IMAGE", "registry/load-client:1");
    run(&mut script).await?.expect(1)?;
    let job = cluster.job()?;
    assert_eq!(container(&job)["image"], "registry/load-client:1");
    assert_eq!(job["metadata"]["namespace"], "shop");
    let calls = cluster.read("calls")?;
    assert!(
        calls
            .lines()
            .all(|call| call.starts_with("--context kind-lab -n shop ")),
        "{calls}"
    );
    Ok(())
}

#[tokio::test]
async fn a_pod_that_cannot_start_is_told_with_its_reason_and_removed() -> Result<()> {
    let cluster = FakeCluster::new()?;
    fs::write(cluster.folder.path().join("state"), "|ErrImageNeverPull\n")?;
    let ended = run(&mut cluster.script()).await?.expect(2)?;
    assert!(
        ended
            .stderr
            .contains("cannot start (ErrImageNeverPull): no such image"),
        "{}",
        ended.stderr
    );
    cluster.is_clean(&cluster.job()?)
}

#[tokio::test]
async fn whoever_ends_the_script_leaves_nothing_behind() -> Result<()> {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let cluster = FakeCluster::new()?;
        fs::write(cluster.folder.path().join("state"), "|ContainerCreating\n")?;
        let mut child = cluster.script().kill_on_drop(true).spawn()?;
        until(
            "the script waits for the pod",
            Duration::from_secs(20),
            async || {
                let calls = cluster.read("calls").unwrap_or_default();
                Ok(calls.contains("get pods").then_some(()))
            },
        )
        .await?;
        let pid = child.id().context("the script runs")?;
        kill(Pid::from_raw(i32::try_from(pid)?), signal)?;
        assert_eq!(child.wait().await?.code(), Some(code));
        cluster.is_clean(&cluster.job()?)?;
    }
    Ok(())
}
