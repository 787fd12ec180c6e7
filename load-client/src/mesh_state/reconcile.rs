//! What proxies hold beside what is declared and what the client saw.

use std::collections::BTreeMap;

use mesh_config::Client;

use super::dump::ProxyConfig;
use super::held::{Shown, held};
use super::pods::Pod;
use super::status::ProxyStatus;
use super::traffic::Counters;
use super::witness::{self, Seen};
use super::{EdgeState, Finding, MeshState, ProxyState, Trouble};
use crate::expect::{Question, Shares};

/// Shares that differ by less are the same: both are quotients of the same small numbers.
const SAME: f64 = 1e-9;

/// The label with which a pod declines, or asks for, a proxy.
const INJECT: &str = "sidecar.istio.io/inject";

/// What was read from the mesh.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Of the namespaces of the callers.
    pub pods: Vec<Pod>,
    /// Of all proxies that istiod knows.
    pub statuses: Vec<ProxyStatus>,
    /// By `POD.NAMESPACE`; the reason, if it could not be read.
    pub configs: BTreeMap<String, Result<ProxyConfig, String>>,
    /// By `POD.NAMESPACE`, what was counted over the time in question; those that do not count are left out.
    pub counted: BTreeMap<String, Counters>,
}

/// Holds every proxy of every caller against what is declared, and both against what the client saw.
#[must_use]
pub fn reconcile(questions: &[Question], reading: &Reading, seen: &[Seen]) -> MeshState {
    let edges: Vec<EdgeState> = questions.iter().map(|question| edge(question, reading)).collect();
    let mut findings: Vec<Finding> = Vec::new();
    for question in questions {
        if reading.pods_of(&question.caller).next().is_none() {
            findings.push(no_pods(question));
        }
        for pod in reading.pods_of(&question.caller) {
            let proxy = pod.proxy();
            if !findings
                .iter()
                .any(|finding| finding.proxy.as_deref() == Some(&*proxy))
            {
                findings.extend(of_proxy(pod, &question.caller, &edges, reading, seen));
            }
        }
    }
    findings.dedup();
    let counted = witness::counted(questions, reading);
    findings.extend(witness::bypassed(&edges, &counted, seen));
    MeshState {
        agrees: findings.is_empty(),
        edges,
        findings,
        counted,
    }
}

impl Reading {
    /// The running pods of a caller.
    pub(super) fn pods_of<'a>(&'a self, caller: &'a Client) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(|pod| pod.is_of(caller))
    }
}

fn edge(question: &Question, reading: &Reading) -> EdgeState {
    let proxies = reading.pods_of(&question.caller).map(|pod| {
        let proxy = pod.proxy();
        let answer = match reading.configs.get(&proxy) {
            _ if !pod.has_proxy => Err("no proxy".to_owned()),
            Some(Ok(config)) => held(config, question).map_err(|reason| reason.to_string()),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err("not asked".to_owned()),
        };
        ProxyState {
            proxy,
            agrees: answer.as_ref().is_ok_and(|held| same(held, &question.declared)),
            reason: answer.as_ref().err().cloned(),
            held: answer.ok(),
        }
    });
    EdgeState {
        edge: question.edge.clone(),
        declared: question.declared.clone(),
        proxies: proxies.collect(),
    }
}

fn same(a: &Shares, b: &Shares) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|((name, share), (other, declared))| name == other && (share - declared).abs() < SAME)
}

fn no_pods(question: &Question) -> Finding {
    let Client { namespace, name, .. } = &question.caller;
    Finding {
        proxy: None,
        trouble: Trouble::NoPods,
        text: format!("no pod of {name} runs in {namespace}"),
        fix: format!("kubectl -n {namespace} get pods"),
    }
}

/// What is wrong with one proxy, the cause rather than its consequences.
fn of_proxy(
    pod: &Pod,
    caller: &Client,
    edges: &[EdgeState],
    reading: &Reading,
    seen: &[Seen],
) -> Option<Finding> {
    let (proxy, name, namespace) = (pod.proxy(), &pod.name, &pod.namespace);
    let finding = |trouble, text: String, fix: String| Finding {
        proxy: Some(proxy.clone()),
        trouble,
        text,
        fix,
    };
    let restart = format!("kubectl -n {namespace} rollout restart deploy/{}", caller.name);
    if !pod.has_proxy {
        let fix = if pod.labels.get(INJECT).is_some_and(|value| value == "false") {
            format!(
                "remove the label {INJECT} from the pod template of {}",
                caller.name
            )
        } else {
            format!("kubectl label namespace {namespace} istio-injection=enabled --overwrite && {restart}")
        };
        let text = "has no proxy, so no rule applies to its calls".to_owned();
        return Some(finding(Trouble::NotInMesh, text, fix));
    }
    let wrong = wrong(&proxy, edges, seen);
    let Some(status) = reading.statuses.iter().find(|status| status.proxy == proxy) else {
        let text = format!("is not connected to istiod and keeps what it had{wrong}");
        let logs = format!("kubectl -n {namespace} logs {name} -c istio-proxy --tail=50");
        return Some(finding(Trouble::NotConnected, text, logs));
    };
    let config = reading.configs.get(&proxy);
    if let Some(refused) = refused(status, config.and_then(|config| config.as_ref().ok())) {
        let text = format!("refused an update and keeps what it had ({refused}){wrong}");
        let look = "correct the object that this comes from; istioctl analyze -A may name it".to_owned();
        return Some(finding(Trouble::Refused, text, look));
    }
    if let Some(Err(reason)) = config {
        let text = format!("could not be asked: {reason}");
        return Some(finding(
            Trouble::NotRead,
            text,
            format!("istioctl proxy-config all {proxy} -o json"),
        ));
    }
    let wrong = wrong.strip_prefix("; ")?.to_owned();
    if status.behind.iter().any(|kind| kind != "ClusterLoadAssignment") {
        let text = format!(
            "has not confirmed what istiod sent last ({}); {wrong}",
            status.behind.join(", ")
        );
        return Some(finding(Trouble::Behind, text, restart));
    }
    let fix = "apply the manifests; what there is: kubectl get virtualservices -A -o yaml";
    Some(finding(Trouble::Differs, wrong, fix.to_owned()))
}

/// `; holds v1 90 %, v2 10 % for auth-service, not v1 50 %, v2 50 %` for each edge that is not as declared.
fn wrong(proxy: &str, edges: &[EdgeState], seen: &[Seen]) -> String {
    let mut text = String::new();
    for edge in edges {
        let Some(state) = edge
            .proxies
            .iter()
            .find(|state| state.proxy == proxy && !state.agrees)
        else {
            continue;
        };
        let holds = match (&state.held, &state.reason) {
            (Some(held), _) => Shown(held).to_string(),
            (None, reason) => reason.clone().unwrap_or_default(),
        };
        let variant = edge.edge.variant.as_ref().map(|variant| format!(" [{variant}]"));
        text += &format!(
            "; holds {holds} for {}{}, not {}",
            edge.edge.to,
            variant.unwrap_or_default(),
            Shown(&edge.declared)
        );
        if seen
            .iter()
            .any(|seen| seen.edge == edge.edge && seen.as_declared == Some(true))
        {
            text += " (the client saw the declared split all the same)";
        }
    }
    text
}

fn refused(status: &ProxyStatus, config: Option<&ProxyConfig>) -> Option<String> {
    let by_proxy = config.and_then(|config| config.refused.first());
    let by_istiod = status.refused.first();
    match (by_proxy, by_istiod) {
        (Some(refused), _) => Some(format!("{}: {}", refused.what, refused.reason)),
        (None, Some((kind, reason))) => Some(format!("{kind}: {reason}")),
        (None, None) => None,
    }
}
