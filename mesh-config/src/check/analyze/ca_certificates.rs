//! TLS to a server whose certificate nobody looks at. Source: istioctl's `CaCertificateAnalyzer`.

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings, Rule};
use crate::check::json::Json;

const WHY: &str = "Without caCertificates the proxy takes the operating system's authorities, and before Istio 1.22 it verified nothing.";
const FIX: &str = "Name the authorities' file in `caCertificates`, or `system`.";

static RULE: Check = Check {
    code: "TL0312",
    istio: Some("IST0128"),
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "TLS without caCertificates in a rule's policy",
    why: WHY,
    fix: FIX,
    istioctl: Istioctl::Files,
};

static PORT: Check = Check {
    code: "TL0313",
    istio: Some("IST0129"),
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "TLS without caCertificates in the policy of a port",
    why: WHY,
    fix: FIX,
    istioctl: Istioctl::Files,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&RULE, &PORT],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.destination_rules {
        let policy = &rule.spec["trafficPolicy"];
        look(rule, &policy["tls"], &RULE, "/spec/trafficPolicy/tls", findings);
        for (index, port) in policy.list("portLevelSettings").iter().enumerate() {
            let pointer = format!("/spec/trafficPolicy/portLevelSettings/{index}/tls");
            look(rule, &port["tls"], &PORT, &pointer, findings);
        }
    }
}

fn look(rule: &Rule<'_>, tls: &Value, check: &'static Check, pointer: &str, findings: &mut Findings) {
    let given = |name: &str| tls.text(name).is_some_and(|text| !text.is_empty());
    let fetched = given("credentialName") && rule.spec.has("workloadSelector");
    if let Some(mode @ ("SIMPLE" | "MUTUAL")) = tls.text("mode")
        && !given("caCertificates")
        && !fetched
    {
        let host = rule.spec.text("host").unwrap_or_default();
        let message = format!("TLS mode {mode} without `caCertificates` for `{host}`");
        findings.add(check, rule.object, &format!("{pointer}/mode"), message, None);
    }
}
