//! What is known of a machine: everything that the findings are made of.

use super::version::Version;
use super::wanted::{HostPort, Wanted};

/// What is known of a machine. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The cluster that is to be made.
    pub wanted: Wanted,
    /// The Docker daemon.
    pub docker: Result<Docker, NoDocker>,
    /// All containers, those that are stopped, too.
    pub containers: Vec<Container>,
    /// For each port that the cluster is to listen on.
    pub ports: Vec<PortFact>,
    /// Limits of the kernel under Docker; `None`: not known, as with Docker in a virtual machine.
    pub inotify: Option<Inotify>,
    /// Memory that programs can still get; `None`: not known.
    pub available_memory: Option<u64>,
    /// Room on the disk where Docker keeps its images; `None`: not known.
    pub free_disk: Option<u64>,
    /// Version of kind.
    pub kind: Result<Version, NoTool>,
    /// Version of kubectl.
    pub kubectl: Result<Version, NoTool>,
    /// Version of istioctl.
    pub istioctl: Result<Version, NoTool>,
}

/// The Docker daemon, as `docker info` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Docker {
    /// Its version.
    pub version: String,
    /// Memory that its containers can have together.
    pub memory: u64,
    /// Processors that its containers can have together.
    pub cpus: u32,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// 1 or 2.
    pub cgroup_version: u8,
}

/// Why there is no Docker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoDocker {
    /// No `docker` in `PATH`.
    Missing,
    /// The daemon is there, but this user may not talk to it.
    Denied,
    /// Something else, mostly that the daemon does not run: what docker said.
    NotRunning(String),
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image, as it was asked for.
    pub image: String,
    /// Whether it runs.
    pub running: bool,
    /// Ports of this machine that it has.
    pub ports: Vec<u16>,
    /// The kind cluster it is a node of.
    pub cluster: Option<String>,
}

/// A port, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortFact {
    /// The port.
    pub port: HostPort,
    /// `None`: it is free.
    pub holder: Option<Holder>,
}

/// Who listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A process, by name and id.
    Process(String, u32),
    /// The system does not tell this user.
    Unknown,
}

/// Limits of inotify, which containerd and the kubelet use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inotify {
    /// `fs.inotify.max_user_watches`.
    pub watches: u64,
    /// `fs.inotify.max_user_instances`.
    pub instances: u64,
}

/// Why the version of a tool is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTool {
    /// Not in `PATH`.
    Missing,
    /// It was run: what came out.
    Odd(String),
}

impl Facts {
    /// The node of the cluster, if it exists.
    pub(super) fn node(&self) -> Option<&Container> {
        let name = self.wanted.node();
        self.containers.iter().find(|container| container.name == name)
    }

    /// Whether the cluster is there already and runs.
    pub(super) fn cluster_runs(&self) -> bool {
        self.node().is_some_and(|node| node.running)
    }

    /// The Kubernetes version of the cluster that is, or else of the one that will be.
    pub(super) fn kubernetes(&self) -> Option<Version> {
        let wanted = self.wanted.image.as_deref();
        Version::of_image(self.node().map_or(wanted, |node| Some(&node.image))?)
    }
}
