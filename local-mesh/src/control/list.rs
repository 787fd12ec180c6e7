//! `get` and `logs`.

use mesh_config::{Object, ObjectKey};

use super::pods::Pod;
use super::proxy_config::Kind;
use super::resource;
use super::selector::Selector;
use super::state::State;
use super::tables;
use crate::admin::wire::{Failure, Listing, Query, Section};

impl State {
    /// Objects and pods, or the tables of one client; kinds of which there are none are left out.
    pub(super) fn list(&self, query: &Query) -> Result<Listing, Failure> {
        let tables = Kind::asked(query).map_err(Failure::refused)?;
        if !tables.is_empty() {
            return self.proxy_config(&tables, query);
        }
        let mut others: Vec<&str> = self.mesh.objects().map(|object| object.kind.as_str()).collect();
        others.dedup();
        let kinds = resource::find(&query.kind, &others).map_err(Failure::refused)?;
        let selector = query.selector.as_deref().unwrap_or_default().parse();
        let selector: Selector = selector.map_err(Failure::refused)?;
        let mut sections = Vec::new();
        for kind in kinds {
            let section = if kind == "Pod" {
                self.pods_section(query, &selector)
            } else {
                self.section(kind, query, &selector)
            };
            if section.items.is_empty()
                && let Some(name) = &query.name
            {
                let any = self.mesh.objects().find(|object| object.kind == kind);
                let plural = resource::full_plural(kind, resource::group(kind, any));
                return Err(Failure::not_found(format!("{plural} \"{name}\" not found")));
            }
            if !section.items.is_empty() {
                sections.push(section);
            }
        }
        Ok(Listing { sections })
    }

    fn pods_section(&self, query: &Query, selector: &Selector) -> Section {
        let mut pods: Vec<&Pod> = self
            .pods
            .iter()
            .filter(|pod| {
                let identity = &pod.plan.identity;
                query.admits(&identity.namespace, &identity.name) && selector.matches(&identity.labels)
            })
            .collect();
        pods.sort_by_key(|pod| pod.full_name());
        Section {
            resource: "pod".to_owned(),
            table: tables::pods(&pods).build(query),
            items: pods
                .iter()
                .map(|pod| tables::pod_object(pod, &self.mesh))
                .collect(),
        }
    }

    fn section(&self, kind: &str, query: &Query, selector: &Selector) -> Section {
        let objects: Vec<(&Object, ObjectKey)> = self
            .mesh
            .objects()
            .filter(|object| {
                let metadata = &object.metadata;
                object.kind == kind
                    && query.admits(&metadata.namespace, &metadata.name)
                    && selector.matches(&metadata.labels)
            })
            .map(|object| (object, object.key()))
            .collect();
        let group = resource::group(kind, objects.first().map(|(object, _)| *object));
        Section {
            resource: resource::full_name(kind, group),
            table: self.table(kind, &objects).build(query),
            items: objects
                .iter()
                .map(|(object, _)| object.content().clone())
                .collect(),
        }
    }

    /// The last lines of one pod: its name, or `NAMESPACE/NAME`.
    pub(super) fn logs(&self, query: &Query) -> Result<String, Failure> {
        let name = query.name.as_deref().unwrap_or_default();
        let called = |pod: &&Pod| {
            let identity = &pod.plan.identity;
            pod.full_name() == name || query.admits(&identity.namespace, &identity.name)
        };
        let pod = self.pods.iter().find(called).ok_or_else(|| {
            let known: Vec<String> = self.pods.iter().map(Pod::full_name).collect();
            let known = if known.is_empty() {
                "there are none".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            Failure::not_found(format!("pods \"{name}\" not found; {known}"))
        })?;
        let lines = pod.plan.logs.all();
        Ok(lines.iter().map(|line| format!("{line}\n")).collect())
    }
}

impl Query {
    fn admits(&self, namespace: &str, name: &str) -> bool {
        // What lives in no namespace is found in each.
        let here = |wanted: &String| namespace.is_empty() || wanted == namespace;
        self.namespace.as_ref().is_none_or(here) && self.name.as_ref().is_none_or(|wanted| wanted == name)
    }
}
