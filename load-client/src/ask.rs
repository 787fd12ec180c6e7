//! Runs programs of others (docker, kubectl, istioctl, ...) for what they print.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// A program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not in `PATH`.
    #[error("`{0}` is not installed, or not in PATH")]
    Missing(String),
    /// Found, but it could not be run.
    #[error("cannot run `{command}`: {reason}")]
    Start {
        /// All words.
        command: String,
        /// Of the system.
        reason: io::Error,
    },
    /// It did not end.
    #[error("`{command}` did not end within {limit:?}")]
    Late {
        /// All words.
        command: String,
        /// How long it was given.
        limit: Duration,
    },
    /// It ended with another code than 0.
    #[error("`{command}` failed ({status}): {message}")]
    Failed {
        /// All words.
        command: String,
        /// Exit code or signal.
        status: ExitStatus,
        /// Of its stderr, or of its stdout when that is empty.
        message: String,
    },
}

/// What a program prints on stdout. It is killed when it takes longer than `limit`, or when the future is dropped.
///
/// # Errors
/// It is missing, does not start, does not end in time, or fails.
pub(crate) async fn ask(words: &[&str], limit: Duration) -> Result<String, AskError> {
    let command = || shell_words::join(words);
    let (program, arguments) = words.split_first().unwrap_or((&"", &[]));
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(limit, child)
        .await
        .map_err(|_| AskError::Late {
            command: command(),
            limit,
        })?;
    let output = ended.map_err(|reason| match reason.kind() {
        io::ErrorKind::NotFound => AskError::Missing((*program).to_owned()),
        _ => AskError::Start {
            command: command(),
            reason,
        },
    })?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let message = if stderr.trim().is_empty() {
        &stdout
    } else {
        &*stderr
    };
    Err(AskError::Failed {
        command: command(),
        status: output.status,
        message: message.trim().to_owned(),
    })
}
