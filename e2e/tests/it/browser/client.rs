//! A load-client that serves a page.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// It runs, or has ended and its page stays.
pub(super) struct Client {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    /// Where its page is.
    pub(super) page: String,
}

impl Client {
    /// Runs a command of load-client with a page that stays, on a free port.
    pub(super) async fn start(command: &mut Command) -> Result<Self> {
        command.args(["--dashboard", "127.0.0.1:0", "--dashboard-hold", "forever"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stderr = child.stderr.take().context("its standard error")?;
        let mut stderr = BufReader::new(stderr).lines();
        let line = stderr.next_line().await?.context("load-client has ended")?;
        let page = line.strip_prefix("live page: ").context(line.clone())?.to_owned();
        Ok(Client { child, stderr, page })
    }

    /// Waits until its work is done.
    pub(super) async fn done(&mut self) -> Result<()> {
        while let Some(line) = self.stderr.next_line().await? {
            if line.contains("Ctrl-C ends it") {
                return Ok(());
            }
        }
        anyhow::bail!("load-client has ended, and its page with it")
    }

    /// Ctrl-C while the page stays; the exit code is that of the verdict.
    pub(super) async fn end(mut self, code: i32) -> Result<()> {
        let pid = self.child.id().context("load-client has ended")?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGINT)?;
        let status = self.child.wait().await?;
        ensure!(
            status.code() == Some(code),
            "load-client ended with {status} instead of {code}"
        );
        Ok(())
    }
}
