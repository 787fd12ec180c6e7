//! Programs that run to their end.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// No program of the tests takes this long; what does is stuck.
const LIMIT: Duration = Duration::from_secs(180);

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What was run.
    pub command: String,
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// All of it.
    pub stdout: String,
    /// All of it.
    pub stderr: String,
}

/// Runs a command and waits for its end. It is killed if it takes three minutes, or when the test ends early.
///
/// # Errors
/// It could not be started, or did not end.
pub async fn run(command: &mut Command) -> Result<Ended> {
    run_within(LIMIT, command).await
}

/// The same, with another limit than three minutes.
///
/// # Errors
/// It could not be started, or did not end.
pub async fn run_within(limit: Duration, command: &mut Command) -> Result<Ended> {
    let words = command.as_std();
    let words = std::iter::once(words.get_program()).chain(words.get_args());
    let shown = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ");
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(limit, child.output())
        .await
        .with_context(|| format!("`{shown}` has not ended after {limit:?}"))?
        .with_context(|| format!("cannot run `{shown}`"))?;
    Ok(Ended {
        command: shown,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

impl Ended {
    /// Itself, if it ended with this exit code.
    ///
    /// # Errors
    /// Another exit code; the error has all output.
    pub fn expect(self, code: i32) -> Result<Self> {
        if self.code == Some(code) {
            return Ok(self);
        }
        let Ended {
            command,
            stdout,
            stderr,
            ..
        } = &self;
        bail!(
            "`{command}` ended with {:?} instead of {code}\nstdout:\n{stdout}\nstderr:\n{stderr}",
            self.code
        )
    }

    /// What it printed, as JSON.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        let Ended {
            command,
            stdout,
            stderr,
            ..
        } = self;
        serde_json::from_str(stdout)
            .with_context(|| format!("`{command}` printed no JSON\nstdout:\n{stdout}\nstderr:\n{stderr}"))
    }
}
