//! The state of the control plane, and the one way to change it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mesh_config::{Client, Locality, Mesh, ObjectKey, Problems, View, Workload};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;

use super::client::ClientSpec;
use super::gateway::GatewaySpec;
use super::pods::{self, Pod, PodChanges, Stage};
use super::refusal::Refusal;
use super::sockets::{self, Open, Owner, Sockets};
use super::template::{self, Template};
use crate::kubelet::{self, Phase, ProgramFinder, Report};
use crate::notice::note;
use crate::proxy::{DataPlane, Dialled, Listener, ProxyConfig};

/// What `up` was told.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where the gateway listens.
    pub(crate) gateway: GatewaySpec,
    /// With different names.
    pub(crate) clients: Vec<ClientSpec>,
    /// Of all clients.
    pub(crate) locality: Option<Locality>,
    /// Where programs are.
    pub(crate) programs: ProgramFinder,
    /// Of the admin API, to be told to others.
    pub(crate) admin: SocketAddr,
    /// For the names of pods; drawn from the system if not given.
    pub(crate) seed: Option<u64>,
}

/// What is wanted and what runs.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) mesh: Mesh,
    pub(super) templates: BTreeMap<ObjectKey, Template>,
    pub(super) sockets: Sockets,
    /// Oldest first.
    pub(super) pods: Vec<Pod>,
    names: StdRng,
    reports: mpsc::Sender<Report>,
    data_plane: DataPlane,
}

/// Unix seconds.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl State {
    /// An empty mesh.
    pub(super) fn new(options: Options, data_plane: DataPlane, reports: mpsc::Sender<Report>) -> Self {
        let names = options
            .seed
            .map_or_else(|| StdRng::from_rng(&mut rand::rng()), StdRng::seed_from_u64);
        State {
            options,
            mesh: Mesh::new(),
            templates: BTreeMap::new(),
            sockets: Sockets::new(),
            pods: Vec::new(),
            names,
            reports,
            data_plane,
        }
    }

    /// Takes over a mesh. In force when this returns; pods start and stop afterwards.
    ///
    /// # Errors
    /// Why it is refused; everything is as it was then.
    pub(super) async fn change(&mut self, mesh: Mesh) -> Result<(), Refusal> {
        if let Some(problems) = Problems::from_vec(mesh.dangling()) {
            return Err(problems.into());
        }
        let templates = template::all(&mesh, &self.options.programs)?;
        let sockets = sockets::open(&mesh, self.options.gateway, &self.options.clients, &self.sockets)?;
        let pods = pods::plan(&self.pods, &templates, &mut self.names, now())?;
        // Nothing fails from here on.
        self.mesh = mesh;
        self.templates = templates;
        self.sockets = sockets;
        self.enact(pods).await;
        Ok(())
    }

    /// News of a pod: its endpoint comes or goes, and what depends on it follows.
    pub(super) async fn take_report(&mut self, report: Report) {
        if report.status.phase == Phase::Terminated {
            self.pods.retain(|pod| pod.full_name() != report.pod);
        } else if let Some(pod) = self.pods.iter_mut().find(|pod| pod.full_name() == report.pod) {
            pod.status = report.status;
        }
        self.advance().await;
        // The pod may have been dropped meanwhile.
        let _ = report.in_force.send(());
    }

    /// Stops every pod.
    pub(super) async fn stop_all(&mut self) {
        self.templates.clear();
        self.advance().await;
    }

    /// Stops these pods; those that they leave missing are started.
    pub(super) async fn stop_pods(&mut self, names: Vec<String>) {
        let stop = PodChanges {
            stop: names,
            ..PodChanges::default()
        };
        self.enact(stop).await;
        self.advance().await;
    }

    pub(super) fn has_pods(&self) -> bool {
        !self.pods.is_empty()
    }

    async fn advance(&mut self) {
        let planned = pods::plan(&self.pods, &self.templates, &mut self.names, now());
        let changes = planned.unwrap_or_else(|refusal| {
            note(refusal);
            PodChanges::default()
        });
        self.enact(changes).await;
    }

    /// First the data plane, then the processes: a pod that stops gets no new request by then, and one that starts
    /// finds its proxy.
    async fn enact(&mut self, changes: PodChanges) {
        for pod in &mut self.pods {
            if changes.stop.contains(&pod.full_name())
                && let Stage::Live(handle) = std::mem::replace(&mut pod.stage, Stage::Stopping(None))
            {
                pod.stage = Stage::Stopping(Some(handle));
            }
        }
        self.pods.extend(changes.new);
        self.data_plane.install(self.proxies()).await;
        for pod in &mut self.pods {
            match &mut pod.stage {
                Stage::New => {
                    pod.stage = Stage::Live(kubelet::start(pod.plan.clone(), self.reports.clone()));
                }
                Stage::Stopping(handle) => {
                    if let Some(handle) = handle.take() {
                        handle.stop();
                    }
                }
                Stage::Live(_) => {}
            }
        }
    }

    /// Endpoints besides WorkloadEntry objects.
    pub(super) fn workloads(&self) -> Vec<Workload> {
        self.pods
            .iter()
            .filter_map(|pod| pod.workload(&self.mesh))
            .collect()
    }

    /// Everybody who calls through us.
    fn proxies(&self) -> Vec<ProxyConfig> {
        let workloads = self.workloads();
        let mut views = Views {
            mesh: &self.mesh,
            workloads: &workloads,
            known: Vec::new(),
        };
        let mut proxies = Vec::new();
        let mut add = |name: String, client: Client, listeners: Vec<Listener>| {
            let view = views.of(&client);
            proxies.push(ProxyConfig {
                name,
                client,
                view,
                listeners,
            });
        };
        let locality = self.options.locality.as_ref();
        let doors = self.listeners(Owner::Gateway);
        if !doors.is_empty() {
            add("gateway".to_owned(), Client::ingress_gateway(), doors);
        }
        for (index, spec) in self.options.clients.iter().enumerate() {
            let name = format!("client {}", spec.full_name());
            add(name, spec.client(locality), self.listeners(Owner::Client(index)));
        }
        for pod in &self.pods {
            let listener = Listener {
                socket: Arc::clone(&pod.socket),
                port: Dialled::OfRequest,
            };
            add(pod.full_name(), pod.client(), vec![listener]);
        }
        proxies
    }

    fn listeners(&self, owner: Owner) -> Vec<Listener> {
        let own = self.sockets_of(owner);
        own.map(|open| Listener {
            socket: Arc::clone(&open.socket),
            port: open.dialled,
        })
        .collect()
    }

    /// What listens for somebody.
    pub(super) fn sockets_of(&self, owner: Owner) -> impl Iterator<Item = &Open> {
        let own = self.sockets.iter().filter(move |((of, _), _)| *of == owner);
        own.map(|(_, open)| open)
    }
}

/// Views by client; the replicas of a Deployment share theirs.
struct Views<'a> {
    mesh: &'a Mesh,
    workloads: &'a [Workload],
    known: Vec<(Client, Arc<View>)>,
}

impl Views<'_> {
    fn of(&mut self, client: &Client) -> Arc<View> {
        // The name is for people: nothing is routed by it.
        let nameless = Client {
            name: String::new(),
            ..client.clone()
        };
        if let Some((_, view)) = self.known.iter().find(|(known, _)| *known == nameless) {
            return Arc::clone(view);
        }
        let view = Arc::new(self.mesh.view(client, self.workloads));
        self.known.push((nameless, Arc::clone(&view)));
        view
    }
}
