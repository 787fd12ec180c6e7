//! The format of recorded cases, as far as it is looked at here.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use mesh_config::{Client, Role, Workload};
use serde::Deserialize;
use serde_json::Value;

use crate::kit::labels;

#[derive(Deserialize)]
pub(super) struct Case {
    #[serde(default)]
    client: Sender,
    #[serde(default)]
    proxy: String,
    #[serde(default)]
    pub(super) ordered: bool,
    #[serde(default)]
    pub(super) workloads: Vec<Running>,
    pub(super) config: String,
    pub(super) refused: Option<Value>,
    pub(super) nack: Option<Value>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
struct Sender {
    namespace: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct Running {
    pub(super) name: String,
    namespace: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) gone: bool,
    #[serde(default)]
    behaviour: Value,
}

#[derive(Deserialize)]
pub(super) struct Step {
    pub(super) send: Option<Send>,
    #[serde(default = "once")]
    pub(super) times: u32,
    pub(super) observed: Option<Observed>,
    pub(super) apply: Option<String>,
    pub(super) delete: Option<String>,
    pub(super) refused: Option<Value>,
    pub(super) nack: Option<Value>,
    #[serde(default)]
    pub(super) workloads: BTreeMap<String, Change>,
    pub(super) wait: Option<f64>,
}

fn once() -> u32 {
    1
}

#[derive(Deserialize)]
pub(super) struct Change {
    pub(super) gone: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Send {
    #[serde(default)]
    method: Option<String>,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    target: Option<Value>,
    version: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Observed {
    status: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) upstream: Vec<Upstream>,
    #[serde(default)]
    pub(super) flags: Value,
    #[serde(default)]
    statuses: BTreeMap<u16, u32>,
    #[serde(default)]
    pub(super) workloads: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
pub(super) struct Upstream {
    pub(super) workload: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) host: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Value>,
}

impl Case {
    pub(super) fn is_gateway(&self) -> bool {
        self.proxy == "gateway"
    }

    /// Headers that a workload answers with.
    pub(super) fn headers_of(&self, workload: &str) -> Vec<(String, Vec<String>)> {
        let workload = self.workloads.iter().find(|w| w.name == workload);
        let headers = workload.and_then(|w| w.behaviour.get("headers")?.as_object());
        headers
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), lines(value)))
            .collect()
    }
}

pub(super) fn client(case: &Case) -> Client {
    if case.is_gateway() {
        let labels = labels(&[("istio", "ingressgateway")]);
        let (namespace, name) = ("istio-system".to_owned(), "gateway".to_owned());
        return Client {
            namespace,
            name,
            labels,
            locality: None,
            role: Role::Gateway,
        };
    }
    Client {
        namespace: case.client.namespace.clone().unwrap_or("default".to_owned()),
        name: "client".to_owned(),
        labels: case.client.labels.clone().unwrap_or(labels(&[("app", "client")])),
        locality: None,
        role: Role::Sidecar,
    }
}

/// All workloads of a case; each has all of these port names.
pub(super) fn workloads(case: &Case, port_names: &[String]) -> Vec<Workload> {
    let workload = |running: &Running| Workload {
        name: running.name.clone(),
        namespace: running.namespace.clone().unwrap_or("default".to_owned()),
        labels: running.labels.clone(),
        address: [127, 0, 0, 1].into(),
        ports: BTreeMap::new(),
        port_names: port_names.iter().map(|name| (name.clone(), 8080)).collect(),
        ready: true,
        locality: None,
        weight: 1,
    };
    case.workloads.iter().map(workload).collect()
}

/// A request in parts.
pub(super) struct Parts {
    pub(super) method: String,
    pub(super) port: u16,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) scheme: String,
    pub(super) headers: HeaderMap,
}

impl Send {
    /// `None` for what is no ordinary request.
    pub(super) fn request(&self, gateway: bool) -> Option<Parts> {
        if self.target.is_some() || self.version.is_some() {
            return None;
        }
        let rest = self.url.strip_prefix("http://")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let mut authority = authority.to_owned();
        let port = authority
            .rsplit_once(':')
            .map_or(Ok(80), |(_, port)| port.parse())
            .ok()?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if name.eq_ignore_ascii_case("host") {
                authority = Some(lines(value)).filter(|lines| !lines.is_empty())?.join(",");
                continue;
            }
            for line in lines(value) {
                let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                headers.append(name, HeaderValue::from_str(line.trim()).ok()?);
            }
        }
        let forwarded = headers.get("x-forwarded-proto").filter(|_| !gateway);
        let scheme = forwarded
            .map_or("http", |proto| proto.to_str().unwrap())
            .to_owned();
        let method = self.method.clone().unwrap_or("GET".to_owned());
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Some(Parts {
            method,
            port,
            authority,
            path,
            scheme,
            headers,
        })
    }
}

impl Observed {
    /// Whether the request came as far as the route table: answers to broken requests, and connections that were not
    /// HTTP to the proxy, say nothing here.
    pub(super) fn is_routed(&self) -> bool {
        !self.flags.is_null() && !self.has_flag("DPE") && self.status != Some(400) && self.status != Some(403)
    }

    pub(super) fn only_status(&self) -> Option<u16> {
        let counted = Some(&self.statuses).filter(|statuses| statuses.len() == 1);
        self.status
            .or(counted.and_then(|statuses| statuses.keys().next().copied()))
    }

    pub(super) fn has_flag(&self, flag: &str) -> bool {
        self.flags
            .as_str()
            .is_some_and(|flags| flags.split(',').any(|other| other == flag))
    }

    /// How many requests had exactly these flags.
    pub(super) fn flag_count(&self, flag: &str, times: u32) -> u32 {
        match &self.flags {
            Value::Object(counts) => counts.get(flag).and_then(Value::as_u64).unwrap_or(0) as u32,
            single => {
                if single.as_str() == Some(flag) {
                    times
                } else {
                    0
                }
            }
        }
    }

    /// Requests that no workload got for want of a cluster or an endpoint.
    pub(super) fn unrouted(&self, times: u32) -> u32 {
        self.flag_count("NC", times) + self.flag_count("UH", times)
    }

    /// Requests that workloads got.
    pub(super) fn tries(&self) -> u32 {
        self.upstream.len() as u32 + self.workloads.values().sum::<u32>()
    }
}

/// The lines of a header.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(lines) => lines.iter().flat_map(lines_of).collect(),
        other => lines_of(other),
    }
}

fn lines_of(value: &Value) -> Vec<String> {
    vec![value.as_str().map_or_else(|| value.to_string(), str::to_owned)]
}

/// The lines of a header in one.
pub(super) fn joined(value: &Value) -> String {
    lines(value).join(",")
}
