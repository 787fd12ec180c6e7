//! A small shop to ask questions about.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use mesh_config::{
    Action, Client, Distribution, Fact, Facts, Forward, Known, Mesh, Object, Outcome, Problems, RequestHead,
    Role, Route, Routing, Source, View, normalise_path, parse,
};

pub(crate) const SHOP: &str = "
apiVersion: v1
kind: Service
metadata: {name: auth, namespace: shop}
spec:
  selector: {app: auth}
  ports: [{name: http, port: 8080, targetPort: web}, {name: http-80, port: 80, targetPort: 9090}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: auth, namespace: shop}
spec:
  host: auth
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
  - {name: next, labels: {version: v3-beta}}
";

pub(crate) fn source(text: &str) -> Source {
    Source {
        name: "test.yaml".to_owned(),
        text: text.to_owned(),
    }
}

pub(crate) fn objects(text: &str) -> Vec<Object> {
    parse(&[source(text)]).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(crate) fn problems(text: &str) -> Problems {
    match parse(&[source(text)]) {
        Err(problems) => problems,
        Ok(_) => panic!("this was taken:\n{text}"),
    }
}

/// The shop and these objects, applied one second after the other.
pub(crate) fn mesh(texts: &[&str]) -> Mesh {
    let mut mesh = Mesh::new();
    for (now, text) in [SHOP].iter().chain(texts).enumerate() {
        mesh = mesh.apply(objects(text), i64::try_from(now).unwrap()).unwrap().0;
    }
    mesh
}

/// An Istio object, `namespace/name`, with the lines of its spec.
pub(crate) fn istio(kind: &str, name: &str, spec: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    let spec: Vec<String> = spec.trim().lines().map(|line| format!("  {line}")).collect();
    format!(
        "apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec:\n{}\n",
        spec.join("\n")
    )
}

/// A Service, `namespace/name`, that selects the label `app: name`, with these ports.
pub(crate) fn service(name: &str, ports: &str) -> String {
    let (namespace, name) = name.split_once('/').unwrap();
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{selector: {{app: {name}}}, ports: [{ports}]}}\n"
    )
}

/// A route to a subset of `auth`.
pub(crate) fn to(subset: &str) -> String {
    format!("route: [{{destination: {{host: auth, subset: {subset}}}}}]")
}

/// A VirtualService `auth` in `shop` for host `auth`, with these rules (lines of `http`, without indentation).
pub(crate) fn rules(http: &str) -> String {
    let http: Vec<String> = http.trim().lines().map(|line| format!("  {line}")).collect();
    istio(
        "VirtualService",
        "shop/auth",
        &format!("hosts: [auth]\nhttp:\n{}", http.join("\n")),
    )
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(crate) fn client() -> Client {
    Client {
        namespace: "shop".to_owned(),
        name: "client".to_owned(),
        labels: labels(&[("app", "client")]),
        locality: None,
        role: Role::Sidecar,
    }
}

/// A request written as `METHOD http://host/path header: value, header: value`.
pub(crate) struct Request {
    method: String,
    authority: String,
    path: String,
    headers: HeaderMap,
}

impl Request {
    pub(crate) fn new(text: &str) -> Self {
        let (method, rest) = text.split_once(' ').unwrap();
        let (url, headers) = rest.split_once(' ').unwrap_or((rest, ""));
        let url = url.strip_prefix("http://").unwrap();
        let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        let mut map = HeaderMap::new();
        for line in headers.split(", ").filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value.trim()).unwrap(),
            );
        }
        Request {
            method: method.to_owned(),
            authority: authority.to_owned(),
            path: normalise_path(path).unwrap().into_owned(),
            headers: map,
        }
    }

    pub(crate) fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            path: &self.path,
            authority: &self.authority,
            scheme: "http",
            headers: &self.headers,
        }
    }

    /// The port of the Host, or 80.
    pub(crate) fn port(&self) -> u16 {
        self.authority
            .rsplit_once(':')
            .map_or(80, |(_, port)| port.parse().unwrap())
    }
}

pub(crate) fn ask(mesh: &Mesh, client: &Client, request: &str) -> Distribution {
    let request = Request::new(request);
    mesh.distribution(client, request.port(), &request.head())
}

/// `v1=0.9 v2=0.1`, `404`, `502`; `*` is the service without a subset.
pub(crate) fn goes(mesh: &Mesh, request: &str) -> String {
    show(&ask(mesh, &client(), request))
}

pub(crate) fn show(distribution: &Distribution) -> String {
    match distribution.outcome {
        Outcome::UnknownHost => return "502".to_owned(),
        Outcome::NoRoute => return "404".to_owned(),
        Outcome::Answered { status, .. } => return status.to_string(),
        Outcome::Routed { .. } => {}
    }
    let share = |share: &mesh_config::Share| {
        let subset = share.subset.as_deref().unwrap_or("*");
        if (share.probability - 1.0).abs() < 1e-12 {
            return subset.to_owned();
        }
        format!("{subset}={}", share.probability)
    };
    distribution
        .shares
        .iter()
        .map(share)
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn view(mesh: &Mesh) -> View {
    mesh.view(&client(), &[])
}

/// The route of a request that has one.
pub(crate) fn route<'v>(view: &'v View, request: &str) -> &'v Route {
    let request = Request::new(request);
    match view
        .table(request.port())
        .map(|table| table.route(&request.head()))
    {
        Some(Routing::Route(_, route)) => route,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn forward(route: &Route) -> &Forward {
    let Action::Forward(forward) = &route.action else {
        panic!("{:?}", route.action)
    };
    forward
}

/// Tells of each fact that a command of a header asks for.
pub(crate) struct NoFacts;

impl Facts for NoFacts {
    fn tell(&self, fact: &Fact, into: &mut Vec<u8>) {
        into.extend_from_slice(format!("<{fact:?}>").as_bytes());
    }
}

/// What is known of `GET /a?q=1` to which these were the headers, on its way or on that of its answer.
pub(crate) fn known(request: Option<&http::HeaderMap>) -> Known<'_> {
    Known {
        method: "GET",
        path: "/a?q=1",
        scheme: "http",
        request,
        facts: &NoFacts,
    }
}

/// Names of the clusters that a request may go to; one that does not exist with a question mark.
pub(crate) fn clusters(view: &View, request: &str) -> Vec<String> {
    let name = |destination: &mesh_config::Destination| match &destination.cluster {
        Ok(id) => view.cluster(*id).name.clone(),
        Err(name) => format!("{name}?"),
    };
    forward(route(view, request))
        .destinations
        .iter()
        .map(name)
        .collect()
}
