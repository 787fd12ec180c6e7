//! Asks Docker, the tools and `/proc`: the only I/O of `doctor`.

mod docker;
mod machine;

use std::time::Duration;

use serde_json::Value;

use super::facts::{Facts, NoTool};
use super::version::Version;
use super::wanted::Wanted;
use crate::ask::{AskError, ask};
use docker::Info;

/// For each program; Docker Desktop that is being started takes its time.
const LIMIT: Duration = Duration::from_secs(10);

/// What this machine is like. Nothing is changed; what cannot be found out is left open.
pub async fn gather(wanted: Wanted) -> Facts {
    let (info, containers, kind, kubectl, istioctl) = tokio::join!(
        ask(&["docker", "info", "--format", "{{json .}}"], LIMIT),
        ask(
            &["docker", "ps", "--all", "--no-trunc", "--format", "{{json .}}"],
            LIMIT
        ),
        ask(&["kind", "version"], LIMIT),
        ask(&["kubectl", "version", "--client", "--output", "json"], LIMIT),
        ask(
            &["istioctl", "version", "--remote=false", "--output", "json"],
            LIMIT
        ),
    );
    let info = info
        .map_err(|error| docker::refusal(&error))
        .and_then(|text| docker::read_info(&text));
    // With Docker in a virtual machine, files of this machine say nothing about it.
    let root = info
        .as_ref()
        .ok()
        .filter(|info| info.is_here())
        .map(|info| info.docker_root_dir.clone());
    let mut ports = Vec::new();
    for port in &wanted.ports {
        ports.push(machine::port_fact(port).await);
    }
    Facts {
        docker: info.map(Info::into_docker),
        containers: containers
            .map(|text| docker::read_containers(&text))
            .unwrap_or_default(),
        ports,
        inotify: root.as_ref().and_then(|_| machine::inotify()),
        available_memory: root.as_ref().and_then(|_| machine::available_memory()),
        free_disk: match &root {
            Some(root) => machine::free_disk(root).await,
            None => None,
        },
        kind: tool(kind, |text| text.split_whitespace().nth(1).map(str::to_owned)),
        kubectl: tool(kubectl, |text| at(text, "/clientVersion/gitVersion")),
        istioctl: tool(istioctl, |text| at(text, "/clientVersion/version")),
        wanted,
    }
}

fn tool(
    answer: Result<String, AskError>,
    version: impl Fn(&str) -> Option<String>,
) -> Result<Version, NoTool> {
    let text = answer.map_err(|error| match error {
        AskError::Missing(_) => NoTool::Missing,
        other => NoTool::Odd(other.to_string()),
    })?;
    let found = version(&text).and_then(|version| version.parse().ok());
    found.ok_or_else(|| NoTool::Odd(text.trim().chars().take(80).collect()))
}

fn at(text: &str, pointer: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.pointer(pointer)?.as_str().map(str::to_owned)
}
