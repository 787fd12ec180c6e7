//! local-mesh's side of a guard.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;
use uuid::Uuid;

use super::{NAME, OURSELVES, TERMINATE};

/// For a guard to connect, and to end once its child has: both take milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program to start under guard.
pub(crate) struct Launch<'a> {
    /// A path, or a name to be looked up in `PATH`.
    pub(crate) program: &'a OsStr,
    /// Without `argv[0]`.
    pub(crate) arguments: &'a [OsString],
    /// Variables to set.
    pub(crate) environment: &'a [(OsString, OsString)],
    /// What becomes of the standard streams, and of our own environment.
    pub(crate) streams: Streams,
    /// A process group of its own. A command at a terminal stays in ours: otherwise it could not read from it.
    pub(crate) own_group: bool,
}

/// Standard streams of a child.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Ours, and our environment besides.
    Inherited,
    /// Nothing to read, output to be taken with [`Guarded::output`], nothing of our environment.
    Captured,
}

/// The program could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("cannot start a guard process: {0}")]
    Spawn(#[from] io::Error),
    #[error("the guard process did not report; is /proc mounted?")]
    Silent,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Code(i32),
    Signal(i32),
    /// The guard was killed, and the child with it.
    Unguarded,
}

/// A child with its guard. Dropping it kills the child: the lifeline closes.
pub(crate) struct Guarded {
    guard: Child,
    group: Option<Pid>,
    pid: u32,
    reports: Lines<BufReader<OwnedReadHalf>>,
    orders: OwnedWriteHalf,
    ended: Option<Ended>,
}

impl Guarded {
    /// Starts a program under guard.
    ///
    /// # Errors
    /// When the guard cannot be started. A program that cannot be executed ends with 126 or 127 and a line on its
    /// standard error, as in a shell.
    pub(crate) async fn start(launch: &Launch<'_>) -> Result<Self, LaunchError> {
        let name = format!("local-mesh/{}", Uuid::new_v4());
        let address = SocketAddr::from_abstract_name(&name)?;
        let listener = UnixListener::bind_addr(&address)?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let mut guard = command(&name, launch).spawn()?;
        let guard_pid = i32::try_from(guard.id().unwrap_or_default()).map_err(io::Error::other)?;
        let first = async {
            // Anybody may know the name; only the guard is let in.
            let stream = loop {
                let (stream, _) = listener.accept().await?;
                if stream.peer_cred()?.pid() == Some(guard_pid) {
                    break stream;
                }
            };
            let (reports, orders) = stream.into_split();
            let mut reports = BufReader::new(reports).lines();
            let line = reports.next_line().await?.unwrap_or_default();
            Ok::<_, io::Error>((line, reports, orders))
        };
        let (line, reports, orders) = tokio::select! {
            connected = timeout(PATIENCE, first) => connected.map_err(|_| LaunchError::Silent)??,
            _ = guard.wait() => return Err(LaunchError::Silent),
        };
        let pid = line.strip_prefix("pid ").and_then(|pid| pid.parse().ok());
        Ok(Guarded {
            guard,
            group: launch.own_group.then(|| Pid::from_raw(guard_pid)),
            pid: pid.ok_or(LaunchError::Silent)?,
            reports,
            orders,
            ended: None,
        })
    }

    /// Process id of the child itself.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The child's output, once.
    pub(crate) fn output(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.guard.stdout.take(), self.guard.stderr.take())
    }

    /// Completes when the child has ended; may be called again, and given up at any time.
    pub(crate) async fn ended(&mut self) -> Ended {
        while self.ended.is_none() {
            self.ended = match self.reports.next_line().await {
                Ok(Some(line)) => parse(&line),
                Ok(None) | Err(_) => Some(Ended::Unguarded),
            };
        }
        self.ended.unwrap_or(Ended::Unguarded)
    }

    /// Sends SIGTERM to the child.
    pub(crate) async fn terminate(&mut self) {
        // Too late if the guard is gone, and then the child is as well.
        let _ = self.orders.write_all(&[TERMINATE]).await;
    }

    /// SIGTERM, and SIGKILL for what is left after the grace period.
    pub(crate) async fn stop(mut self, grace: Duration) -> Ended {
        self.terminate().await;
        let ended = timeout(grace, self.ended()).await.ok();
        self.finish().await;
        ended.unwrap_or(Ended::Signal(Signal::SIGKILL as i32))
    }

    /// Closes the lifeline, and returns when the child and all that it started are gone.
    pub(crate) async fn finish(self) {
        let Guarded {
            mut guard,
            group,
            reports,
            orders,
            ended,
            ..
        } = self;
        drop((reports, orders));
        let orderly = ended != Some(Ended::Unguarded) && timeout(PATIENCE, guard.wait()).await.is_ok();
        if !orderly {
            // It is not reaped, so the number of the group cannot have become somebody else's.
            if let Some(group) = group {
                let _ = killpg(group, Signal::SIGKILL);
            }
            let _ = guard.kill().await;
        }
    }
}

fn command(lifeline: &str, launch: &Launch<'_>) -> Command {
    let mut command = Command::new(OURSELVES);
    command.arg0(NAME).arg("guard").arg(lifeline);
    command.arg("--").arg(launch.program).args(launch.arguments);
    if launch.own_group {
        command.process_group(0);
    }
    if launch.streams == Streams::Captured {
        command.env_clear();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }
    command.envs(
        launch
            .environment
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str())),
    );
    command
}

fn parse(line: &str) -> Option<Ended> {
    let (word, number) = line.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "exit" => Some(Ended::Code(number)),
        "signal" => Some(Ended::Signal(number)),
        _ => None,
    }
}

impl Ended {
    /// As a shell reports it: the code, or 128 and the signal.
    pub(crate) fn exit_code(self) -> u8 {
        let code = match self {
            Ended::Code(code) => code,
            Ended::Signal(signal) => 128 + signal,
            Ended::Unguarded => 137,
        };
        u8::try_from(code).unwrap_or(255)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Code(code) => write!(f, "exit code {code}"),
            Ended::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "signal {number} ({signal})"),
                Err(_) => write!(f, "signal {number}"),
            },
            Ended::Unguarded => f.write_str("its guard was killed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_reported_as_a_shell_would() {
        for (line, code, text) in [
            ("exit 3", 3, "exit code 3"),
            ("signal 9", 137, "signal 9 (SIGKILL)"),
            ("signal 15", 143, "signal 15 (SIGTERM)"),
        ] {
            let ended = parse(line).unwrap();
            assert_eq!((ended.exit_code(), ended.to_string().as_str()), (code, text));
        }
        assert_eq!(parse("pid 12"), None);
    }
}
