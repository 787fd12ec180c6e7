//! Which DestinationRule applies to a service, for one client.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Policy, PolicyBlocks};
use super::clusters::selects;
use super::registry::{Named, ROOT_NAMESPACE};
use crate::client::Client;
use crate::host;
use crate::object::destination_rule::{DestinationRule, Subset, TrafficPolicy};
use crate::policy::hash::HashKey;

fn hash_key(policy: &TrafficPolicy) -> Option<&HashKey> {
    policy.load_balancer.as_ref()?.value.hash.as_ref()
}

/// All DestinationRules of a mesh by namespace.
#[derive(Default)]
pub(crate) struct DestinationRules<'a> {
    by_namespace: BTreeMap<&'a str, Vec<Rule<'a>>>,
}

/// A rule with its full host. Unlike the hosts of a VirtualService it is compared with regard to case.
struct Rule<'a> {
    host: String,
    export_to: BTreeSet<&'a str>,
    rule: Named<'a, DestinationRule>,
}

/// Rules of one namespace for one host that istiod makes one rule of; the first says to whom it is exported.
struct Merge<'a> {
    export_to: BTreeSet<&'a str>,
    selector: Option<&'a BTreeMap<String, String>>,
    rules: Vec<Named<'a, DestinationRule>>,
}

/// What applies to a service: subsets, and the policy of the whole, each with the rule that it is in.
#[derive(Default)]
pub(crate) struct MergedRule<'a> {
    pub(crate) subsets: Vec<Named<'a, Subset>>,
    policy: Option<Policy<'a>>,
}

impl<'a> DestinationRules<'a> {
    /// `rules` oldest first.
    pub(crate) fn new(rules: impl Iterator<Item = Named<'a, DestinationRule>>) -> Self {
        let mut by_namespace: BTreeMap<&str, Vec<Rule<'_>>> = BTreeMap::new();
        for rule in rules {
            let namespace = rule.metadata().namespace.as_str();
            // A rule for some workloads of its namespace never leaves it.
            let export_to = match &rule.spec.workload_selector {
                Some(_) => BTreeSet::from(["."]),
                None => rule.spec.export_to.iter().map(String::as_str).collect(),
            };
            by_namespace.entry(namespace).or_default().push(Rule {
                host: host::complete(&rule.spec.host.value, namespace),
                export_to,
                rule,
            });
        }
        for rules in by_namespace.values_mut() {
            rules.sort_by_key(|rule| rule.rule.spec.workload_selector.is_none());
        }
        DestinationRules { by_namespace }
    }

    /// The rule for a service that lives in namespace `owner`: of the client's namespace, else of `owner`, else of the
    /// root namespace. The first namespace with any that matches ends the search (istiod's `destinationRule`).
    pub(crate) fn find(&self, client: &Client, owner: &str, service: &str) -> MergedRule<'a> {
        let own = client.namespace.as_str();
        let at_home = self.merges(own, service, |rule| {
            if own == ROOT_NAMESPACE {
                // Public rules of the root namespace are for everybody: they come last.
                return rule.is_private(own);
            }
            rule.export_to.is_empty() || ["*", ".", own].iter().any(|to| rule.export_to.contains(to))
        });
        let exported = |namespace: &str| {
            // The most specific host is found first, then it is looked whether it is exported to this client.
            let mut merges = self.merges(namespace, service, |rule| !rule.is_private(namespace));
            merges.retain(|merge| {
                let to = &merge.export_to;
                to.is_empty() || to.contains("*") || to.contains(own)
            });
            merges
        };
        let namespaces = [owner, ROOT_NAMESPACE].into_iter().map(exported);
        let found = std::iter::once(at_home)
            .chain(namespaces)
            .find(|merges| !merges.is_empty());
        found
            .and_then(|merges| choose(merges, client))
            .map(|merge| merge.into_rule())
            .unwrap_or_default()
    }

    /// Whether any rule anywhere defines the subset for this service.
    pub(crate) fn defines_subset(&self, service: &str, subset: &str) -> bool {
        let mut rules = self.by_namespace.values().flatten();
        rules.any(|rule| {
            let mut subsets = rule.rule.spec.subsets.iter();
            host::covers(&rule.host, service) && subsets.any(|other| other.name.value == subset)
        })
    }

    /// The rules of a namespace that `seen` lets pass for the most specific host that covers the service, merged.
    fn merges(&self, namespace: &str, service: &str, seen: impl Fn(&Rule<'a>) -> bool) -> Vec<Merge<'a>> {
        let rules = self.by_namespace.get(namespace).into_iter().flatten();
        let rules: Vec<&Rule<'a>> = rules
            .filter(|rule| host::covers(&rule.host, service) && seen(rule))
            .collect();
        let best = rules
            .iter()
            .map(|rule| rule.host.as_str())
            .max_by_key(|host| host::specificity(host));
        merge(rules.into_iter().filter(|rule| Some(rule.host.as_str()) == best))
    }
}

impl Rule<'_> {
    /// Exported to its own namespace and to no other.
    fn is_private(&self, namespace: &str) -> bool {
        self.export_to.len() == 1 && (self.export_to.contains(".") || self.export_to.contains(namespace))
    }
}

/// Rules for one host. A rule joins those before it that are exported to the same namespaces, or to fewer; whether it
/// also stands on its own is decided by the last one it was compared with (istiod's `mergeDestinationRule`).
fn merge<'r, 'a: 'r>(rules: impl Iterator<Item = &'r Rule<'a>>) -> Vec<Merge<'a>> {
    let mut merges: Vec<Merge<'a>> = Vec::new();
    for rule in rules {
        let selector = rule.rule.spec.workload_selector.as_ref();
        let mut alone = true;
        for merge in &mut merges {
            let wider = !merge.export_to.is_empty() && rule.export_to.is_superset(&merge.export_to);
            let same = rule.export_to == merge.export_to;
            let other_selector = selector.is_some() && merge.selector.is_some() && selector != merge.selector;
            if other_selector || !(same || wider) {
                alone = true;
                continue;
            }
            alone = !same && selector != merge.selector;
            merge.rules.push(rule.rule);
        }
        if alone {
            merges.push(Merge {
                export_to: rule.export_to.clone(),
                selector,
                rules: vec![rule.rule],
            });
        }
    }
    merges
}

/// The first whose selector finds the client, else the last without a selector.
fn choose<'a>(merges: Vec<Merge<'a>>, client: &Client) -> Option<Merge<'a>> {
    let mut for_all = None;
    for merge in merges {
        match merge.selector {
            None => for_all = Some(merge),
            Some(selector) if selects(selector, &client.labels) => return Some(merge),
            Some(_) => {}
        }
    }
    for_all
}

impl<'a> Merge<'a> {
    /// Subsets are united, the first of a name wins; the first policy wins whole.
    fn into_rule(self) -> MergedRule<'a> {
        let mut merged = MergedRule::default();
        for rule in self.rules {
            for subset in &rule.spec.subsets {
                if merged.subset(&subset.name.value).is_none() {
                    merged.subsets.push(Named {
                        object: rule.object,
                        spec: subset,
                    });
                }
            }
            let policy = || rule.part(|rule| rule.traffic_policy.as_deref());
            merged.policy = merged.policy.or_else(policy);
        }
        merged
    }
}

impl<'a> MergedRule<'a> {
    fn subset(&self, name: &str) -> Option<Named<'a, Subset>> {
        let mut subsets = self.subsets.iter();
        subsets.find(|subset| subset.spec.name.value == name).copied()
    }

    /// What applies to one port of the service, or to a subset of it. A setting for the port replaces the rule's policy
    /// whole; a block that the subset gives replaces that one's block whole; a setting for the port in the subset
    /// replaces everything but the retry budget (istiod's `applyDestinationRule`, `MergeSubsetTrafficPolicy`).
    pub(crate) fn policy(&self, port: u16, subset: Option<Named<'a, Subset>>) -> PolicyBlocks<'a> {
        let base = self.policy.map(|policy| of_port(policy, port).unwrap_or(policy));
        let budget_of = |policy: Option<Policy<'a>>| policy?.part(|policy| policy.retry_budget.as_ref());
        let own = subset.and_then(|subset| subset.part(|subset| subset.traffic_policy.as_ref()));
        if let Some(policy) = own.and_then(|own| of_port(own, port)) {
            return PolicyBlocks::new(&[policy], budget_of(base));
        }
        let policies: Vec<Policy<'a>> = own.into_iter().chain(base).collect();
        PolicyBlocks::new(&policies, budget_of(own).or(budget_of(base)))
    }

    /// What is hashed for a destination of a VirtualService; settings for a port count only if it names the port.
    pub(crate) fn hash_of_destination(&self, port: Option<u16>, subset: Option<&str>) -> Option<&'a HashKey> {
        let subset = subset.and_then(|name| self.subset(name));
        let policies = [
            subset.and_then(|subset| subset.spec.traffic_policy.as_ref()),
            self.policy.map(|policy| policy.spec),
        ];
        let mut found = policies.into_iter().flatten().flat_map(|policy| {
            let for_port = port.and_then(|port| policy.for_port(port));
            for_port.into_iter().chain([policy])
        });
        found.find_map(hash_key)
    }

    /// What is hashed for a service without a VirtualService.
    pub(crate) fn hash_of_service(&self, port: u16) -> Option<&'a HashKey> {
        let policy = self.policy?.spec;
        hash_key(policy.for_port(port).unwrap_or(policy))
    }

    /// The subset's `version` label, else its name.
    pub(crate) fn version(&self, name: &str) -> String {
        let subset = self.subset(name);
        subset
            .and_then(|subset| subset.spec.labels.get("version"))
            .map_or(name, String::as_str)
            .to_owned()
    }
}

/// What a policy says for one port.
fn of_port(policy: Policy<'_>, port: u16) -> Option<Policy<'_>> {
    policy.part(|policy| policy.for_port(port))
}
