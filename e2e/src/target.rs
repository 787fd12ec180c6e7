//! Where a scenario runs.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::lab::Lab;
use crate::run::Ended;
use crate::way::Way;

/// A replica of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Unique in the namespace; the instance that answers name.
    pub name: String,
    /// Its label `app`.
    pub app: String,
    /// Its label `version`.
    pub version: String,
    /// Whether it gets requests.
    pub ready: bool,
    /// How often its container was started again.
    pub restarts: u64,
}

/// Who sends a request, and so: whose proxy routes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// Somebody outside, through the ingress gateway.
    Gateway,
    /// The workload `load-client` in the namespace of the lab, through its own sidecar.
    Inside,
}

/// What the caller's proxy wrote of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Path and query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// Response flags as Envoy writes them, such as `UO` or `DI,FI`; `-` for none.
    pub flags: String,
}

impl Caller {
    /// Both of them: a rule that holds on one way only is a frequent mistake.
    pub const ALL: [Caller; 2] = [Caller::Gateway, Caller::Inside];

    /// As a table names it.
    pub fn name(self) -> &'static str {
        match self {
            Caller::Gateway => "gateway",
            Caller::Inside => "in mesh",
        }
    }
}

/// A mesh with the lab's services in it. What a scenario needs, and no more: a cluster has to give the same.
pub trait Target: Sync {
    /// As a person calls it.
    fn name(&self) -> &str;

    /// The programs and manifests in use.
    fn lab(&self) -> &Lab;

    /// `ADDRESS:PORT` at which a client outside reaches the ingress gateway over plain HTTP.
    fn gateway(&self) -> &str;

    /// The way of this caller to a service such as `payment-service`; from outside, to whatever the gateway leads to.
    fn way(&self, caller: Caller, service: &str) -> Way;

    /// The way straight to a pod, past every proxy of the mesh.
    fn direct(&self, pod: &Pod) -> impl Future<Output = Result<Way>> + Send;

    /// The end of the access log of this caller's proxy, the lines of all requests of the last minutes among them. A
    /// request may be missing for a second or two after its answer.
    fn access_log(&self, caller: Caller) -> impl Future<Output = Result<Vec<Logged>>> + Send;

    /// What is deployed besides the stage, for those who compute what to expect.
    fn manifests(&self) -> Vec<PathBuf>;

    /// The command that applies the path written after it, as a shell takes it.
    fn apply_command(&self) -> String;

    /// The command that runs `load-client verify` as [`Caller::Inside`] with the flags written after it, as a shell
    /// takes it.
    fn inside_command(&self) -> String;

    /// Applies a file or a folder. If the exit code is 0, the change is in force for every request sent from then on
    /// (a target whose own command returns earlier waits); otherwise nothing has changed.
    fn apply(&self, path: &Path) -> impl Future<Output = Result<Ended>> + Send;

    /// Deletes the objects of a file or a folder; the same is promised.
    fn delete(&self, path: &Path) -> impl Future<Output = Result<Ended>> + Send;

    /// All replicas, those that are not ready, too.
    fn pods(&self) -> impl Future<Output = Result<Vec<Pod>>> + Send;

    /// Takes a pod away without asking those who use it. Somebody sees to it that there is one again: the same one
    /// started anew, or another.
    fn kill(&self, pod: &Pod) -> impl Future<Output = Result<()>> + Send;

    /// The address of something behind the gateway.
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway())
    }
}
