//! Puts a stage into force: `local-mesh apply -f` or `kubectl apply -f`, and the folder of the stage.

use std::path::Path;
use std::process::Output;

use super::CommandLine;

/// A stage was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No such program, say.
    #[error("cannot run `{command}`: {reason}; give the path of the program in --apply")]
    Start {
        /// With the folder.
        command: String,
        /// Of the system.
        reason: std::io::Error,
    },
    /// It ran and failed.
    #[error("`{command}` failed ({status}):\n{output}")]
    Failed {
        /// With the folder.
        command: String,
        /// Exit code or signal.
        status: std::process::ExitStatus,
        /// What it printed, both streams.
        output: String,
    },
}

/// Runs the command on a folder and waits for its end. It is killed if the returned future is dropped.
///
/// # Errors
/// It could not be started, or did not exit with 0.
pub(super) async fn apply(command: &CommandLine, folder: &Path) -> Result<(), ApplyError> {
    let child = command.with(&[folder]).kill_on_drop(true).output();
    let output = child.await.map_err(|reason| ApplyError::Start {
        command: command.shown(&[folder]),
        reason,
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(ApplyError::Failed {
        command: command.shown(&[folder]),
        status: output.status,
        output: both_streams(&output),
    })
}

fn both_streams(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    let text: String = streams.map(|stream| String::from_utf8_lossy(stream)).concat();
    text.trim_end().to_owned()
}
