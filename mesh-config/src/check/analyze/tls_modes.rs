//! Plain text to workloads that take none.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::hosts::Host;
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;

static PLAIN: Check = Check {
    code: "TL0434",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "plain text to workloads that want mutual TLS",
    why: "The caller's sidecar sends plain text, and the PeerAuthentication of the workload is STRICT: connections are closed, requests are answered 503, flag UC.",
    fix: "Remove `tls` (istiod then chooses ISTIO_MUTUAL by itself), or set PeerAuthentication to PERMISSIVE.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&PLAIN],
    run,
};

/// What is in this namespace is for all.
const ROOT: &str = "istio-system";

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for (rule, host) in facts.rules_of_hosts() {
        for policy in rule.policies() {
            if policy.spec["tls"].text("mode") != Some("DISABLE") || host.object.kind != "Service" {
                continue;
            }
            if let Some(strict) = strict(facts, host) {
                let message = format!("{strict} asks for mutual TLS, and this switches it off");
                findings.add(
                    &PLAIN,
                    rule.object,
                    &format!("{}/tls/mode", policy.pointer),
                    message,
                    None,
                );
            }
        }
    }
}

/// The PeerAuthentication that wants mutual TLS of the workloads of a host: the one for them, else that of their
/// namespace, else that of the mesh decides.
fn strict(facts: &Facts<'_>, host: &Host<'_>) -> Option<String> {
    let namespace = host.object.metadata.namespace.as_str();
    let mut narrowest: Option<(u8, String, bool)> = None;
    for rule in facts.of_kind("PeerAuthentication") {
        let labels = rule.spec["selector"].labels("matchLabels");
        let rank = match (rule.namespace() == namespace, labels.is_empty()) {
            (true, false) if of_host(facts, host, &labels) => 3,
            (true, true) => 2,
            (false, true) if rule.namespace() == ROOT => 1,
            _ => continue,
        };
        let mode = mode(rule.spec);
        if mode.is_some() && narrowest.as_ref().is_none_or(|(other, ..)| rank > *other) {
            narrowest = Some((
                rank,
                format!("PeerAuthentication {}", rule.name()),
                mode == Some("STRICT"),
            ));
        }
    }
    narrowest.filter(|(.., strict)| *strict).map(|(_, name, _)| name)
}

/// `mtls.mode`; unset leaves it to the wider ones.
fn mode(spec: &Value) -> Option<&str> {
    spec["mtls"].text("mode").filter(|mode| *mode != "UNSET")
}

fn of_host(facts: &Facts<'_>, host: &Host<'_>, labels: &BTreeMap<&str, &str>) -> bool {
    facts.behind(host).any(|pod| pod.has(labels))
}
