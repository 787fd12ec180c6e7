//! Rules for a gateway that go to a host as a whole, which another VirtualService splits. Source: istioctl's
//! `DestinationHostAnalyzer` (`IngressRouteRulesNotAffected`).

use std::collections::{BTreeMap, BTreeSet};

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{self, Facts, Findings, Rule, targets};
use crate::check::json::Json;

static UNSPLIT: Check = Check {
    code: "TL0314",
    istio: Some("IST0140"),
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a rule for a gateway past the split of its destination",
    why: "The rules of the destination's own VirtualService are for sidecars: what comes in through the gateway goes to all versions.",
    fix: "Name the gateway in that VirtualService, too, or repeat its subsets and weights here.",
    istioctl: Istioctl::Cluster,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&UNSPLIT],
    run,
};

fn run(all: &Facts<'_>, findings: &mut Findings) {
    let split = split_hosts(all);
    for rule in all
        .virtual_services
        .iter()
        .filter(|rule| !rule.spec.list("gateways").is_empty())
    {
        for (index, http) in rule.spec.list("http").iter().enumerate() {
            for target in targets::of_rule(http, &format!("/spec/http/{index}")) {
                if target.subset.is_some() {
                    continue;
                }
                let splits = split.get(&facts::full(target.host, rule.namespace()));
                let mut others = splits.into_iter().flatten();
                if let Some(other) = others.find(|other| other.object.key() != rule.object.key()) {
                    let message = format!(
                        "the subsets in {} do not count for what comes through this gateway",
                        other.name()
                    );
                    findings.add(
                        &UNSPLIT,
                        rule.object,
                        &format!("{}/host", target.pointer),
                        message,
                        None,
                    );
                }
            }
        }
    }
}

/// Hosts whose own VirtualService sends their requests to subsets of them.
fn split_hosts<'a>(all: &Facts<'a>) -> BTreeMap<String, Vec<Rule<'a>>> {
    let mut split: BTreeMap<String, Vec<Rule<'a>>> = BTreeMap::new();
    for rule in &all.virtual_services {
        let name = |name: &str| facts::full(name, rule.namespace());
        let own: BTreeSet<String> = rule.spec.texts("hosts").into_iter().map(name).collect();
        let targets = rule
            .spec
            .list("http")
            .iter()
            .flat_map(|http| targets::of_rule(http, ""));
        let targets = targets.filter(|target| target.subset.is_some());
        let to: BTreeSet<String> = targets.map(|target| name(target.host)).collect();
        for host in own.intersection(&to) {
            split.entry(host.clone()).or_default().push(*rule);
        }
    }
    split
}
