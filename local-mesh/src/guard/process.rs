//! The guard's own process: one thread, no runtime.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getppid};

use super::{NAME, OURSELVES, TERMINATE, tree};

/// Runs a program under guard until it ends or the lifeline closes, then kills what is left below. The result is an
/// exit code: the program's, or 128 and the signal that ended it.
///
/// # Errors
/// When there is no lifeline of that name, or a system call fails.
pub(crate) fn watch(lifeline: &OsStr, program: &OsStr, arguments: &[OsString]) -> io::Result<u8> {
    // No signal ends a guard, and none is handled: the mask is the child's too until it executes its program.
    SigSet::all().thread_block()?;
    prctl::set_name(c"mesh-guard")?;
    prctl::set_child_subreaper(true)?;
    let mut deaths = SigSet::empty();
    deaths.add(Signal::SIGCHLD);
    let deaths = SignalFd::with_flags(&deaths, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let name = SocketAddr::from_abstract_name(lifeline.as_encoded_bytes())?;
    let mut lifeline = UnixStream::connect_addr(&name)?;
    let child = start(program, arguments)?;
    writeln!(lifeline, "pid {child}")?;
    let ended = wait(child, &mut lifeline, &deaths)?;
    if let Some(status) = ended {
        // First the news, then the cleaning: requests must stop going to what is dead. Nobody may be listening.
        let _ = writeln!(lifeline, "{}", describe(status));
    }
    tree::kill_descendants();
    Ok(ended.map_or(137, exit_code))
}

/// The last step before the program: dies with the guard, takes signals again, becomes the program. Comes back only
/// with an error; the result is then 127 (not found) or 126, as in a shell.
pub(crate) fn execute(guard: i32, program: &OsStr, arguments: &[OsString]) -> u8 {
    let ready = prctl::set_pdeathsig(Signal::SIGKILL).and_then(|()| SigSet::all().thread_unblock());
    if ready.is_err() || getppid().as_raw() != guard {
        return 126;
    }
    let error = Command::new(program).args(arguments).exec();
    let _ = writeln!(io::stderr(), "cannot run {}: {error}", program.display());
    if error.kind() == io::ErrorKind::NotFound {
        127
    } else {
        126
    }
}

fn start(program: &OsStr, arguments: &[OsString]) -> io::Result<Pid> {
    let mut command = Command::new(OURSELVES);
    command.arg0(NAME).arg("guarded").arg(Pid::this().to_string());
    command.arg("--").arg(program).args(arguments);
    let child = command.spawn()?;
    Ok(Pid::from_raw(child.id().try_into().map_err(io::Error::other)?))
}

/// Until the child has ended (how), or the lifeline has closed (`None`).
fn wait(child: Pid, lifeline: &mut UnixStream, deaths: &SignalFd) -> io::Result<Option<WaitStatus>> {
    loop {
        let mut sources = [
            PollFd::new(lifeline.as_fd(), PollFlags::POLLIN),
            PollFd::new(deaths.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut sources, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [orders, died] = sources.map(|source| source.any().unwrap_or(false));
        if died && let Some(status) = reap(child, deaths)? {
            return Ok(Some(status));
        }
        if orders {
            let mut order = [0];
            match lifeline.read(&mut order) {
                // The child is not reaped yet, so its number is still its own.
                Ok(1) if order[0] == TERMINATE => drop(kill(child, Signal::SIGTERM)),
                Ok(1) => {}
                Ok(_) | Err(_) => return Ok(None),
            }
        }
    }
}

/// Reaps whoever died; the status if the child was among them.
fn reap(child: Pid, deaths: &SignalFd) -> io::Result<Option<WaitStatus>> {
    while deaths.read_signal()?.is_some() {}
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return Ok(None),
            Ok(status) if status.pid() == Some(child) => return Ok(Some(status)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn describe(status: WaitStatus) -> String {
    match status {
        WaitStatus::Signaled(_, signal, _) => format!("signal {}", signal as i32),
        other => format!("exit {}", exit_code(other)),
    }
}

fn exit_code(status: WaitStatus) -> u8 {
    let code = match status {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 255,
    };
    u8::try_from(code).unwrap_or(255)
}
