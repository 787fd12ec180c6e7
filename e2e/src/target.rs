//! Where a scenario runs.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::lab::Lab;
use crate::run::Ended;

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

/// A mesh with the lab's services in it. What a scenario needs, and no more: a cluster has to give the same.
pub trait Target {
    /// The programs and manifests in use.
    fn lab(&self) -> &Lab;

    /// `ADDRESS:PORT` at which a client outside reaches the ingress gateway over plain HTTP.
    fn gateway(&self) -> &str;

    /// What is deployed besides the stage, for those who compute what to expect.
    fn manifests(&self) -> Vec<PathBuf>;

    /// The command that applies the path written after it, as a shell takes it.
    fn apply_command(&self) -> String;

    /// Applies a file or a folder. If the exit code is 0, the change is in force for every request sent from then on
    /// (a target whose own command returns earlier waits); otherwise nothing has changed.
    fn apply(&self, path: &Path) -> impl Future<Output = Result<Ended>> + Send;

    /// All replicas, those that are not ready, too.
    fn pods(&self) -> impl Future<Output = Result<Vec<Pod>>> + Send;

    /// Ends the process of a pod with SIGKILL, behind the back of whoever watches over it.
    fn kill(&self, pod: &Pod) -> impl Future<Output = Result<()>> + Send;

    /// The address of something behind the gateway.
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway())
    }
}
