//! What the objects together say, in the form in which analyses ask for it.

pub(crate) mod hosts;
pub(crate) mod pods;
pub(crate) mod targets;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::catalogue::Check;
use super::json::Json;
use crate::host;
use crate::object::Object;
use crate::problem::Problem;
use hosts::{Host, Hosts};
use pods::{Pod, Pods};

/// A gateway that stands for all sidecars.
pub(crate) const MESH: &str = "mesh";

/// An object of Istio's with its `spec`.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'a> {
    pub(crate) object: &'a Object,
    pub(crate) spec: &'a Value,
}

/// A `trafficPolicy` of a DestinationRule.
pub(crate) struct Policy<'a> {
    /// Its place, such as `/spec/subsets/0/trafficPolicy`.
    pub(crate) pointer: String,
    pub(crate) spec: &'a Value,
    /// The subset whose own it is; null: it is for the host.
    pub(crate) subset: &'a Value,
}

/// Everything that there is.
pub(crate) struct Facts<'a> {
    pub(crate) virtual_services: Vec<Rule<'a>>,
    pub(crate) destination_rules: Vec<Rule<'a>>,
    pub(crate) gateways: Vec<Rule<'a>>,
    /// Services and ServiceEntries.
    pub(crate) hosts: Hosts<'a>,
    /// DestinationRules by their full hosts in lower case; those with a `*` beside them.
    rules: BTreeMap<String, Vec<Rule<'a>>>,
    wildcards: Vec<(String, Rule<'a>)>,
    /// One for each template of pods and each endpoint that is not a pod.
    pub(crate) pods: Pods<'a>,
    /// All other objects, too.
    pub(crate) objects: Vec<&'a Object>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(objects: Vec<&'a Object>) -> Self {
        let of_kind = |kind: &str| {
            let found = objects
                .iter()
                .filter(|object| object.kind == kind && is_istios(object));
            found.map(|object| Rule::new(object)).collect()
        };
        let destination_rules: Vec<Rule<'a>> = of_kind("DestinationRule");
        let mut rules: BTreeMap<String, Vec<Rule<'a>>> = BTreeMap::new();
        let mut wildcards = Vec::new();
        for rule in &destination_rules {
            let named = rule.spec.text("host").unwrap_or_default();
            let full = full(named, rule.namespace());
            if full.starts_with('*') {
                wildcards.push((full, *rule));
            } else {
                rules.entry(full).or_default().push(*rule);
            }
        }
        Facts {
            virtual_services: of_kind("VirtualService"),
            destination_rules,
            gateways: of_kind("Gateway"),
            hosts: Hosts::new(&objects),
            rules,
            wildcards,
            pods: Pods::new(&objects),
            objects,
        }
    }

    /// The DestinationRules for a host, given in full and in lower case.
    pub(crate) fn rules_for(&self, host: &str) -> impl Iterator<Item = &Rule<'a>> {
        let wildcards = self
            .wildcards
            .iter()
            .filter(move |(wildcard, _)| host::covers(wildcard, host));
        let plain = self.rules.get(host).into_iter().flatten();
        plain.chain(wildcards.map(|(_, rule)| rule))
    }

    /// The host that a rule means by a name, among those that whoever has the rule sees.
    pub(crate) fn host(&self, rule: &Rule<'a>, name: &str) -> Option<&Host<'a>> {
        self.hosts
            .find(name, rule.namespace(), &rule.spec.texts("exportTo"))
    }

    /// Whether a rule's name, which may be a wildcard, means any host.
    pub(crate) fn has_host(&self, rule: &Rule<'a>, name: &str) -> bool {
        match name.starts_with('*') {
            true => self.hosts.any_within(name),
            false => self.host(rule, name).is_some(),
        }
    }

    /// The DestinationRules whose host there is.
    pub(crate) fn rules_of_hosts(&self) -> impl Iterator<Item = (&Rule<'a>, &Host<'a>)> {
        self.destination_rules
            .iter()
            .filter_map(|rule| Some((rule, self.host(rule, rule.spec.text("host").unwrap_or_default())?)))
    }

    /// The pods that the selector of a host finds; none if it has no selector.
    pub(crate) fn behind(&self, host: &Host<'_>) -> impl Iterator<Item = &Pod<'a>> {
        let selector = host.selector.as_ref().into_iter();
        selector.flat_map(|selector| self.pods.behind(&host.object.metadata.namespace, selector))
    }

    /// Objects of a kind that has no place of its own here.
    pub(crate) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = Rule<'a>> {
        let found = self.objects.iter().filter(move |object| object.kind == kind);
        found.map(|object| Rule::new(object))
    }

    /// The namespaces in which anything is, and those that are objects here.
    pub(crate) fn namespaces(&self) -> BTreeSet<&'a str> {
        let named = self.objects.iter().filter(|object| object.kind == "Namespace");
        let used = self
            .objects
            .iter()
            .map(|object| object.metadata.namespace.as_str());
        named
            .map(|object| object.metadata.name.as_str())
            .chain(used)
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// The Gateway that a rule of `namespace` names `NAMESPACE/NAME` or `NAME`.
    pub(crate) fn gateway(&self, name: &str, namespace: &str) -> Option<Rule<'a>> {
        let (namespace, name) = name.split_once('/').unwrap_or((namespace, name));
        let mut gateways = self.gateways.iter();
        gateways
            .find(|gateway| gateway.namespace() == namespace && gateway.object.metadata.name == name)
            .copied()
    }
}

/// The full name that a rule of a namespace means, in lower case.
pub(crate) fn full(name: &str, namespace: &str) -> String {
    host::complete(name, namespace).to_lowercase()
}

/// Kubernetes has a Gateway, too.
fn is_istios(object: &Object) -> bool {
    object.api_version.starts_with("networking.istio.io/")
}

impl<'a> Rule<'a> {
    fn new(object: &'a Object) -> Self {
        Rule {
            object,
            spec: &object.content()["spec"],
        }
    }

    pub(crate) fn namespace(&self) -> &'a str {
        &self.object.metadata.namespace
    }

    /// `namespace/name`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.namespace(), self.object.metadata.name)
    }

    /// Whether sidecars have it: it names no gateway, or `mesh`.
    pub(crate) fn is_for_mesh(&self) -> bool {
        let gateways = self.spec.texts("gateways");
        gateways.is_empty() || gateways.contains(&MESH)
    }

    /// The policies of a DestinationRule, those of its subsets included; null where there is none.
    pub(crate) fn policies(&self) -> impl Iterator<Item = Policy<'a>> {
        let own = Policy {
            pointer: "/spec/trafficPolicy".to_owned(),
            spec: &self.spec["trafficPolicy"],
            subset: &Value::Null,
        };
        let subsets = self.spec.list("subsets").iter().enumerate();
        let of_subsets = subsets.map(|(index, subset)| Policy {
            pointer: format!("/spec/subsets/{index}/trafficPolicy"),
            spec: &subset["trafficPolicy"],
            subset,
        });
        [own].into_iter().chain(of_subsets)
    }

    /// `exportTo` with names for `.`; empty: everybody.
    pub(crate) fn exported_to(&self) -> Vec<&'a str> {
        let names = self.spec.texts("exportTo");
        if names.contains(&"*") {
            return Vec::new();
        }
        let own = |name: &'a str| if name == "." { self.namespace() } else { name };
        names.into_iter().map(own).collect()
    }
}

/// What analyses find.
#[derive(Default)]
pub(crate) struct Findings(pub(crate) Vec<Problem>);

impl Findings {
    /// Adds a finding at the place of a JSON pointer (`/spec/http/0`) in an object.
    pub(crate) fn add(
        &mut self,
        check: &'static Check,
        object: &Object,
        pointer: &str,
        message: impl Into<String>,
        advice: Option<String>,
    ) {
        let mark = object.mark_at(pointer);
        self.0.push(object.problem(check, mark, message.into(), advice));
    }
}
