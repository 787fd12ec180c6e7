//! `exportTo` with namespaces that do not exist.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;
use crate::text::similar;

static UNKNOWN: Check = Check {
    code: "TL0412",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "`exportTo` a namespace that is not there",
    why: "Nobody is in that namespace, so nobody has the rules because of it.",
    fix: "Correct the namespace, or add its objects (and their folder to -f).",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&UNKNOWN],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    let known = facts.namespaces();
    for rule in facts.virtual_services.iter().chain(&facts.destination_rules) {
        for (index, name) in rule.spec.texts("exportTo").into_iter().enumerate() {
            if matches!(name, "." | "*") || known.contains(name) {
                continue;
            }
            let names: Vec<&str> = known.iter().copied().collect();
            let advice = similar::did_you_mean(name, &names);
            let message = format!("nothing here is in the namespace `{name}`");
            findings.add(
                &UNKNOWN,
                rule.object,
                &format!("/spec/exportTo/{index}"),
                message,
                advice,
            );
        }
    }
}
