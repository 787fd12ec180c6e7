//! Pods as the control plane keeps them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use mesh_config::{Client, Mesh, ObjectKey, PortRef, Role, Spec, Workload};
use rand::rngs::StdRng;

use super::refusal::{CannotListen, Refusal};
use super::rollout::{self, PodView};
use super::sockets;
use super::template::Template;
use crate::kubelet::{Identity, Logs, PodHandle, PodPlan, PodStatus, pod_name};

/// Where pods listen.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A pod: its plan, its proxy's socket, its last report.
pub(super) struct Pod {
    pub(super) deployment: ObjectKey,
    pub(super) hash: String,
    pub(super) plan: PodPlan,
    pub(super) socket: Arc<TcpListener>,
    pub(super) status: PodStatus,
    /// Unix seconds.
    pub(super) created: i64,
    pub(super) stage: Stage,
}

/// What the control plane wants of it.
pub(super) enum Stage {
    /// To be started once the data plane knows it.
    New,
    Live(PodHandle),
    /// To be stopped, or told to stop: it gets no requests, but may still make some.
    Stopping(Option<PodHandle>),
}

impl Pod {
    /// `namespace/name`.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.plan.identity.namespace, self.plan.identity.name)
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.stage, Stage::Stopping(_))
    }

    /// Who calls when this pod does.
    pub(super) fn client(&self) -> Client {
        let Identity {
            namespace,
            name,
            labels,
            ..
        } = &self.plan.identity;
        Client {
            namespace: namespace.clone(),
            name: name.clone(),
            labels: labels.clone(),
            locality: None,
            role: Role::Sidecar,
        }
    }

    /// The endpoint that it is; none without a process, and none when it is to stop.
    pub(super) fn workload(&self, mesh: &Mesh) -> Option<Workload> {
        let port = self.status.port?;
        if self.is_stopping() || self.status.pid.is_none() {
            return None;
        }
        let container = &self.plan.container;
        // The port it was given stands for the first one that its manifest declares.
        let ports = match container.ports.first() {
            Some(declared) => BTreeMap::from([(declared.container_port, port)]),
            None => target_ports(mesh, &self.plan.identity)
                .map(|target| (target, port))
                .collect(),
        };
        let names = container
            .ports
            .iter()
            .filter_map(|declared| Some((declared.name.clone()?, declared.container_port)));
        Some(Workload {
            name: self.plan.identity.name.clone(),
            namespace: self.plan.identity.namespace.clone(),
            labels: self.plan.identity.labels.clone(),
            address: HERE,
            ports,
            port_names: names.collect(),
            ready: self.status.ready,
            locality: None,
            weight: 1,
        })
    }
}

/// Ports at which Services of a namespace expect a pod that declares none itself.
fn target_ports(mesh: &Mesh, identity: &Identity) -> impl Iterator<Item = u16> {
    let services = mesh.objects().filter_map(|object| match &object.spec {
        Spec::Service(service) if object.metadata.namespace == identity.namespace => Some(service),
        _ => None,
    });
    let selecting = services.filter(|service| {
        let mut selector = service.selector.iter();
        selector.all(|(key, value)| identity.labels.get(key) == Some(value))
    });
    let ports = selecting.flat_map(|service| &service.ports);
    ports.filter_map(|port| match port.target_port {
        PortRef::Number(number) => Some(number),
        PortRef::Name(_) => None,
    })
}

/// Pods to start and names of pods to stop.
#[derive(Default)]
pub(super) struct PodChanges {
    pub(super) new: Vec<Pod>,
    pub(super) stop: Vec<String>,
}

/// The next step from the pods that exist towards the templates; each new pod has its socket already.
///
/// # Errors
/// When there is no socket for a new pod's proxy.
pub(super) fn plan(
    pods: &[Pod],
    templates: &BTreeMap<ObjectKey, Template>,
    names: &mut StdRng,
    now: i64,
) -> Result<PodChanges, Refusal> {
    let live = || pods.iter().filter(|pod| !pod.is_stopping());
    let orphans = live().filter(|pod| !templates.contains_key(&pod.deployment));
    let mut changes = PodChanges {
        new: Vec::new(),
        stop: orphans.map(Pod::full_name).collect(),
    };
    for (key, template) in templates {
        let own: Vec<(String, &Pod)> = live()
            .filter(|pod| pod.deployment == *key)
            .map(|pod| (pod.full_name(), pod))
            .collect();
        let views: Vec<PodView<'_>> = own
            .iter()
            .map(|(name, pod)| PodView {
                name,
                hash: &pod.hash,
                ready: pod.status.ready,
            })
            .collect();
        let step = rollout::next(template.replicas, &template.hash, &views);
        changes.stop.extend(step.stop);
        for _ in 0..step.start {
            changes.new.push(new_pod(key, template, names, now)?);
        }
    }
    Ok(changes)
}

fn new_pod(
    deployment: &ObjectKey,
    template: &Template,
    names: &mut StdRng,
    now: i64,
) -> Result<Pod, Refusal> {
    let identity = Identity {
        namespace: deployment.namespace.clone(),
        name: pod_name(&deployment.name, &template.hash, names),
        labels: template.labels.clone(),
        service_account: template.service_account.clone(),
    };
    let any = SocketAddr::new(HERE, 0);
    let (socket, proxy) = sockets::listen(any).map_err(|why| {
        let who = format!("the proxy of pod {}/{}", identity.namespace, identity.name);
        Refusal::Sockets(vec![CannotListen::new(any, &who, None, why)])
    })?;
    Ok(Pod {
        deployment: deployment.clone(),
        hash: template.hash.clone(),
        plan: PodPlan {
            identity,
            container: template.container.clone(),
            program: template.program.clone(),
            proxy,
            grace: template.grace,
            logs: Logs::default(),
        },
        socket,
        status: PodStatus::default(),
        created: now,
        stage: Stage::New,
    })
}
