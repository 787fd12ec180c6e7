//! DestinationRules for hosts that do not exist. Source: istioctl's `PodNotSelectedAnalyzer`; unlike it, this knows of
//! wildcard hosts.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;

static UNKNOWN: Check = Check {
    code: "TL0317",
    istio: Some("IST0174"),
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a DestinationRule for a host that does not exist",
    why: "Its subsets and policies are for nobody.",
    fix: "Correct the host, or add the Service or ServiceEntry (and its folder to -f).",
    istioctl: Istioctl::Cluster,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&UNKNOWN],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.destination_rules {
        let Some(name) = rule.spec.text("host") else {
            continue;
        };
        if !facts.has_host(rule, name) {
            let message = format!("the host `{name}` does not exist");
            let advice = if facts.hosts.is_empty() {
                Some("there are no Services here; name their folder with -f, too".to_owned())
            } else {
                facts.hosts.advice(name, rule.namespace())
            };
            findings.add(&UNKNOWN, rule.object, "/spec/host", message, advice);
        }
    }
}
