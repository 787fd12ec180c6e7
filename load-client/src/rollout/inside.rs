//! What a client inside the mesh sees: `load-client verify`, run there by a command, judges the same stage.
//!
//! Weights that hold for what comes through the gateway and not for callers inside (a VirtualService that is bound to
//! the gateway alone) are the usual mistake, and no request through the gateway shows it.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::CommandLine;
use crate::expect::Chain;
use crate::report::Report;

/// How a client inside the mesh judges a stage.
#[derive(Clone, Debug)]
pub struct Inside {
    /// Runs `load-client verify` inside the mesh with the flags that are appended.
    pub command: CommandLine,
    /// What it calls, and as whom.
    pub chain: Chain,
    /// Flags that are the same at every stage.
    pub flags: Vec<String>,
    /// Manifests below the stages.
    pub manifests: Vec<PathBuf>,
}

/// There is no report from inside the mesh.
#[derive(Debug, thiserror::Error)]
pub enum InsideError {
    /// No such program, say.
    #[error("cannot run `{command}`: {reason}; give the path of the program in --inside")]
    Start {
        /// As in --inside.
        command: String,
        /// Of the system.
        reason: std::io::Error,
    },
    /// It ended without a report of `load-client verify -o json`.
    #[error("`{command}` printed no report ({status}):\n{output}")]
    NoReport {
        /// As in --inside.
        command: String,
        /// Exit code or signal.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
}

/// Lines of output that are shown of a command without a report.
const LINES: usize = 12;

impl Inside {
    /// Judges the stage of this folder: `alpha` for all of its edges, `budget` requests at most. The command gets
    /// SIGTERM if the returned future is dropped, and may then take its time to clean up.
    ///
    /// # Errors
    /// It could not be started, or printed no report. Any verdict is a report.
    pub(super) async fn verify(&self, stage: &Path, alpha: f64, budget: u64) -> Result<Report, InsideError> {
        let arguments = self.arguments(stage, alpha, budget);
        let mut command = self.command.with(&arguments);
        let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = started.map_err(|reason| InsideError::Start {
            command: self.shown(),
            reason,
        })?;
        let mut running = Running::new(child.id());
        let output = child
            .wait_with_output()
            .await
            .map_err(|reason| InsideError::Start {
                command: self.shown(),
                reason,
            })?;
        running.ended();
        serde_json::from_slice(&output.stdout).map_err(|_no_report| {
            let both = [output.stdout, output.stderr].concat();
            InsideError::NoReport {
                command: self.shown(),
                status: output.status,
                output: last_lines(&String::from_utf8_lossy(&both)),
            }
        })
    }

    fn arguments(&self, stage: &Path, alpha: f64, budget: u64) -> Vec<String> {
        let mut arguments = self.flags.clone();
        arguments.extend([
            format!("--alpha={alpha}"),
            format!("--budget={budget}"),
            "--output=json".to_owned(),
        ]);
        arguments.push("--manifests".to_owned());
        let manifests = self.manifests.iter().map(PathBuf::as_path).chain([stage]);
        arguments.extend(manifests.map(|path| path.to_string_lossy().into_owned()));
        arguments
    }

    fn shown(&self) -> String {
        self.command.shown::<&str>(&[])
    }
}

/// A command that is told to end when nobody waits for it any more.
struct Running(Option<Pid>);

impl Running {
    fn new(id: Option<u32>) -> Self {
        Running(id.and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    fn ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // It may have ended by itself just now; it has not been waited for, so the id is still its own.
            let _ = kill(pid, Signal::SIGTERM);
        }
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
