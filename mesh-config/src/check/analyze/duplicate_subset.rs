//! Subsets that several DestinationRules define for one host.

use std::collections::BTreeMap;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{self, Facts, Findings};
use crate::check::json::Json;

static TWICE: Check = Check {
    code: "TL0413",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a subset that two DestinationRules define for one host",
    why: "istiod puts the rules of a namespace for one host together: of two subsets of one name the older rule's counts.",
    fix: "Remove one of the two.",
    istioctl: Istioctl::Never,
};

static POLICIES: Check = Check {
    code: "TL0414",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "two DestinationRules with a policy for one host",
    why: "istiod puts the rules of a namespace for one host together: the policy of the older one counts, the other is not used.",
    fix: "Put the policies into one rule.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&TWICE, &POLICIES],
    run,
};

fn run(all: &Facts<'_>, findings: &mut Findings) {
    let mut subsets: BTreeMap<(String, &str, &str), String> = BTreeMap::new();
    let mut policies: BTreeMap<(String, &str), String> = BTreeMap::new();
    // A rule for some clients stands beside those for all.
    for rule in all
        .destination_rules
        .iter()
        .filter(|rule| !rule.spec.has("workloadSelector"))
    {
        let host = facts::full(rule.spec.text("host").unwrap_or_default(), rule.namespace());
        for (index, subset) in rule.spec.list("subsets").iter().enumerate() {
            let Some(name) = subset.text("name") else { continue };
            let key = (host.clone(), rule.namespace(), name);
            if let Some(other) = subsets.get(&key).filter(|other| **other != rule.name()) {
                let message = format!("{other} defines a subset `{name}` of this host, too");
                findings.add(
                    &TWICE,
                    rule.object,
                    &format!("/spec/subsets/{index}/name"),
                    message,
                    None,
                );
            }
            subsets.entry(key).or_insert_with(|| rule.name());
        }
        if rule.spec.has("trafficPolicy") {
            let key = (host, rule.namespace());
            if let Some(other) = policies.get(&key) {
                let message = format!("{other} has a policy for this host, too");
                findings.add(&POLICIES, rule.object, "/spec/trafficPolicy", message, None);
            }
            policies.entry(key).or_insert_with(|| rule.name());
        }
    }
}
