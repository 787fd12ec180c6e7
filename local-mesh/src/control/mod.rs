//! The control plane: what is wanted, what runs, and how the data plane learns of it.
//!
//! One task owns the state. A change goes through four steps: the new mesh is checked, sockets that it needs are
//! bound, the data plane takes everything over in one step, pods are started and stopped. Whatever can fail comes
//! before the data plane is touched, so a change that is refused leaves no trace. A change runs to its end even if
//! the one who asked for it has gone away.

mod caller;
mod change;
mod client;
mod draft;
mod explain;
mod gateway;
mod list;
mod notes;
mod pods;
mod proxy_config;
mod refusal;
mod resource;
mod rollout;
mod selector;
mod sockets;
mod state;
mod status;
mod tables;
mod template;

pub(crate) use client::ClientSpec;
pub(crate) use gateway::GatewaySpec;
pub(crate) use notes::notes;
pub(crate) use refusal::Refusal;
pub(crate) use state::Options;

use mesh_config::{Mesh, Source};
use tokio::sync::{mpsc, oneshot, watch};

use crate::admin::wire::{Changes, ExplainRequest, Explained, Failure, Listing, Query, Status};
use crate::kubelet::Report;
use crate::proxy::DataPlane;
use state::State;

/// Handle to the control plane.
#[derive(Clone)]
pub(crate) struct Control {
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<Status>,
    data_plane: DataPlane,
}

type Reply<T> = oneshot::Sender<Result<T, Failure>>;

enum Request {
    Apply(Vec<Source>, Reply<Changes>),
    Delete(Vec<Source>, Reply<Changes>),
    List(Query, Reply<Listing>),
    Explain(ExplainRequest, Reply<Explained>),
    Logs(Query, Reply<String>),
    Stop(oneshot::Sender<()>),
}

impl Control {
    /// Takes over a mesh: opens its listeners and starts its pods, on the current runtime.
    ///
    /// # Errors
    /// What keeps the mesh from starting; nothing was started then.
    pub(crate) async fn start(
        options: Options,
        mesh: Mesh,
        data_plane: DataPlane,
    ) -> Result<Control, Refusal> {
        let (reports_to, reports) = mpsc::channel(64);
        let (requests_to, requests) = mpsc::channel(64);
        let mut state = State::new(options, data_plane.clone(), reports_to);
        state.change(mesh).await?;
        let (status_to, status) = watch::channel(state.status());
        tokio::spawn(run(state, requests, reports, status_to));
        Ok(Control {
            requests: requests_to,
            status,
            data_plane,
        })
    }

    /// Adds or replaces the objects of these sources. In force when this returns; pods start afterwards.
    pub(crate) async fn apply(&self, sources: Vec<Source>) -> Result<Changes, Failure> {
        self.ask(|reply| Request::Apply(sources, reply)).await
    }

    /// Removes the objects that these sources name. In force when this returns; pods stop afterwards.
    pub(crate) async fn delete(&self, sources: Vec<Source>) -> Result<Changes, Failure> {
        self.ask(|reply| Request::Delete(sources, reply)).await
    }

    /// Objects and pods.
    pub(crate) async fn list(&self, query: Query) -> Result<Listing, Failure> {
        self.ask(|reply| Request::List(query, reply)).await
    }

    /// The decision for one request.
    pub(crate) async fn explain(&self, request: ExplainRequest) -> Result<Explained, Failure> {
        self.ask(|reply| Request::Explain(request, reply)).await
    }

    /// What a pod wrote.
    pub(crate) async fn logs(&self, query: Query) -> Result<String, Failure> {
        self.ask(|reply| Request::Logs(query, reply)).await
    }

    /// As it is now; the receiver tells of changes.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Prometheus text.
    pub(crate) async fn metrics(&self) -> String {
        self.data_plane.metrics().await
    }

    /// Stops all pods; returns when they are gone.
    pub(crate) async fn stop(&self) {
        let (reply, stopped) = oneshot::channel();
        if self.requests.send(Request::Stop(reply)).await.is_ok() {
            let _ = stopped.await;
        }
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Failure::refused("local-mesh is stopping".to_owned());
        let sent = self.requests.send(request(reply)).await;
        sent.map_err(|_| stopping())?;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }
}

async fn run(
    mut state: State,
    mut requests: mpsc::Receiver<Request>,
    mut reports: mpsc::Receiver<Report>,
    status: watch::Sender<Status>,
) {
    let mut stopping = None;
    while stopping.is_none() || state.has_pods() {
        tokio::select! {
            Some(report) = reports.recv() => state.take_report(report).await,
            Some(request) = requests.recv(), if stopping.is_none() => match request {
                Request::Stop(reply) => {
                    state.stop_all().await;
                    stopping = Some(reply);
                }
                request => answer(&mut state, request).await,
            },
            else => break,
        }
        // Nothing else runs between an answer and this: who has the answer finds the new status.
        status.send_replace(state.status());
    }
    if let Some(reply) = stopping {
        let _ = reply.send(());
    }
}

/// Whoever asked may have gone; the answer is then dropped.
async fn answer(state: &mut State, request: Request) {
    match request {
        Request::Apply(sources, reply) => drop(reply.send(state.apply(&sources).await)),
        Request::Delete(sources, reply) => drop(reply.send(state.delete(&sources).await)),
        Request::List(query, reply) => drop(reply.send(state.list(&query))),
        Request::Explain(request, reply) => drop(reply.send(state.explain(&request))),
        Request::Logs(query, reply) => drop(reply.send(state.logs(&query))),
        Request::Stop(reply) => drop(reply.send(())),
    }
}
