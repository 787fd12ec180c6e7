//! Fields that still work and should not be used. Source: istioctl's `DeprecationAnalyzer`.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;

static PERCENT: Check = Check {
    code: "TL0318",
    istio: Some("IST0002"),
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "`percent` of a delay is deprecated",
    why: "It knows whole percents only.",
    fix: "Write `percentage: {value: 5}`.",
    istioctl: Istioctl::Files,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&PERCENT],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        for (index, http) in rule.spec.list("http").iter().enumerate() {
            if let Some(percent) = http["fault"]["delay"]
                .number("percent")
                .filter(|percent| *percent > 0)
            {
                let pointer = format!("/spec/http/{index}/fault/delay/percent");
                let advice = format!("write `percentage: {{value: {percent}}}`");
                findings.add(
                    &PERCENT,
                    rule.object,
                    &pointer,
                    "this field is deprecated",
                    Some(advice),
                );
            }
        }
    }
}
