//! Whether a state on the way answers a request as neither end of the way would.

use std::collections::BTreeSet;

use super::callers;
use super::probe::{self, Probe};
use crate::client::Client;
use crate::mesh::Mesh;
use crate::object::Spec;
use crate::route::{Action, Destination};
use crate::view::{Routing, View};

/// Something that is broken for a caller: where it leads to, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Broken {
    pub(super) caller: String,
    pub(super) port: u16,
    /// Name of the virtual host.
    pub(super) host: String,
    /// A Host header that leads there.
    authority: String,
    pub(super) cluster: String,
    /// `503, flag NC` or `503, flag UH`.
    pub(super) how: &'static str,
    /// The rule that leads there: its object and `file:line`. Plays no part in comparing.
    pub(super) rule: Option<(String, String)>,
}

impl Broken {
    /// What makes two the same: not the rule, which may be moved in its file.
    fn key(&self) -> Key {
        (
            self.caller.clone(),
            self.port,
            self.host.clone(),
            self.cluster.clone(),
        )
    }
}

/// Caller, port, virtual host and cluster.
type Key = (String, u16, String, String);

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Somebody answers.
    Answered,
    /// The service's own route, because no rule applies.
    ByDefault,
    /// 404 or 502.
    Lost,
}

/// What one caller sees of a mesh.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) view: View,
}

/// What every caller sees.
pub(super) fn seen(mesh: &Mesh, clients: &[Client]) -> Vec<Seen> {
    let pods = callers::pods(mesh);
    let see = |client: &Client| Seen {
        name: callers::name(client),
        view: mesh.view(client, &pods),
    };
    clients.iter().map(see).collect()
}

/// The two ends of a way, and all requests that are looked at.
pub(super) struct Safety {
    clients: Vec<Client>,
    /// What each caller sees at either end.
    ends: [Vec<Seen>; 2],
    /// What is broken at either end.
    known: BTreeSet<Key>,
    /// Per caller, requests that neither end loses, with whether either end leaves them to the service's own route.
    probes: Vec<Vec<(Probe, bool)>>,
}

impl Safety {
    pub(super) fn new(old: &Mesh, new: &Mesh) -> Self {
        let clients = callers::of(&[old, new]);
        let ends = [seen(old, &clients), seen(new, &clients)];
        let all = ends.iter().flat_map(|end| end.iter().flat_map(broken));
        let known = all.map(|broken| broken.key()).collect();
        let probes = ends[0].iter().zip(&ends[1]);
        Safety {
            probes: probes
                .map(|(before, after)| kept(&before.view, &after.view))
                .collect(),
            ends,
            clients,
            known,
        }
    }

    /// What goes wrong in this state and at neither end; `None` if nothing does.
    pub(super) fn fault(&self, mesh: &Mesh) -> Option<String> {
        let seen = seen(mesh, &self.clients);
        let mut callers = seen.iter().zip(&self.probes).enumerate();
        callers.find_map(|(index, (seen, probes))| self.new_fault(index, seen).or_else(|| lost(seen, probes)))
    }

    /// Something that is broken for a caller and was not, nor will be.
    fn new_fault(&self, caller: usize, seen: &Seen) -> Option<String> {
        let is_known = |one: &Broken| self.known.contains(&one.key());
        // Who asks for a Host that an end does not know gets an error there.
        let is_lost = |one: &Broken| {
            self.ends.iter().any(|end| {
                let table = end[caller].view.table(one.port);
                table.is_none_or(|table| table.virtual_host(&one.authority).is_none())
            })
        };
        let mut all = broken(seen).into_iter();
        let broken = all.find(|one| !is_known(one) && !is_lost(one))?;
        Some(format!(
            "requests from {} to {} would be answered {}: {}",
            broken.caller,
            broken.host,
            broken.how,
            why(&broken)
        ))
    }
}

/// Requests that neither end loses, with whether either end leaves them to the service's own route.
fn kept(before: &View, after: &View) -> Vec<(Probe, bool)> {
    let probes = probe::of_both(before, after);
    let kept = probes.into_iter().filter_map(|probe| {
        let fates = [fate(before, &probe), fate(after, &probe)];
        (!fates.contains(&Fate::Lost)).then(|| (probe, fates.contains(&Fate::ByDefault)))
    });
    kept.collect()
}

/// A request that is lost, or left to the service's own route, and is not so at either end.
fn lost(seen: &Seen, probes: &[(Probe, bool)]) -> Option<String> {
    probes.iter().find_map(|(probe, by_default)| {
        let what = match fate(&seen.view, probe) {
            Fate::Lost => "no rule would answer",
            Fate::ByDefault if !by_default => "no rule would apply, and any pod of the service answer",
            _ => return None,
        };
        Some(format!("{what} {} from {}", probe.shown(), seen.name))
    })
}

/// `subset v2 of auth.shop has no ready pod`.
pub(super) fn why(broken: &Broken) -> String {
    let mut parts = broken.cluster.split('|').skip(1);
    let (port, subset, host) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
    let host = host.unwrap_or_default();
    let host = host.strip_suffix(".svc.cluster.local").unwrap_or(host);
    let what = match subset {
        "" => format!("{host}, port {}", port.unwrap_or_default()),
        subset => format!("subset {subset} of {host}, port {}", port.unwrap_or_default()),
    };
    match broken.how {
        NO_CLUSTER => format!("there is no {what}"),
        _ => format!("{what} has no pod"),
    }
}

pub(super) const NO_CLUSTER: &str = "503, flag NC";
pub(super) const NO_ENDPOINT: &str = "503, flag UH";

/// Every destination that a caller may be led to and that does not exist, or has no pod.
pub(super) fn broken(seen: &Seen) -> Vec<Broken> {
    let mut found = Vec::new();
    for (port, table) in &seen.view.ports {
        for host in table.virtual_hosts() {
            for route in &host.routes {
                let Action::Forward(forward) = &route.action else {
                    continue;
                };
                for destination in &forward.destinations {
                    let Some((cluster, how)) = fault_of(&seen.view, destination) else {
                        continue;
                    };
                    let rule = route.rule.as_ref();
                    found.push(Broken {
                        caller: seen.name.clone(),
                        port: *port,
                        host: host.name.clone(),
                        authority: probe::authority(host).unwrap_or_default(),
                        cluster,
                        how,
                        rule: rule
                            .map(|rule| (rule.object.to_string(), format!("{}:{}", rule.file, rule.line))),
                    });
                }
            }
        }
    }
    found
}

fn fault_of(view: &View, destination: &Destination) -> Option<(String, &'static str)> {
    match &destination.cluster {
        Err(name) => Some((name.clone(), NO_CLUSTER)),
        Ok(id) if view.cluster(*id).endpoints.is_empty() => {
            Some((view.cluster(*id).name.clone(), NO_ENDPOINT))
        }
        Ok(_) => None,
    }
}

fn fate(view: &View, probe: &Probe) -> Fate {
    let head = probe.head();
    match view.table(probe.port).map(|table| table.route(&head)) {
        None | Some(Routing::UnknownHost | Routing::NoRoute(_)) => Fate::Lost,
        Some(Routing::Route(_, route)) if route.rule.is_none() && route.forward().is_some() => {
            Fate::ByDefault
        }
        Some(Routing::Route(..)) => Fate::Answered,
    }
}

/// Whether somebody's manifests could say which pods a service has: it selects, and any Deployment is selected.
pub(super) fn has_pods(mesh: &Mesh, host: &str) -> bool {
    mesh.objects().any(|object| {
        let Spec::Service(spec) = &object.spec else {
            return false;
        };
        let name = crate::host::service(&object.metadata.name, &object.metadata.namespace);
        name == host
            && !spec.selector.is_empty()
            && callers::pods(mesh).iter().any(|pod| {
                pod.namespace == object.metadata.namespace
                    && crate::view::clusters::selects(&spec.selector, &pod.labels)
            })
    })
}
