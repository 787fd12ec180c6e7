//! Docker: is it there, and is it large and new enough for a node with Istio?

use super::facts::{Docker, Facts, NoDocker};
use super::{Finding, version::Version};

const GIB: u64 = 1 << 30;

/// What the demo asks for, with room for a browser and an editor. Measured: a node with Istio and five pods with sidecars
/// has 1.0 GiB in use.
const MEMORY_WANTED: u64 = 4 * GIB;
/// Docker's virtual machine reports less than it was given; so much less is the same.
const MEMORY_SLACK: u64 = GIB / 3;
/// Below this the node, Istio and a compiler do not get along.
const MEMORY_NEEDED: u64 = 2 * GIB;
const CPUS_WANTED: u32 = 2;

/// The last Kubernetes that starts with cgroup v1 is 1.34; kind publishes this image of it.
const LAST_FOR_CGROUP_1: &str = "kindest/node:v1.34.3";

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    match &facts.docker {
        Err(reason) => vec![missing(reason)],
        Ok(docker) => vec![
            Finding::ok("docker", format!("version {}", docker.version)),
            memory(docker, facts),
            cpus(docker),
            architecture(docker),
            cgroups(docker, facts.kubernetes().as_ref()),
        ],
    }
}

fn missing(reason: &NoDocker) -> Finding {
    match reason {
        NoDocker::Missing => Finding::problem(
            "docker",
            "not installed, or not in PATH; the node of the cluster is a container",
            "https://docs.docker.com/engine/install/",
        ),
        NoDocker::Denied => Finding::problem(
            "docker",
            "runs, but you may not use it",
            "sudo usermod -aG docker $USER    # then log in again",
        ),
        NoDocker::NotRunning(said) => Finding::problem(
            "docker",
            format!("does not answer: {said}"),
            "sudo systemctl start docker    # or start Docker Desktop",
        ),
    }
}

fn memory(docker: &Docker, facts: &Facts) -> Finding {
    let total = gib(docker.memory);
    let check = "memory";
    let more = "give Docker 4 GiB (Docker Desktop: Settings, Resources), or use: make demo-local";
    if docker.memory < MEMORY_NEEDED {
        return Finding::problem(
            check,
            format!("Docker has {total}; a cluster with Istio does not fit into less than 2 GiB"),
            more,
        );
    }
    if docker.memory + MEMORY_SLACK < MEMORY_WANTED {
        return Finding::warning(
            check,
            format!("Docker has {total} of the 4 GiB that are wanted"),
            more,
        );
    }
    match facts.available_memory.filter(|_| !facts.cluster_runs()) {
        Some(free) if free < MEMORY_NEEDED => Finding::warning(
            check,
            format!("{} of {total} are free; the demo needs about 2 GiB", gib(free)),
            "end what you do not need; this shows the largest: ps aux --sort=-rss | head",
        ),
        Some(free) => Finding::ok(check, format!("{total}, {} free", gib(free))),
        None => Finding::ok(check, total),
    }
}

fn cpus(docker: &Docker) -> Finding {
    let cpus = docker.cpus;
    if cpus < CPUS_WANTED {
        let fix = "give Docker 2 CPUs (Docker Desktop: Settings, Resources), or use: make demo-local";
        return Finding::warning(
            "cpus",
            format!("Docker has {cpus} of the 2 that are wanted; waiting for pods may time out"),
            fix,
        );
    }
    Finding::ok("cpus", cpus.to_string())
}

fn architecture(docker: &Docker) -> Finding {
    match docker.architecture.as_str() {
        "x86_64" | "amd64" => Finding::ok("architecture", "amd64"),
        "aarch64" | "arm64" => Finding::ok("architecture", "arm64"),
        other => Finding::problem(
            "architecture",
            format!("{other}; Kubernetes nodes and Istio have images for amd64 and arm64"),
            "make demo-local",
        ),
    }
}

fn cgroups(docker: &Docker, kubernetes: Option<&Version>) -> Finding {
    let check = "cgroups";
    if docker.cgroup_version != 1 {
        return Finding::ok(check, "v2");
    }
    let older = format!("KIND_IMAGE={LAST_FOR_CGROUP_1} make demo");
    match kubernetes {
        Some(version) if version.is_at_least(1, 35) => Finding::problem(
            check,
            format!("v1; Kubernetes {version} does not start with it, 1.34 is the last that does"),
            older,
        ),
        Some(version) => Finding::ok(check, format!("v1, with which Kubernetes {version} still starts")),
        None => Finding::warning(
            check,
            "v1; Kubernetes 1.35 and newer do not start with it, and the version of the node image is not known",
            older,
        ),
    }
}

/// `3.8 GiB`.
#[allow(clippy::cast_precision_loss)] // one decimal is shown
pub(super) fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / GIB as f64)
}
