//! Outlier detection that cannot eject anybody.

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::hosts::Host;
use crate::check::facts::{Facts, Findings, Policy, Rule};
use crate::check::json::Json;

static NEVER: Check = Check {
    code: "TL0422",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "outlier detection that can never eject",
    why: "Envoy ejects an endpoint only if 100 x ejected / endpoints stays within maxEjectionPercent, which is 10 by default: of fewer than ten endpoints it ejects none.",
    fix: "Raise `maxEjectionPercent`: 50 lets one of two go, 100 all.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NEVER],
    run,
};

/// Istio's default.
const PERCENT: u64 = 10;

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for (rule, host) in facts.rules_of_hosts() {
        for policy in rule.policies() {
            look(facts, rule, host, &policy, findings);
        }
    }
}

fn look(facts: &Facts<'_>, rule: &Rule<'_>, host: &Host<'_>, policy: &Policy<'_>, findings: &mut Findings) {
    let detection = &policy.spec["outlierDetection"];
    let percent = detection
        .number("maxEjectionPercent")
        .filter(|percent| *percent > 0)
        .unwrap_or(PERCENT);
    let Some(endpoints) = endpoints(facts, host, policy.subset) else {
        return;
    };
    if detection.is_null() || endpoints == 0 || 100 <= percent * endpoints {
        return;
    }
    let who = policy
        .subset
        .text("name")
        .map_or_else(|| "the host".to_owned(), |name| format!("the subset `{name}`"));
    let message =
        format!("{who} has {endpoints} endpoints, and {percent} % of that is nobody: none is ever ejected");
    let least = 100_u64.div_ceil(endpoints);
    let advice = format!("`maxEjectionPercent: {least}` lets one go");
    let pointer = format!("{}/outlierDetection", policy.pointer);
    findings.add(&NEVER, rule.object, &pointer, message, Some(advice));
}

/// How many endpoints there are; `None` if that is not written down.
fn endpoints(facts: &Facts<'_>, host: &Host<'_>, subset: &Value) -> Option<u64> {
    host.selector.as_ref()?;
    let labels = subset.labels("labels");
    let behind = facts.behind(host).filter(|pod| pod.has(&labels));
    behind.map(|pod| pod.replicas).sum()
}
