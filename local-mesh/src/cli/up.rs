//! `up`: from start to end.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::Up;
use super::print::describe;
use super::verbs::counted;
use super::{command, startup};
use crate::admin;
use crate::control::Control;
use crate::guard::Guarded;
use crate::notice::note;
use crate::proxy::{self, DataPlane};

/// For requests in flight, and for COMMAND after a signal. With the pods' own 3 s everything is gone within 5 s.
const REQUESTS_GRACE: Duration = Duration::from_secs(1);
const COMMAND_GRACE: Duration = Duration::from_secs(3);

/// Runs a mesh until COMMAND ends or a signal comes. Nothing that it started is left when this returns.
pub(super) async fn up(up: Up) -> anyhow::Result<u8> {
    let mesh = startup::mesh(&up)?;
    log_to_stderr();
    let mut signals = Signals::listen()?;
    let listener = startup::admin(up.admin).await?;
    let options = startup::options(&up, listener.local_addr()?)?;
    let data_plane = DataPlane::start(proxy::Options {
        seed: up.seed,
        access_log: startup::access_log(up.access_log.as_deref())?,
    })?;
    let begun = Instant::now();
    let control = Control::start(options, mesh, data_plane.clone()).await?;
    tokio::spawn(admin::serve(listener, control.clone()));
    introduce(&control);
    tokio::spawn(tell_when_ready(control.clone(), begun));

    let at_terminal = io::stdin().is_terminal();
    let mut running = tokio::select! {
        started = start_command(&up, &control, !at_terminal) => started.map(Running::Command),
        signal = signals.next() => Ok(Running::Not(if up.command.is_empty() { 0 } else { 128 + signal })),
    };
    if let Ok(Running::Command(command)) = &mut running {
        wait(command, &mut signals, at_terminal).await;
    }
    let stopped = async {
        let (code, ()) = tokio::join!(stop_command(running), stop_mesh(&data_plane, &control));
        code
    };
    tokio::select! {
        code = stopped => code,
        // Ctrl-C, impatiently: the guards end what is left as soon as this process is gone. SIGTERM may well come twice
        // from those who signal a process and its group.
        _ = signals.0[0].recv() => Ok(128 + INTERRUPT),
    }
}

/// What is to be ended besides the mesh.
enum Running {
    Command(Box<Guarded>),
    /// Nothing; the exit code.
    Not(u8),
}

/// Without a command nothing comes, ever.
async fn start_command(up: &Up, control: &Control, own_group: bool) -> anyhow::Result<Box<Guarded>> {
    if up.command.is_empty() {
        return std::future::pending().await;
    }
    let started = command::start(&up.command, control, up.ready_timeout, own_group);
    Ok(Box::new(started.await?))
}

/// Until the command has ended or is to end. At a terminal Ctrl-C goes to the command as well, and what it means is
/// the command's business: a shell goes on.
async fn wait(command: &mut Guarded, signals: &mut Signals, at_terminal: bool) {
    loop {
        tokio::select! {
            // In this order: a Ctrl-C that ended the command must not count as a second signal later.
            biased;
            signal = signals.next() => if !(at_terminal && signal == INTERRUPT) {
                return;
            },
            _ = command.ended() => return,
        }
    }
}

/// Ends the command if it still runs; its exit code.
async fn stop_command(running: anyhow::Result<Running>) -> anyhow::Result<u8> {
    match running? {
        Running::Command(command) => Ok(command.stop(COMMAND_GRACE).await.exit_code()),
        Running::Not(code) => Ok(code),
    }
}

async fn stop_mesh(data_plane: &DataPlane, control: &Control) {
    data_plane.stop(REQUESTS_GRACE).await;
    control.stop().await;
}

/// What goes wrong inside the data plane.
fn log_to_stderr() {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(tracing::Level::WARN)
        .with_target(false)
        .without_time()
        .finish();
    // There is one already in tests that run several meshes.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Tells where everything is.
fn introduce(control: &Control) {
    let status = control.status();
    let status = status.borrow();
    let pods: usize = status
        .deployments
        .iter()
        .map(|deployment| deployment.replicas)
        .sum();
    let deployments = status.deployments.len();
    note(format!(
        "{}; starting {} of {}",
        counted(status.objects, "object"),
        counted(pods, "pod"),
        counted(deployments, "deployment"),
    ));
    for door in &status.gateway {
        note(format!("gateway {}", describe(door)));
    }
    for client in &status.clients {
        note(format!("client {} {}", client.name, describe(client)));
    }
    note(format!("admin http://{}", status.admin));
}

async fn tell_when_ready(control: Control, begun: Instant) {
    let mut states = control.status();
    if states.wait_for(|state| state.ready).await.is_ok() {
        note(format!("ready after {:.1} s", begun.elapsed().as_secs_f64()));
    }
}

/// Signals that end `up`.
struct Signals([Signal; 3]);

const HANG_UP: u8 = 1;
const INTERRUPT: u8 = 2;
const TERMINATE: u8 = 15;

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Signals([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    /// The number of the next one.
    async fn next(&mut self) -> u8 {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => INTERRUPT,
            _ = terminate.recv() => TERMINATE,
            _ = hang_up.recv() => HANG_UP,
        }
    }
}
