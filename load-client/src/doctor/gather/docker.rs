//! What `docker info` and `docker ps` print.

use serde::Deserialize;
use serde_json::Value;

use crate::ask::AskError;
use crate::doctor::facts::{Container, Docker, NoDocker};

/// `docker info`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Info {
    #[serde(default)]
    server_version: String,
    #[serde(default)]
    mem_total: u64,
    #[serde(rename = "NCPU", default)]
    cpus: u32,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    operating_system: String,
    #[serde(default)]
    cgroup_version: String,
    #[serde(default)]
    pub(super) docker_root_dir: String,
    /// A client without a daemon says so here, and ends with 0.
    #[serde(default)]
    server_errors: Vec<String>,
}

impl Info {
    /// Whether it shares this machine's kernel and disk.
    pub(super) fn is_here(&self) -> bool {
        cfg!(target_os = "linux") && !self.operating_system.contains("Docker Desktop")
    }

    pub(super) fn into_docker(self) -> Docker {
        Docker {
            version: self.server_version,
            memory: self.mem_total,
            cpus: self.cpus,
            architecture: self.architecture,
            // Docker before 20.10 does not say, and knows version 1 only.
            cgroup_version: self.cgroup_version.parse().unwrap_or(1),
        }
    }
}

pub(super) fn read_info(text: &str) -> Result<Info, NoDocker> {
    let info: Info = serde_json::from_str(text)
        .map_err(|error| NoDocker::NotRunning(format!("`docker info` is not readable: {error}")))?;
    match info.server_errors.first() {
        Some(error) => Err(refused(error)),
        None => Ok(info),
    }
}

/// Why docker gave no answer.
pub(super) fn refusal(error: &AskError) -> NoDocker {
    match error {
        AskError::Missing(_) => NoDocker::Missing,
        AskError::Failed { message, .. } => refused(message),
        other => NoDocker::NotRunning(other.to_string()),
    }
}

fn refused(message: &str) -> NoDocker {
    if message.to_lowercase().contains("permission denied") {
        return NoDocker::Denied;
    }
    // The last line says it; what it asks at the end is answered by the advice.
    let said = message.lines().last().unwrap_or_default();
    NoDocker::NotRunning(
        said.split(" Is the docker daemon")
            .next()
            .unwrap_or(said)
            .to_owned(),
    )
}

/// `docker ps`: one JSON object per line.
pub(super) fn read_containers(text: &str) -> Vec<Container> {
    text.lines()
        .filter_map(|line| read_container(&serde_json::from_str(line).ok()?))
        .collect()
}

fn read_container(value: &Value) -> Option<Container> {
    let text = |name: &str| value[name].as_str().unwrap_or_default();
    let label = text("Labels")
        .split(',')
        .find_map(|label| label.strip_prefix("io.x-k8s.kind.cluster="));
    Some(Container {
        name: value["Names"].as_str()?.to_owned(),
        image: text("Image").to_owned(),
        running: text("State") == "running",
        ports: text("Ports").split(", ").filter_map(published).collect(),
        cluster: label.map(str::to_owned),
    })
}

/// `127.0.0.1:8080->30080/tcp`; ranges, which kind does not publish, are left out.
fn published(mapping: &str) -> Option<u16> {
    let (host, _) = mapping.split_once("->")?;
    host.rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_read_with_their_ports_and_clusters() {
        let line = r#"{"Names":"kind-control-plane","Image":"kindest/node:v1.34.3","State":"running",
            "Labels":"io.x-k8s.kind.cluster=kind,io.x-k8s.kind.role=control-plane",
            "Ports":"127.0.0.1:8080->30080/tcp, [::1]:8443->443/tcp, 127.0.0.1:36077->6443/tcp, 80/tcp"}"#;
        let lines = format!("{}\nnot JSON\n", line.replace('\n', ""));
        let expected = Container {
            name: "kind-control-plane".to_owned(),
            image: "kindest/node:v1.34.3".to_owned(),
            running: true,
            ports: vec![8080, 8443, 36077],
            cluster: Some("kind".to_owned()),
        };
        assert_eq!(read_containers(&lines), [expected]);
    }

    #[test]
    fn a_client_without_a_daemon_is_no_docker() {
        let without = r#"{"ID":"","ServerErrors":["Cannot connect to the Docker daemon at unix:///var/run/docker.sock."]}"#;
        assert!(
            matches!(read_info(without), Err(NoDocker::NotRunning(said)) if said.starts_with("Cannot connect"))
        );
        let denied =
            r#"{"ServerErrors":["permission denied while trying to connect to the Docker daemon socket"]}"#;
        assert!(matches!(read_info(denied), Err(NoDocker::Denied)));
    }
}
