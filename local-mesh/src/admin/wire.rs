//! What the admin API takes and gives, as JSON. The verbs of the command line use the same types.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Body of `POST /apply` and `POST /delete`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifests {
    /// At least one.
    pub(crate) sources: Vec<Manifest>,
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// As shown in problems.
    pub(crate) name: String,
    /// YAML or JSON, any number of documents.
    pub(crate) text: String,
}

/// Answer of `POST /apply` and `POST /delete`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// One per object, in the order of the files.
    pub(crate) changes: Vec<Changed>,
    /// What the person should know besides.
    pub(crate) notes: Vec<String>,
}

/// What happened to one object.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Changed {
    /// `VirtualService`.
    pub(crate) kind: String,
    /// Empty for cluster-scoped kinds.
    pub(crate) namespace: String,
    /// Of the object.
    pub(crate) name: String,
    /// `created`, `configured`, `unchanged`, `deleted` or `notfound`.
    pub(crate) what: String,
    /// As kubectl says it.
    pub(crate) line: String,
}

/// Query of `GET /objects` and `GET /logs`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Query {
    /// A kind as kubectl takes it, several with commas; `all`; `routes`, `clusters`, `endpoints`.
    pub(crate) kind: String,
    /// One object; all if not given.
    pub(crate) name: Option<String>,
    /// All namespaces if not given.
    pub(crate) namespace: Option<String>,
    /// Only those with such labels: `app=auth,version!=v1`.
    pub(crate) selector: Option<String>,
    /// Whose routes, clusters or endpoints: `gateway`, or `NAMESPACE/NAME` of a Deployment, pod or client.
    pub(crate) from: Option<String>,
}

/// Answer of `GET /objects`: one section per kind that has any.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listing {
    /// In the order asked for.
    pub(crate) sections: Vec<Section>,
}

/// The objects of one kind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Section {
    /// `virtualservice.networking.istio.io`.
    pub(crate) resource: String,
    /// For people.
    pub(crate) table: Table,
    /// As applied; for pods and the tables of a client made up.
    pub(crate) items: Vec<serde_json::Value>,
}

/// Columns and rows of text.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    /// Headings.
    pub(crate) columns: Vec<Column>,
    /// As long as the columns.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A heading.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Column {
    /// Upper case.
    pub(crate) name: String,
    /// Shown with `-o wide` only.
    pub(crate) wide: bool,
}

/// Body of `POST /explain`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainRequest {
    /// `http://auth-service:8080/verify`.
    pub(crate) url: String,
    /// `GET`.
    pub(crate) method: String,
    /// Names and values.
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    /// `gateway` or `NAMESPACE/NAME` of a Deployment, pod or client.
    #[serde(default)]
    pub(crate) from: Option<String>,
}

/// Answer of `POST /explain`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Explained {
    /// For people.
    pub(crate) text: String,
    /// Who was taken to call.
    pub(crate) from: String,
    /// The decision with its reasons.
    pub(crate) explanation: serde_json::Value,
    /// Candidates of each cluster.
    pub(crate) endpoints: Vec<ClusterEndpoints>,
}

/// Endpoints of one cluster.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClusterEndpoints {
    /// `outbound|8080|v1|auth.default.svc.cluster.local`.
    pub(crate) cluster: String,
    /// Those that are not ready, too.
    pub(crate) endpoints: Vec<EndpointState>,
}

/// One endpoint.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EndpointState {
    /// Pod or WorkloadEntry.
    pub(crate) workload: String,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Whether it gets requests.
    pub(crate) ready: bool,
}

/// Answer of `GET /status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Whether everything below is.
    pub(crate) ready: bool,
    /// What is not ready, and why.
    pub(crate) missing: Vec<String>,
    /// Of local-mesh.
    pub(crate) version: String,
    /// Of local-mesh.
    pub(crate) pid: u32,
    /// Of this API.
    pub(crate) admin: SocketAddr,
    /// Addresses of the gateway; empty if it is closed.
    pub(crate) gateway: Vec<Listening>,
    /// Addresses of `--client`.
    pub(crate) clients: Vec<Listening>,
    /// All of them.
    pub(crate) deployments: Vec<DeploymentState>,
    /// How many objects the mesh has.
    pub(crate) objects: usize,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listening {
    /// Who calls there.
    pub(crate) name: String,
    /// Where.
    pub(crate) address: SocketAddr,
    /// The port dialled; none for an HTTP proxy.
    pub(crate) port: Option<u16>,
}

/// A Deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeploymentState {
    /// Of the object.
    pub(crate) namespace: String,
    /// Of the object.
    pub(crate) name: String,
    /// Pods wanted.
    pub(crate) replicas: usize,
    /// Pods of the current template that are ready.
    pub(crate) ready: usize,
    /// Of all its pods.
    pub(crate) restarts: u32,
}

/// Why there is no other answer: the body of 404 and 422.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// What is wrong and what to do, as shown to people.
    pub(crate) error: String,
    /// What was asked for does not exist: 404 instead of 422.
    #[serde(skip)]
    pub(crate) not_found: bool,
}

impl Failure {
    /// The request cannot be fulfilled.
    pub(crate) fn refused(error: impl ToString) -> Self {
        Failure {
            error: error.to_string(),
            not_found: false,
        }
    }

    /// There is no such thing; kubectl's words.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Failure {
            error: format!("Error from server (NotFound): {what}"),
            not_found: true,
        }
    }
}
