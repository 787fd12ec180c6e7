//! The life of one pod: start, probe, restart, stop.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mesh_config::Container;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::environment::{Identity, environment, expand, fixed_port};
use super::health::{Readiness, liveness_failed};
use super::logs::Logs;
use super::port::free_port;
use super::program::Program;
use crate::guard::{Guarded, Launch, Streams};
use crate::notice::note;

/// Lines of a process that crashed that are shown at once.
const TAIL: usize = 10;

/// A pod to run.
#[derive(Clone, Debug)]
pub(crate) struct PodPlan {
    pub(crate) identity: Identity,
    pub(crate) container: Container,
    pub(crate) program: Program,
    /// Its way out.
    pub(crate) proxy: SocketAddr,
    /// Between SIGTERM and SIGKILL.
    pub(crate) grace: Duration,
    /// Where its output goes.
    pub(crate) logs: Logs,
}

/// How a pod is.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodStatus {
    pub(crate) phase: Phase,
    pub(crate) pid: Option<u32>,
    pub(crate) port: Option<u16>,
    pub(crate) ready: bool,
    pub(crate) restarts: u32,
    /// How the process before this one ended.
    pub(crate) last_end: Option<String>,
}

/// As `kubectl get pods` calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Pending,
    Running,
    /// It ended, and will be started again after a pause.
    CrashLoopBackOff,
    /// It is gone.
    Terminated,
}

/// News of a pod. The pod goes on when it hears that they are in force.
pub(crate) struct Report {
    /// `namespace/name`.
    pub(crate) pod: String,
    pub(crate) status: PodStatus,
    pub(crate) in_force: oneshot::Sender<()>,
}

/// A running pod. Dropping it stops the pod, as [`PodHandle::stop`] does.
#[derive(Debug)]
pub(crate) struct PodHandle(oneshot::Sender<()>);

impl PodHandle {
    /// SIGTERM, later SIGKILL. The last report says that the pod is gone.
    pub(crate) fn stop(self) {
        // An error means that the pod is gone already.
        let _ = self.0.send(());
    }
}

/// Starts a pod on the current runtime.
pub(crate) fn start(plan: PodPlan, reports: mpsc::Sender<Report>) -> PodHandle {
    let (stop, stopped) = oneshot::channel();
    let pod = Pod {
        plan,
        status: PodStatus::default(),
        reports,
        stopped,
    };
    tokio::spawn(pod.live());
    PodHandle(stop)
}

struct Pod {
    plan: PodPlan,
    status: PodStatus,
    reports: mpsc::Sender<Report>,
    stopped: oneshot::Receiver<()>,
}

/// Why a run is over.
enum Over {
    Stopped,
    Ended(String),
}

impl Pod {
    async fn live(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let begun = Instant::now();
            let Over::Ended(why) = self.run().await else {
                break;
            };
            let pause = backoff.pause(begun.elapsed());
            self.tell_crash(&why, pause);
            tokio::select! {
                () = sleep(pause) => self.status.restarts += 1,
                _ = &mut self.stopped => break,
            }
        }
        self.report_end(Phase::Terminated, None).await;
    }

    /// One process, from start to end. It is reaped, and its end reported, when this returns.
    async fn run(&mut self) -> Over {
        let mut output = JoinSet::new();
        let (mut guarded, port) = match self.launch(&mut output).await {
            Ok(launched) => launched,
            Err(why) => {
                self.report_end(Phase::CrashLoopBackOff, Some(why.clone())).await;
                return Over::Ended(why);
            }
        };
        let container = self.plan.container.clone();
        let mut readiness = Readiness::new(&container, port);
        let liveness = liveness_failed(&container, port);
        tokio::pin!(liveness);
        let over = loop {
            tokio::select! {
                ready = readiness.changed() => {
                    self.status.ready = ready;
                    self.report().await;
                }
                ended = guarded.ended() => {
                    self.report_end(Phase::CrashLoopBackOff, Some(ended.to_string())).await;
                    guarded.finish().await;
                    break Over::Ended(ended.to_string());
                }
                () = &mut liveness => {
                    let why = "it failed its liveness probe".to_owned();
                    self.report_end(Phase::CrashLoopBackOff, Some(why.clone())).await;
                    guarded.stop(self.plan.grace).await;
                    break Over::Ended(why);
                }
                _ = &mut self.stopped => {
                    guarded.stop(self.plan.grace).await;
                    break Over::Stopped;
                }
            }
        };
        // The pipes end with the last process that has them; what is not read by then is of no use.
        let _ = timeout(Duration::from_millis(200), async {
            while output.join_next().await.is_some() {}
        })
        .await;
        over
    }

    async fn launch(&mut self, output: &mut JoinSet<()>) -> Result<(Guarded, u16), String> {
        let plan = &self.plan;
        let port = fixed_port(&plan.container).or_else(|| free_port(self.status.port));
        let port = port.ok_or("no port is free on 127.0.0.1")?;
        let ours = |name: &str| std::env::var(name).ok();
        let variables = environment(&plan.container, &plan.identity, port, plan.proxy, ours);
        let arguments = plan.program.arguments.iter();
        let arguments: Vec<OsString> = arguments
            .map(|argument| expand(argument, &variables).into())
            .collect();
        let variables: Vec<(OsString, OsString)> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let launch = Launch {
            program: plan.program.path.as_os_str(),
            arguments: &arguments,
            environment: &variables,
            streams: Streams::Captured,
            own_group: true,
        };
        let mut guarded = Guarded::start(&launch).await.map_err(|error| error.to_string())?;
        let (out, err) = guarded.output();
        out.map(|stream| output.spawn(self.plan.logs.clone().follow(stream)));
        err.map(|stream| output.spawn(self.plan.logs.clone().follow(stream)));
        self.status.phase = Phase::Running;
        self.status.pid = Some(guarded.pid());
        self.status.port = Some(port);
        self.report().await;
        Ok((guarded, port))
    }

    fn tell_crash(&self, why: &str, pause: Duration) {
        let Identity { namespace, name, .. } = &self.plan.identity;
        let mut text = format!("pod {namespace}/{name} ended: {why}; it is started again in {pause:?}");
        for line in self.plan.logs.tail(TAIL) {
            text.push_str("\n  | ");
            text.push_str(&line);
        }
        note(text);
    }

    /// Without a process.
    async fn report_end(&mut self, phase: Phase, why: Option<String>) {
        self.status.phase = phase;
        self.status.pid = None;
        self.status.ready = false;
        self.status.last_end = why.or(self.status.last_end.take());
        self.report().await;
    }

    async fn report(&self) {
        let (in_force, heard) = oneshot::channel();
        let report = Report {
            pod: format!("{}/{}", self.plan.identity.namespace, self.plan.identity.name),
            status: self.status.clone(),
            in_force,
        };
        // Errors mean that nobody is interested any more.
        if self.reports.send(report).await.is_ok() {
            let _ = heard.await;
        }
    }
}
