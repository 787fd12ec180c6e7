//! A case step by step: objects come and go, requests are compared.

use std::collections::BTreeMap;

use mesh_config::{
    Action, Mesh, Object, PortRef, Problems, RequestHead, Route, Routing, Spec, View, normalise_path, parse,
    parse_keys,
};

use super::check::Check;
use super::format::{Case, Observed, Send, Step, client, workloads};
use crate::kit::source;

/// What comparing a step gave.
pub(super) enum Verdict {
    Agrees,
    Differs(String),
    NotSupported,
    NotRouting,
}

impl Verdict {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Verdict::Agrees => "agree",
            Verdict::Differs(_) => "differ",
            Verdict::NotSupported => "not supported yet",
            Verdict::NotRouting => "not about routing",
        }
    }
}

/// A case under way.
pub(super) struct Replay<'c> {
    case: &'c Case,
    mesh: Mesh,
    seconds: f64,
    gone: BTreeMap<String, bool>,
}

impl<'c> Replay<'c> {
    pub(super) fn run(case: &'c Case) -> Vec<(usize, Verdict)> {
        let gone = case.workloads.iter().map(|w| (w.name.clone(), w.gone)).collect();
        let mut replay = Replay {
            case,
            mesh: Mesh::new(),
            seconds: 0.0,
            gone,
        };
        let refused = case.refused.is_some() || case.nack.is_some();
        if let Some(verdict) = replay.apply(&case.config, refused) {
            return vec![(0, verdict)];
        }
        let mut verdicts = Vec::new();
        for (index, step) in case.steps.iter().enumerate() {
            let verdict = replay.step(step);
            // A refused table keeps all later changes out, too; here it was never let in.
            let stop = step.nack.is_some() || matches!(verdict, Some(Verdict::NotSupported));
            verdicts.extend(verdict.map(|verdict| (index, verdict)));
            if stop {
                break;
            }
        }
        verdicts
    }

    fn step(&mut self, step: &Step) -> Option<Verdict> {
        self.seconds += step.wait.unwrap_or(0.0);
        for (name, change) in &step.workloads {
            self.gone
                .entry(name.clone())
                .and_modify(|gone| *gone = change.gone.unwrap_or(*gone));
        }
        if let Some(text) = &step.delete {
            let keys = parse_keys(&[source(text)]).unwrap_or_else(|problems| panic!("{problems}"));
            self.mesh = self.mesh.delete(&keys).0;
        }
        if let Some(text) = &step.apply {
            return self.apply(text, step.refused.is_some() || step.nack.is_some());
        }
        Some(self.send(step.send.as_ref()?, step.times, step.observed.as_ref()?))
    }

    /// A verdict if the objects were refused (here or there), or are not acted on here.
    fn apply(&mut self, text: &str, refused: bool) -> Option<Verdict> {
        let objects = match objects(text) {
            Ok(objects) if refused => {
                return Some(Verdict::Differs(format!("taken, {} objects", objects.len())));
            }
            Ok(objects) => objects,
            Err(problems) if problems.iter().any(|p| p.message.contains("not supported yet")) => {
                return Some(Verdict::NotSupported);
            }
            Err(_) if refused => return Some(Verdict::Agrees),
            Err(problems) => return Some(Verdict::Differs(format!("refused:\n{problems}"))),
        };
        if objects
            .iter()
            .any(|object| matches!(object.spec, Spec::NotEnforced))
        {
            return Some(Verdict::NotSupported);
        }
        for object in objects {
            self.mesh = self.mesh.apply(vec![object], self.seconds as i64).unwrap().0;
            self.seconds += if self.case.ordered { 1.1 } else { 0.0 };
        }
        None
    }

    fn view(&self) -> View {
        // Named target ports are those of the workload, as in the recording.
        let services = self.mesh.objects().filter_map(|object| match &object.spec {
            Spec::Service(service) => Some(&service.ports),
            _ => None,
        });
        let names = services.flatten().filter_map(|port| match &port.target_port {
            PortRef::Name(name) => Some(name.clone()),
            PortRef::Number(_) => None,
        });
        let mut running = workloads(self.case, &names.collect::<Vec<_>>());
        running.retain(|workload| !self.gone[&workload.name]);
        self.mesh.view(&client(self.case), &running)
    }

    fn send(&self, send: &Send, times: u32, observed: &Observed) -> Verdict {
        let gateway = self.case.is_gateway();
        let Some(request) = send.request(gateway).filter(|_| observed.is_routed()) else {
            return Verdict::NotRouting;
        };
        let Some(path) = normalise_path(&request.path) else {
            return Verdict::NotRouting;
        };
        let head = RequestHead {
            method: &request.method,
            path: &path,
            authority: &request.authority,
            scheme: &request.scheme,
            headers: &request.headers,
        };
        let view = self.view();
        let routing = view
            .table(request.port)
            .map_or(Routing::UnknownHost, |table| table.route(&head));
        let (expected, flag) = match routing {
            Routing::UnknownHost if gateway => (404, "NR"),
            Routing::UnknownHost => (502, "-"),
            Routing::NoRoute(_) => (404, "NR"),
            Routing::Route(_, route) => {
                let Action::Forward(forward) = &route.action else {
                    return answered(route, &head, observed);
                };
                let check = Check {
                    view: &view,
                    route,
                    forward,
                    observed,
                };
                return if times > 1 {
                    check.counts(times)
                } else {
                    check.one(self.case, &head)
                };
            }
        };
        let only = observed.only_status();
        if only == Some(expected) && observed.tries() == 0 && observed.flag_count(flag, times) == times {
            return Verdict::Agrees;
        }
        Verdict::Differs(format!(
            "{} {path}: {expected} here, {only:?} there",
            request.authority
        ))
    }
}

/// An answer that the route gives itself: its status, and where it sends the client.
fn answered(route: &Route, head: &RequestHead<'_>, observed: &Observed) -> Verdict {
    let (status, location) = match &route.action {
        Action::Redirect(redirect) => (redirect.status, Some(redirect.location(&route.matcher, head))),
        Action::DirectResponse(answer) => (answer.status, None),
        Action::Forward(_) => return Verdict::NotRouting,
    };
    let there = observed.headers.get("location").and_then(|line| line.as_str());
    let located = location.is_none() || there.is_none() || there == location.as_deref();
    if observed.only_status() == Some(status) && observed.tries() == 0 && located {
        return Verdict::Agrees;
    }
    Verdict::Differs(format!(
        "{status} {location:?} here, {:?} {there:?} there",
        observed.only_status()
    ))
}

fn objects(text: &str) -> Result<Vec<Object>, Problems> {
    parse(&[source(text)])
}
