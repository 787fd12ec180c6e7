//! Routing by claims of tokens that nobody verifies. Source: istioctl's `JWTClaimRouteAnalyzer`.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings, MESH, Rule};
use crate::check::json::Json;
use crate::route::read_match::is_claim;

static UNVERIFIED: Check = Check {
    code: "TL0315",
    istio: Some("IST0149"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "routing by claims without RequestAuthentication",
    why: "No token is read at the gateway, so no claim ever matches.",
    fix: "Add a RequestAuthentication that selects the gateway's pods.",
    istioctl: Istioctl::Cluster,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&UNVERIFIED],
    run,
};

/// What is in this namespace is for all.
const ROOT: &str = "istio-system";

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        let Some((pointer, name)) = claim(rule) else {
            continue;
        };
        for gateway in rule
            .spec
            .texts("gateways")
            .into_iter()
            .filter(|name| *name != MESH)
        {
            let Some(found) = facts.gateway(gateway, rule.namespace()) else {
                continue;
            };
            if !is_verified(facts, &found) {
                let message = format!(
                    "no RequestAuthentication reads tokens at the Gateway `{gateway}`, so `{name}` never matches"
                );
                findings.add(&UNVERIFIED, rule.object, &pointer, message, None);
            }
        }
    }
}

/// The first condition on a claim, with its place.
fn claim<'a>(rule: &Rule<'a>) -> Option<(String, &'a str)> {
    for (index, http) in rule.spec.list("http").iter().enumerate() {
        for (block, matched) in http.list("match").iter().enumerate() {
            for field in ["headers", "withoutHeaders"] {
                let mut entries = matched.entries(field).into_iter();
                if let Some((name, _)) = entries.find(|(name, _)| is_claim(name)) {
                    let step = name.replace('~', "~0").replace('/', "~1");
                    return Some((format!("/spec/http/{index}/match/{block}/{field}/{step}"), name));
                }
            }
        }
    }
    None
}

/// Whether all pods of a gateway have a RequestAuthentication; if no pods are known, whether any is there at all.
fn is_verified(facts: &Facts<'_>, gateway: &Rule<'_>) -> bool {
    let selector = gateway.spec.labels("selector");
    let rules: Vec<Rule<'_>> = facts.of_kind("RequestAuthentication").collect();
    let mut pods = facts.pods.with(&selector).peekable();
    if pods.peek().is_none() {
        return !rules.is_empty();
    }
    pods.all(|pod| {
        let for_pod = |rule: &Rule<'_>| {
            (rule.namespace() == ROOT || rule.namespace() == pod.namespace)
                && pod.has(&rule.spec["selector"].labels("matchLabels"))
        };
        rules.iter().any(for_pod)
    })
}
