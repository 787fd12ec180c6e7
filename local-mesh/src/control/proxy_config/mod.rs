//! `get routes`, `get clusters`, `get endpoints`: the compiled tables of one client, as `istioctl proxy-config` shows
//! those of a pod.

mod clusters;
mod endpoints;
mod routes;

use mesh_config::{ObjectKey, View};

use super::state::State;
use crate::admin::wire::{Column, Failure, Listing, Query, Section, Table};

/// One of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Routes,
    Clusters,
    Endpoints,
}

/// Rows for people, and the same as objects.
type Content = (Vec<Vec<String>>, Vec<serde_json::Value>);

/// A question that cannot be asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadQuery {
    #[error("routes, clusters and endpoints are a client's, other kinds the mesh's: ask for `{0}` by itself")]
    Mixed(String),
    #[error(
        "routes, clusters and endpoints are of one client, not of a namespace: say which with --from, without -n"
    )]
    Namespace,
    #[error("routes, clusters and endpoints have no labels: -l is for other kinds")]
    Selector,
    #[error("--from is for routes, clusters and endpoints; other kinds are the same for every client")]
    From,
}

impl Kind {
    fn named(word: &str) -> Option<Kind> {
        match word.to_lowercase().as_str() {
            "routes" | "route" => Some(Kind::Routes),
            "clusters" | "cluster" => Some(Kind::Clusters),
            "endpoints" | "endpoint" => Some(Kind::Endpoints),
            _ => None,
        }
    }

    /// The tables that a query asks for; none if it asks for objects of the mesh.
    pub(super) fn asked(query: &Query) -> Result<Vec<Kind>, BadQuery> {
        let words = || query.kind.split(',');
        let kinds: Vec<Kind> = words().filter_map(Kind::named).collect();
        let other = words().find(|word| Kind::named(word).is_none());
        match (kinds.is_empty(), other) {
            (true, _) if query.from.is_some() => Err(BadQuery::From),
            (false, Some(other)) => Err(BadQuery::Mixed(other.to_owned())),
            (false, None) if query.namespace.is_some() => Err(BadQuery::Namespace),
            (false, None) if query.selector.is_some() => Err(BadQuery::Selector),
            _ => Ok(kinds),
        }
    }

    fn resource(self) -> &'static str {
        match self {
            Kind::Routes => "route",
            Kind::Clusters => "cluster",
            Kind::Endpoints => "endpoint",
        }
    }

    /// Headings, and how many of them are shown without `-o wide`.
    fn columns(self) -> (&'static [&'static str], usize) {
        match self {
            Kind::Routes => (routes::COLUMNS, routes::NARROW),
            Kind::Clusters => (clusters::COLUMNS, clusters::NARROW),
            Kind::Endpoints => (endpoints::COLUMNS, endpoints::NARROW),
        }
    }
}

impl State {
    /// The tables of the client that the query names; the gateway's if it names none and that is open.
    pub(super) fn proxy_config(&self, kinds: &[Kind], query: &Query) -> Result<Listing, Failure> {
        let (_, client) = self.caller(query.from.as_deref())?;
        let view = self.mesh.view(&client, &self.workloads());
        let mut sections = Vec::new();
        for kind in kinds {
            let (rows, items) = self.content(*kind, &view, query.name.as_deref());
            if let (true, Some(name)) = (items.is_empty(), &query.name) {
                return Err(Failure::not_found(format!(
                    "{}s \"{name}\" not found",
                    kind.resource()
                )));
            }
            if !items.is_empty() {
                let (names, narrow) = kind.columns();
                let columns = names.iter().enumerate().map(|(index, name)| Column {
                    name: (*name).to_owned(),
                    wide: index >= narrow,
                });
                sections.push(Section {
                    resource: kind.resource().to_owned(),
                    table: Table {
                        columns: columns.collect(),
                        rows,
                    },
                    items,
                });
            }
        }
        Ok(Listing { sections })
    }

    fn content(&self, kind: Kind, view: &View, name: Option<&str>) -> Content {
        match kind {
            Kind::Routes => routes::content(&self.mesh, view, name),
            Kind::Clusters => clusters::content(&self.mesh, view, name),
            Kind::Endpoints => endpoints::content(view, name),
        }
    }
}

/// `NAME.NAMESPACE`, as istioctl writes it; the namespace is left off beside a service of the same one.
fn beside(host: &str, key: &ObjectKey) -> String {
    if host.split('.').nth(1) == Some(key.namespace.as_str()) {
        return key.name.clone();
    }
    format!("{}.{}", key.name, key.namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: &str, namespace: Option<&str>, from: Option<&str>) -> Result<Vec<Kind>, BadQuery> {
        Kind::asked(&Query {
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            from: from.map(str::to_owned),
            ..Query::default()
        })
    }

    #[test]
    fn tables_of_a_client_and_objects_of_the_mesh_do_not_mix() {
        let both = [Kind::Routes, Kind::Clusters];
        assert_eq!(asked("routes,Cluster", None, Some("a/b")).unwrap(), both);
        assert_eq!(asked("pods,vs", Some("a"), None).unwrap(), []);
        assert_eq!(
            asked("routes,vs", None, None),
            Err(BadQuery::Mixed("vs".to_owned()))
        );
        assert_eq!(asked("endpoints", Some("a"), None), Err(BadQuery::Namespace));
        assert_eq!(asked("pods", None, Some("a/b")), Err(BadQuery::From));
    }

    #[test]
    fn a_namespace_is_said_once() {
        let key = ObjectKey {
            kind: "DestinationRule".to_owned(),
            namespace: "shop".to_owned(),
            name: "rule".to_owned(),
        };
        assert_eq!(beside("echo.shop.svc.cluster.local", &key), "rule");
        assert_eq!(beside("echo.other.svc.cluster.local", &key), "rule.shop");
        assert_eq!(beside("*:80", &key), "rule.shop");
    }
}
