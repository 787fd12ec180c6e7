//! Copies that are not made.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;

static ONE_DRAW: Check = Check {
    code: "TL0427",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "`mirrorPercent` beside weights",
    why: "Envoy draws one number for both: the copies are all of requests to the first destinations, and if those fail, of none.",
    fix: "Write `mirrorPercentage`, which is drawn by itself.",
    istioctl: Istioctl::Never,
};

static NONE: Check = Check {
    code: "TL0428",
    istio: None,
    severity: Severity::Info,
    layer: Layer::Analysis,
    what: "a share of copies without a mirror",
    why: "Without `mirror` no copies are made; those in `mirrors` have shares of their own.",
    fix: "Add `mirror`, or remove the percentage.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&ONE_DRAW, &NONE],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        for (index, http) in rule.spec.list("http").iter().enumerate() {
            let fields = ["mirrorPercentage", "mirrorPercent", "mirror_percent"];
            let Some(field) = fields.into_iter().find(|field| http.has(field)) else {
                continue;
            };
            let pointer = format!("/spec/http/{index}/{field}");
            if !http.has("mirror") {
                findings.add(
                    &NONE,
                    rule.object,
                    &pointer,
                    "there is no `mirror` for this share",
                    None,
                );
                continue;
            }
            let weights = http
                .list("route")
                .iter()
                .filter_map(|route| route.number("weight"))
                .filter(|weight| *weight > 0);
            let (count, total) = (weights.clone().count(), weights.sum::<u64>());
            // The draw is of hundred, as that of the weights.
            if let Some(percent) = http.number(field).filter(|percent| (1..100).contains(percent))
                && count > 1
                && total == 100
            {
                let message = "this share and the weights are decided by one draw";
                let advice = format!("write `mirrorPercentage: {{value: {percent}}}`");
                findings.add(&ONE_DRAW, rule.object, &pointer, message, Some(advice));
            }
        }
    }
}
