//! `status`.

use mesh_config::ObjectKey;

use super::pods::Pod;
use super::sockets::Owner;
use super::state::State;
use super::template::Template;
use crate::admin::wire::{DeploymentState, Listening, Status};
use crate::kubelet::Phase;
use crate::proxy::Dialled;

impl State {
    /// How everything is. Listeners are there as soon as a change is in force, so only pods can be missing.
    pub(super) fn status(&self) -> Status {
        let missing: Vec<String> = self
            .templates
            .iter()
            .filter_map(|(key, template)| self.missing(key, template))
            .collect();
        let clients = self.options.clients.iter().enumerate();
        Status {
            ready: missing.is_empty(),
            missing,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            admin: self.options.admin,
            gateway: self.listening(Owner::Gateway, "gateway"),
            clients: clients
                .flat_map(|(index, client)| self.listening(Owner::Client(index), &client.full_name()))
                .collect(),
            deployments: self
                .templates
                .iter()
                .map(|(key, template)| self.deployment(key, template))
                .collect(),
            objects: self.mesh.objects().count(),
        }
    }

    fn listening(&self, owner: Owner, name: &str) -> Vec<Listening> {
        let own = self.sockets_of(owner);
        own.map(|open| Listening {
            name: name.to_owned(),
            address: open.address,
            port: match open.dialled {
                Dialled::Port(port) => Some(port),
                Dialled::OfRequest => None,
            },
        })
        .collect()
    }

    /// Pods of a Deployment that are not being stopped.
    pub(super) fn pods_of<'a>(&'a self, key: &'a ObjectKey) -> impl Iterator<Item = &'a Pod> {
        self.pods
            .iter()
            .filter(move |pod| pod.deployment == *key && !pod.is_stopping())
    }

    pub(super) fn deployment(&self, key: &ObjectKey, template: &Template) -> DeploymentState {
        let current = self.pods_of(key).filter(|pod| pod.hash == template.hash);
        DeploymentState {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            replicas: template.replicas,
            ready: current.filter(|pod| pod.status.ready).count(),
            restarts: self.pods_of(key).map(|pod| pod.status.restarts).sum(),
        }
    }

    fn missing(&self, key: &ObjectKey, template: &Template) -> Option<String> {
        let ready = self.deployment(key, template).ready;
        if ready < template.replicas {
            let waiting: Vec<String> = self
                .pods_of(key)
                .filter(|pod| !pod.status.ready)
                .map(waiting)
                .collect();
            let (of, waiting) = (template.replicas, waiting.join(", "));
            return Some(format!("{key}: {ready} of {of} pods ready ({waiting})"));
        }
        let old = self.pods_of(key).any(|pod| pod.hash != template.hash);
        old.then(|| format!("{key}: pods of the old template are still there"))
    }
}

fn waiting(pod: &Pod) -> String {
    let name = &pod.plan.identity.name;
    let status = &pod.status;
    match (status.phase, &status.last_end) {
        (Phase::CrashLoopBackOff, Some(end)) => format!("{name} ended: {end}, restarts: {}", status.restarts),
        (Phase::Running, _) => format!("{name} runs, but is not ready"),
        _ => format!("{name} starts"),
    }
}
