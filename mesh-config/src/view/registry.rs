//! What a mesh has, looked up in the ways that compiling a view needs.

use std::collections::BTreeMap;

use super::destination_rules::{DestinationRules, MergedRule};
use super::egress::Egress;
use super::services::{self, Callee};
use crate::client::Client;
use crate::object::destination_rule::DestinationRule;
use crate::object::gateway::Gateway;
use crate::object::kubernetes::WorkloadEntry;
use crate::object::virtual_service::VirtualService;
use crate::object::{Metadata, Object, Spec};

/// Where mesh-wide rules live.
pub(crate) const ROOT_NAMESPACE: &str = "istio-system";

/// The objects of a mesh by kind, rules oldest first.
pub(crate) struct Registry<'a> {
    /// By full name.
    pub(crate) services: BTreeMap<String, Callee<'a>>,
    /// What the client's Sidecar object leaves of them, by port.
    pub(crate) egress: Egress<'a>,
    pub(crate) virtual_services: Vec<Named<'a, VirtualService>>,
    pub(crate) destination_rules: DestinationRules<'a>,
    pub(crate) gateways: Vec<Named<'a, Gateway>>,
    pub(crate) entries: Vec<Named<'a, WorkloadEntry>>,
}

/// A spec with the object it belongs to.
pub(crate) struct Named<'a, T> {
    pub(crate) object: &'a Object,
    pub(crate) spec: &'a T,
}

// By hand: deriving would ask that the spec itself can be copied.
impl<T> Clone for Named<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Named<'_, T> {}

impl<'a, T> Named<'a, T> {
    pub(crate) fn metadata(&self) -> &'a Metadata {
        &self.object.metadata
    }

    /// A part of the spec, with the object it belongs to.
    pub(crate) fn part<U>(&self, part: impl FnOnce(&'a T) -> Option<&'a U>) -> Option<Named<'a, U>> {
        let object = self.object;
        part(self.spec).map(|spec| Named { object, spec })
    }
}

impl<'a> Registry<'a> {
    /// All `objects`, which come with their ages, for nobody in particular.
    pub(crate) fn new(objects: impl Iterator<Item = (&'a Object, i64)>) -> Self {
        Self::read(objects, None)
    }

    /// What this client is told of.
    pub(crate) fn seen_by(client: &Client, objects: impl Iterator<Item = (&'a Object, i64)>) -> Self {
        Self::read(objects, Some(client))
    }

    fn read(objects: impl Iterator<Item = (&'a Object, i64)>, client: Option<&Client>) -> Self {
        let mut objects: Vec<_> = objects.collect();
        // Oldest first, ties by name, then by namespace.
        objects
            .sort_by_key(|(object, created)| (*created, &object.metadata.name, &object.metadata.namespace));
        let (mut virtual_services, mut sidecars) = (Vec::new(), Vec::new());
        let (mut destination_rules, mut gateways, mut entries): (Vec<Named<'_, DestinationRule>>, _, _) =
            (Vec::new(), Vec::new(), Vec::new());
        for &(object, _) in &objects {
            match &object.spec {
                Spec::VirtualService(spec) => virtual_services.push(Named { object, spec }),
                Spec::DestinationRule(spec) => destination_rules.push(Named { object, spec }),
                Spec::Gateway(spec) => gateways.push(Named { object, spec }),
                Spec::WorkloadEntry(spec) => entries.push(Named { object, spec }),
                Spec::Sidecar(spec) => sidecars.push(Named { object, spec }),
                _ => {}
            }
        }
        let egress = client.map_or_else(Egress::everything, |client| Egress::of(&sidecars, client));
        Registry {
            services: services::find(objects.iter().copied(), client, &egress),
            egress,
            virtual_services,
            destination_rules: DestinationRules::new(destination_rules.into_iter()),
            gateways,
            entries,
        }
    }

    /// The DestinationRule that applies to a service (full name) for this client.
    pub(crate) fn rule_for(&self, client: &Client, service: &str) -> MergedRule<'a> {
        let owner = self.services.get(service).map(Callee::namespace);
        self.destination_rules
            .find(client, owner.unwrap_or_default(), service)
    }

    /// Rules that the client sees, in the order in which they are considered: those private to its namespace, those
    /// exported to it by name, then public ones; oldest first in each group.
    pub(crate) fn visible(&self, client: &Client) -> Vec<Named<'a, VirtualService>> {
        let own = client.namespace.as_str();
        let rank = |rule: &Named<'_, VirtualService>| {
            let (to, at_home) = (&rule.spec.export_to, rule.metadata().namespace == own);
            if to.is_empty() || to.iter().any(|to| to == "*") {
                return Some(2);
            }
            let exported = to.iter().any(|to| to == own || at_home && to == ".");
            exported.then_some(if at_home { 0 } else { 1 })
        };
        let mut rules: Vec<_> = self.virtual_services.clone();
        rules.retain(|rule| rank(rule).is_some());
        rules.sort_by_key(rank);
        rules
    }
}
