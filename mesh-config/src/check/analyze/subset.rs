//! Destinations whose subset no DestinationRule defines. Source: istioctl's `DestinationRuleAnalyzer`; unlike it, this
//! knows of wildcard hosts and of `exportTo`.

use std::collections::BTreeSet;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{self, Facts, Findings, Rule, targets};
use crate::check::json::Json;
use crate::text::similar;

/// A destination names a subset that no rule defines.
pub(crate) static UNKNOWN: Check = Check {
    code: "TL0302",
    istio: Some("IST0101"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a subset that no DestinationRule defines",
    why: "Requests that come here are answered 503, flag NC.",
    fix: "Define the subset in a DestinationRule for the host, or correct its name.",
    istioctl: Istioctl::Files,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&UNKNOWN],
    run,
};

fn run(all: &Facts<'_>, findings: &mut Findings) {
    for rule in &all.virtual_services {
        for target in targets::of(rule) {
            let Some(subset) = target.subset else { continue };
            let full = facts::full(target.host, rule.namespace());
            let known = defined(all, &full, rule.namespace());
            if known.contains(subset) {
                continue;
            }
            let what = if target.mirror { ", where copies go" } else { "" };
            let message = format!(
                "no DestinationRule defines the subset `{subset}` of `{}`{what}",
                target.host
            );
            let names: Vec<&str> = known.into_iter().collect();
            let advice = similar::did_you_mean(subset, &names).or_else(|| {
                let list = names.join(", ");
                (!names.is_empty())
                    .then(|| format!("it has {list}; requests that come here would be answered 503"))
            });
            findings.add(
                &UNKNOWN,
                rule.object,
                &format!("{}/subset", target.pointer),
                message,
                advice,
            );
        }
    }
}

/// The subsets of a host that a rule of a namespace sees.
fn defined<'a>(all: &Facts<'a>, host: &str, namespace: &str) -> BTreeSet<&'a str> {
    let seen = |rule: &&Rule<'a>| {
        let exported = rule.exported_to();
        exported.is_empty() || exported.contains(&namespace)
    };
    let rules = all.rules_for(host).filter(seen);
    rules
        .flat_map(|rule| rule.spec.list("subsets"))
        .filter_map(|subset| subset.text("name"))
        .collect()
}
