//! `explain`: a question about one request, answered from the mesh that is in force.

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use mesh_config::{Client, RequestHead, Role, normalise_path};

use super::sockets::Owner;
use super::state::State;
use crate::admin::wire::{ClusterEndpoints, EndpointState, ExplainRequest, Explained, Failure};
use crate::proxy::Dialled;

/// The question as the routing rules see it.
struct Question {
    method: Method,
    authority: String,
    path: String,
    headers: HeaderMap,
    /// Of the URL; 80 if it has none.
    port: u16,
}

/// A question that cannot be asked.
#[derive(Debug, thiserror::Error)]
enum BadQuestion {
    #[error("`{0}` is not a URL; write http://auth-service:8080/path")]
    Url(String),
    #[error("`{0}`: only http:// is routed here")]
    Scheme(String),
    #[error("`{0}` is not a method")]
    Method(String),
    #[error("`{0}` is not a header; write 'name: value'")]
    Header(String),
    #[error("`{0}` is not a path that a proxy takes: it would be answered 400")]
    Path(String),
}

impl State {
    /// Where the request would go now, and why.
    pub(super) fn explain(&self, request: &ExplainRequest) -> Result<Explained, Failure> {
        let (from, client) = self.caller(request.from.as_deref())?;
        let question = Question::read(request).map_err(Failure::refused)?;
        let port = self.port_dialled(&client, &question);
        let head = RequestHead {
            method: question.method.as_str(),
            path: &question.path,
            authority: &question.authority,
            scheme: "http",
            headers: &question.headers,
        };
        let explanation = mesh_config::explain(&self.mesh, &client, port, &head);
        let clusters = explanation.clusters.iter().map(|cluster| cluster.name.as_str());
        let endpoints = self.endpoints(&client, clusters);
        Ok(Explained {
            text: format!("{:<13} {from}\n{explanation}{}", "from", listed(&endpoints)),
            from,
            explanation: serde_json::to_value(&explanation).map_err(Failure::refused)?,
            endpoints,
        })
    }

    /// A sidecar's client dials the port of the URL. At the gateway the address counts: of those that it listens on,
    /// or, for any other name, the one port that it serves.
    fn port_dialled(&self, client: &Client, question: &Question) -> u16 {
        if client.role == Role::Sidecar {
            return question.port;
        }
        let doors = || {
            self.sockets_of(Owner::Gateway)
                .filter_map(|open| match open.dialled {
                    Dialled::Port(port) => Some((open.address, port)),
                    Dialled::OfRequest => None,
                })
        };
        let known = doors().find(|(address, _)| address.to_string() == question.authority);
        match (known, doors().count()) {
            (Some((_, port)), _) => port,
            (None, 1) => doors().next().map_or(question.port, |(_, port)| port),
            (None, _) => question.port,
        }
    }

    fn endpoints<'a>(
        &self,
        client: &Client,
        clusters: impl Iterator<Item = &'a str>,
    ) -> Vec<ClusterEndpoints> {
        let view = self.mesh.view(client, &self.workloads());
        let existing = clusters.filter_map(|name| Some(view.cluster(view.cluster_named(name)?)));
        existing
            .map(|cluster| ClusterEndpoints {
                cluster: cluster.name.clone(),
                endpoints: cluster
                    .endpoints
                    .iter()
                    .map(|endpoint| EndpointState {
                        workload: format!("{}/{}", endpoint.namespace, endpoint.workload),
                        address: endpoint.address,
                        ready: endpoint.healthy,
                    })
                    .collect(),
            })
            .collect()
    }
}

/// Lines that continue those of the explanation.
fn listed(clusters: &[ClusterEndpoints]) -> String {
    let mut text = String::new();
    for cluster in clusters {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{:<13} {}", "endpoints of", cluster.cluster);
        for endpoint in &cluster.endpoints {
            let state = if endpoint.ready { "ready" } else { "not ready" };
            let _ = writeln!(
                text,
                "{:<13} {}  {}  {state}",
                "", endpoint.address, endpoint.workload
            );
        }
        if cluster.endpoints.is_empty() {
            let _ = writeln!(text, "{:<13} none: 503, flag UH", "");
        }
    }
    text
}

impl Question {
    fn read(request: &ExplainRequest) -> Result<Question, BadQuestion> {
        let bad_url = || BadQuestion::Url(request.url.clone());
        let with_scheme = if request.url.contains("://") {
            request.url.clone()
        } else {
            format!("http://{}", request.url)
        };
        let uri: Uri = with_scheme.parse().map_err(|_| bad_url())?;
        if uri.scheme_str() != Some("http") {
            return Err(BadQuestion::Scheme(request.url.clone()));
        }
        let authority = uri.authority().ok_or_else(bad_url)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let method = request.method.parse();
        let mut question = Question {
            method: method.map_err(|_| BadQuestion::Method(request.method.clone()))?,
            authority: authority.as_str().to_owned(),
            path: normalise_path(path)
                .ok_or_else(|| BadQuestion::Path(path.to_owned()))?
                .into_owned(),
            headers: HeaderMap::new(),
            port: authority.port_u16().unwrap_or(80),
        };
        for (name, value) in &request.headers {
            let bad = || BadQuestion::Header(format!("{name}: {value}"));
            let name: HeaderName = name.parse().map_err(|_| bad())?;
            let value: HeaderValue = value.parse().map_err(|_| bad())?;
            if name == http::header::HOST {
                question.authority = value.to_str().map_err(|_| bad())?.to_owned();
            }
            question.headers.append(name, value);
        }
        Ok(question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, method: &str, headers: &[(&str, &str)]) -> Result<Question, String> {
        let headers = headers.iter();
        let request = ExplainRequest {
            url: url.to_owned(),
            method: method.to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            from: None,
        };
        Question::read(&request).map_err(|error| error.to_string())
    }

    #[test]
    fn a_question_is_read_from_a_url() {
        let question = read("http://auth:8080/a/../b?c=d", "POST", &[("x", "y")]).unwrap();
        assert_eq!((question.authority.as_str(), question.port), ("auth:8080", 8080));
        assert_eq!(question.path, "/b?c=d");
        assert_eq!(question.headers["x"], "y");
        let question = read("auth", "GET", &[("Host", "other:81")]).unwrap();
        assert_eq!(
            (question.authority.as_str(), question.port, question.path.as_str()),
            ("other:81", 80, "/")
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, method, header, expected) in [
            ("https://auth/", "GET", ("x", "y"), "only http://"),
            ("http://", "GET", ("x", "y"), "not a URL"),
            ("http://a b/", "GET", ("x", "y"), "not a URL"),
            ("auth", "G T", ("x", "y"), "not a method"),
            ("auth", "GET", ("x y", "z"), "not a header"),
        ] {
            let error = read(url, method, &[header]).map(|_| ()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
