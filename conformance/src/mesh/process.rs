//! A running local-mesh, driven by its command line as anybody would drive it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::manifests;
use crate::case::{Case, Proxy};
use crate::place::Place;

/// It is ready after this time, or it will not be.
const READY: Duration = Duration::from_secs(15);
/// `apply` and `delete` return once the change is in force.
const CHANGED: Duration = Duration::from_secs(20);
/// SIGTERM ends it within this time, as it promises.
const ENDED: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// Why local-mesh could not be driven.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// It does not start at all.
    #[error("{}: {source}; build it with `cargo build --release -p local-mesh`, or say where it is: LOCAL_MESH=PATH", path.display())]
    Spawn {
        /// The program.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// `status` never said yes.
    #[error("local-mesh is not ready after {seconds} s: {0}", seconds = READY.as_secs())]
    NotReady(String),
    /// A verb did not come back.
    #[error("local-mesh {0} takes more than {seconds} s", seconds = CHANGED.as_secs())]
    Hangs(&'static str),
    /// Its files.
    #[error("the files of the case: {0}")]
    Io(#[from] io::Error),
}

/// What is replayed against.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program.
    pub local_mesh: PathBuf,
    /// For its random choices.
    pub seed: u64,
}

/// What `up` made of a config.
#[derive(Debug)]
pub enum Start {
    /// It runs.
    Ready(Box<Mesh>),
    /// It ended with this code and these words; 2 is a refusal.
    Ended(Outcome),
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code, if it was not killed.
    pub code: Option<i32>,
    /// What it printed.
    pub text: String,
}

/// A change.
#[derive(Clone, Copy, Debug)]
pub enum Verb {
    /// `local-mesh apply -f`.
    Apply,
    /// `local-mesh delete -f`.
    Delete,
}

/// A running local-mesh. It is killed if this is dropped before `stop`.
#[derive(Debug)]
pub struct Mesh {
    program: PathBuf,
    admin: String,
    folder: PathBuf,
    child: Child,
}

// === impl Outcome ===

impl Outcome {
    /// Whether the config was refused, as opposed to anything else that may go wrong.
    pub fn refused(&self) -> bool {
        self.code == Some(2)
    }

    /// The end of what it printed, in one line.
    pub fn brief(&self) -> String {
        let code = self.code.map_or("a signal".into(), |code| format!("exit {code}"));
        format!("{code}: {}", end_of(&self.text))
    }
}

// === impl Verb ===

impl Verb {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Apply => "apply",
            Verb::Delete => "delete",
        }
    }
}

// === impl Mesh ===

impl Mesh {
    /// Starts it with the config and the workloads of a case, and waits until it is ready or has ended.
    ///
    /// `folder` is for its files; the access log is `access.log` there.
    pub async fn up(
        setup: &Setup,
        case: &Case,
        place: &Place,
        workloads: &str,
        folder: &Path,
    ) -> Result<Start, MeshError> {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map(|()| path)
        };
        let program = &setup.local_mesh;
        let mut command = Command::new(program);
        command
            .arg("up")
            .arg("-f")
            .arg(write("config.yaml", &manifests::config(case))?);
        if !workloads.is_empty() {
            command.arg("-f").arg(write("workloads.yaml", workloads)?);
        }
        if case.proxy == Proxy::Sidecar {
            command.arg("--client").arg(client(case, place));
        }
        if let Some(locality) = &case.client.locality {
            command.args(["--client-locality", locality]);
        }
        command.args(["--gateway", &place.gateway().to_string()]);
        command.args([
            "--admin",
            &place.admin().to_string(),
            "--seed",
            &setup.seed.to_string(),
        ]);
        command.arg("--access-log").arg(folder.join("access.log"));
        let output = std::fs::File::create(folder.join("output.log"))?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        let child = command.spawn().map_err(|source| MeshError::Spawn {
            path: program.to_owned(),
            source,
        })?;
        let admin = place.admin().to_string();
        let mesh = Mesh {
            program: program.to_owned(),
            admin,
            folder: folder.to_owned(),
            child,
        };
        mesh.ready().await
    }

    async fn ready(mut self) -> Result<Start, MeshError> {
        let deadline = Instant::now() + READY;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Start::Ended(Outcome {
                    code: status.code(),
                    text: self.output(),
                }));
            }
            let status = self.call("status", &[]).await?;
            if status.code == Some(0) {
                return Ok(Start::Ready(Box::new(self)));
            }
            if Instant::now() > deadline {
                return Err(MeshError::NotReady(end_of(&(self.output() + &status.text))));
            }
            sleep(POLL).await;
        }
    }

    /// Applies or deletes objects.
    pub async fn change(&self, verb: Verb, text: &str) -> Result<Outcome, MeshError> {
        let path = self.folder.join(format!("{}.yaml", verb.name()));
        std::fs::write(&path, text)?;
        self.call(verb.name(), &[Path::new("-f"), &path]).await
    }

    async fn call(&self, verb: &'static str, arguments: &[&Path]) -> Result<Outcome, MeshError> {
        let mut command = Command::new(&self.program);
        command
            .arg(verb)
            .args(arguments)
            .args(["--admin", &self.admin])
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(CHANGED, command.output())
            .await
            .map_err(|_| MeshError::Hangs(verb))??;
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Ok(Outcome {
            code: output.status.code(),
            text: text.into_owned(),
        })
    }

    /// Ends it as it asks to be ended. An error if it does not end in time; then it is killed.
    pub async fn stop(mut self) -> Result<(), MeshError> {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            kill(Pid::from_raw(id), Signal::SIGTERM).map_err(io::Error::from)?;
        }
        let ended = timeout(ENDED, self.child.wait()).await;
        ended
            .map_err(|_| MeshError::Hangs("up, after SIGTERM,"))?
            .map(|_| ())
            .map_err(MeshError::Io)
    }

    fn output(&self) -> String {
        // A log that cannot be read is shown as an empty one.
        std::fs::read_to_string(self.folder.join("output.log")).unwrap_or_default()
    }
}

fn client(case: &Case, place: &Place) -> String {
    let labels: String = case
        .client
        .labels
        .iter()
        .map(|(name, value)| format!(",{name}={value}"))
        .collect();
    format!("{}/client{labels}@{}", case.client.namespace, place.client())
}

/// The last 400 characters, in one line.
fn end_of(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let skipped = words.chars().count().saturating_sub(400);
    words.chars().skip(skipped).collect()
}
