//! Faults that never happen, and what stands beside them in vain.

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;

static NEVER: Check = Check {
    code: "TL0425",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a fault for no request",
    why: "Without `percentage` a fault is for 0 % of the requests; without a time or a status nothing is injected.",
    fix: "Add `percentage: {value: 100}`.",
    istioctl: Istioctl::Never,
};

static RETRIED: Check = Check {
    code: "TL0426",
    istio: None,
    severity: Severity::Info,
    layer: Layer::Analysis,
    what: "retries beside an abort",
    why: "Faults are injected before a request is sent: aborted requests are not tried again, whatever `retries` says.",
    fix: "Inject the fault at the service that is called, to see retries at work.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NEVER, &RETRIED],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        for (index, http) in rule.spec.list("http").iter().enumerate() {
            let pointer = format!("/spec/http/{index}");
            let fault = &http["fault"];
            for (name, what) in [
                ("delay", ["fixedDelay"].as_slice()),
                ("abort", &["httpStatus", "grpcStatus"]),
            ] {
                if let Some(message) = fault.has(name).then(|| never(name, &fault[name], what)).flatten() {
                    findings.add(
                        &NEVER,
                        rule.object,
                        &format!("{pointer}/fault/{name}"),
                        message,
                        None,
                    );
                }
            }
            let attempts = http["retries"].number("attempts").unwrap_or(0);
            if fault.has("abort") && attempts > 0 {
                let message = "requests that the fault aborts are not tried again";
                findings.add(
                    &RETRIED,
                    rule.object,
                    &format!("{pointer}/retries"),
                    message,
                    None,
                );
            }
        }
    }
}

/// Why a fault never happens.
fn never(name: &str, fault: &Value, what: &[&str]) -> Option<String> {
    if !what.iter().any(|field| fault.has(field)) {
        return Some(format!(
            "this {name} says neither {}: nothing is injected",
            what.join(" nor ")
        ));
    }
    let share = match fault.has("percentage") {
        true => fault["percentage"]["value"].as_f64().unwrap_or(0.0),
        #[allow(clippy::cast_precision_loss)] // a percentage
        false => fault.number("percent").unwrap_or(0) as f64,
    };
    (share == 0.0).then(|| format!("this {name} is for 0 % of the requests"))
}
