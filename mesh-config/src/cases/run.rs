//! Running the cases of a file.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::ask::{Decision, port_dialled};
use super::case::{Caller, Case, CaseFile};
use super::compare::differences;
use super::coverage::Coverage;
use super::{CaseResult, Difference, Failure, Suite};
use crate::check::schema;
use crate::client::Client;
use crate::explain::explain;
use crate::mesh::Mesh;
use crate::object::Spec;
use crate::problem::{Placed, Problems};
use crate::route::matching::RequestHead;
use crate::view::View;

/// Of a request that fails, more rules than these are not told.
const MOST_TRIED: usize = 12;

/// One who asks, with everything compiled for it.
struct Asker {
    caller: Caller,
    client: Client,
    view: View,
}

impl CaseFile {
    /// Holds every request of every case against a mesh.
    ///
    /// # Errors
    /// Callers that are not in the mesh.
    pub fn run(&self, mesh: &Mesh) -> Result<Suite, Problems> {
        let mut run = Run {
            file: self,
            mesh,
            askers: Vec::new(),
            coverage: Coverage::default(),
            assumed: BTreeSet::new(),
        };
        run.find_askers()?;
        let cases = self.cases.iter().map(|case| run.case(case)).collect();
        Ok(Suite {
            file: self.source.name.clone(),
            cases,
            rules: run.coverage.of(mesh),
            assumed: run.assumed.into_iter().collect(),
        })
    }
}

struct Run<'a> {
    file: &'a CaseFile,
    mesh: &'a Mesh,
    askers: Vec<Asker>,
    coverage: Coverage,
    assumed: BTreeSet<String>,
}

impl Run<'_> {
    /// Compiles the mesh once for each caller of the file.
    fn find_askers(&mut self) -> Result<(), Problems> {
        let mut problems = Vec::new();
        let default = Placed {
            value: self.default_caller(),
            ..Placed::default()
        };
        let written = self.file.cases.iter().flat_map(|case| &case.callers);
        for caller in written.chain([&default]) {
            if self.askers.iter().any(|asker| asker.caller == caller.value) {
                continue;
            }
            match caller.value.client(self.mesh) {
                Some(client) => self.askers.push(Asker {
                    caller: caller.value.clone(),
                    view: self.mesh.view(&client, &[]),
                    client,
                }),
                None => problems.push(self.file.problem(
                    &schema::FORMAT,
                    caller.mark,
                    format!(
                        "there is no Deployment `{}` in the manifests",
                        caller.value.name()
                    ),
                    self.known_callers(),
                )),
            }
        }
        Problems::from_vec(problems).map_or(Ok(()), Err)
    }

    fn known_callers(&self) -> String {
        let deployments = self
            .mesh
            .objects()
            .filter(|object| matches!(object.spec, Spec::Deployment(_)));
        let names =
            deployments.map(|object| format!(", {}/{}", object.metadata.namespace, object.metadata.name));
        format!(
            "there are gateway{}; or write {{namespace: ..., labels: {{...}}}}",
            names.collect::<String>()
        )
    }

    /// The gateway if there is one.
    fn default_caller(&self) -> Caller {
        let labels = Client::ingress_gateway().labels;
        if self.mesh.gateway_servers(&labels).is_empty() {
            return Caller::Workload {
                namespace: "default".to_owned(),
                labels: std::collections::BTreeMap::new(),
            };
        }
        Caller::Gateway
    }

    fn case(&mut self, case: &Case) -> CaseResult {
        let default = self.default_caller();
        let callers: Vec<&Caller> = match case.callers.as_slice() {
            [] => vec![&default],
            callers => callers.iter().map(|caller| &caller.value).collect(),
        };
        let mut result = CaseResult {
            description: case.description.clone(),
            line: case.mark.line,
            requests: 0,
            failures: Vec::new(),
        };
        let askers = std::mem::take(&mut self.askers);
        for asker in callers
            .iter()
            .filter_map(|caller| askers.iter().find(|asker| asker.caller == **caller))
        {
            for (port, request) in requests(case, asker) {
                result.requests += 1;
                result.failures.extend(self.ask(case, asker, port, &request));
            }
        }
        self.askers = askers;
        result
    }

    fn ask(&mut self, case: &Case, asker: &Asker, port: u16, request: &RequestHead<'_>) -> Option<Failure> {
        let decision = Decision::of(self.mesh, &asker.view, &asker.client, port, request);
        if let Some(route) = decision.route {
            self.coverage.add(route);
        }
        self.assumed.extend(decision.assumed.iter().cloned());
        let mut differences = differences(self.mesh, &case.expected, &decision);
        match (case.want_match, differences.is_empty()) {
            (true, true) | (false, false) => return None,
            (true, false) => {}
            (false, true) => differences.push(Difference {
                what: "wantMatch".to_owned(),
                expected: "anything but what the case says".to_owned(),
                got: "just that".to_owned(),
            }),
        }
        let explanation = explain(self.mesh, &asker.client, port, request);
        let mut tried = explanation.tried();
        tried.truncate(MOST_TRIED);
        Some(Failure {
            request: format!("{}{}", explanation.request, shown(request.headers)),
            from: asker.caller.name(),
            differences,
            decision: explanation.decision,
            place: explanation.place,
            tried,
        })
    }
}

/// All combinations, each with the port that is dialled.
fn requests<'c>(case: &'c Case, asker: &'c Asker) -> impl Iterator<Item = (u16, RequestHead<'c>)> {
    let of_authority = |authority: &'c String| {
        let ports = match case.ports.as_slice() {
            [] => vec![port_dialled(&asker.view, &asker.client, authority)],
            ports => ports.to_vec(),
        };
        ports.into_iter().map(move |port| (port, authority))
    };
    let with_path =
        move |(port, authority): (u16, &'c String)| case.uris.iter().map(move |path| (port, authority, path));
    let with_method = move |(port, authority, path): (u16, &'c String, &'c String)| {
        case.methods
            .iter()
            .map(move |method| (port, authority, path, method))
    };
    let all = case
        .authorities
        .iter()
        .flat_map(of_authority)
        .flat_map(with_path)
        .flat_map(with_method);
    all.flat_map(move |(port, authority, path, method)| {
        case.headers.iter().map(move |headers| {
            let head = RequestHead {
                method,
                path,
                authority,
                scheme: "http",
                headers,
            };
            (port, head)
        })
    })
}

/// ` x-canary: true`.
fn shown(headers: &HeaderMap) -> String {
    let lines = headers
        .iter()
        .map(|(name, value)| format!(" {name}: {}", String::from_utf8_lossy(value.as_bytes())));
    lines.collect::<Vec<_>>().join(",")
}
