//! Consistent hashing that does not do what it is there for.

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{self, Facts, Findings, Rule, targets};
use crate::check::json::Json;

static NO_KEY: Check = Check {
    code: "TL0423",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "consistent hashing of nothing",
    why: "Without a key every request gets a random endpoint.",
    fix: "Add one of httpHeaderName, httpCookie, useSourceIp: true, httpQueryParameterName.",
    istioctl: Istioctl::Never,
};

static SPLIT: Check = Check {
    code: "TL0424",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "sticky sessions across weighted subsets",
    why: "The subset is drawn for every request; only then its endpoints are hashed. A client is not kept at one version.",
    fix: "Choose the version by a match (a header or cookie) instead of weights.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NO_KEY, &SPLIT],
    run,
};

fn run(all: &Facts<'_>, findings: &mut Findings) {
    for rule in &all.destination_rules {
        for (pointer, policy) in policies(rule) {
            let hash = &policy["loadBalancer"]["consistentHash"];
            if hash.is_object() && !has_key(hash) {
                let pointer = format!("{pointer}/loadBalancer/consistentHash");
                findings.add(&NO_KEY, rule.object, &pointer, "this hashes nothing", None);
            }
        }
    }
    for rule in &all.virtual_services {
        for (index, http) in rule.spec.list("http").iter().enumerate() {
            look_at_split(all, rule, http, index, findings);
        }
    }
}

/// The policies of a rule: its own, and those of its subsets and ports.
fn policies<'a>(rule: &Rule<'a>) -> Vec<(String, &'a Value)> {
    let own = rule.policies().map(|policy| (policy.pointer, policy.spec));
    let mut policies: Vec<(String, &Value)> = own.collect();
    let mut of_ports = Vec::new();
    for (pointer, policy) in &policies {
        for (index, port) in policy.list("portLevelSettings").iter().enumerate() {
            of_ports.push((format!("{pointer}/portLevelSettings/{index}"), port));
        }
    }
    policies.extend(of_ports);
    policies
}

fn has_key(hash: &Value) -> bool {
    hash.has("httpHeaderName")
        || hash.has("httpCookie")
        || hash.has("httpQueryParameterName")
        || hash["useSourceIp"].as_bool() == Some(true)
}

fn look_at_split(all: &Facts<'_>, rule: &Rule<'_>, http: &Value, index: usize, findings: &mut Findings) {
    let pointer = format!("/spec/http/{index}");
    let targets = targets::of_rule(http, &pointer);
    let weights = http
        .list("route")
        .iter()
        .filter(|route| route.number("weight").unwrap_or(0) > 0)
        .count();
    let Some(first) = targets.first().filter(|_| weights > 1) else {
        return;
    };
    let full = facts::full(first.host, rule.namespace());
    let sticky = all.rules_for(&full).find(|other| {
        let mut policies = policies(other).into_iter();
        policies.any(|(_, policy)| has_key(&policy["loadBalancer"]["consistentHash"]))
    });
    if let Some(sticky) = sticky {
        let message = format!(
            "{} hashes requests to keep clients at one endpoint, and this draws a version for each request",
            sticky.name()
        );
        findings.add(&SPLIT, rule.object, &format!("{pointer}/route"), message, None);
    }
}
