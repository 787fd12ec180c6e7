//! Retries that are dangerous, or do not happen.

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;
use crate::duration;

static NOT_IDEMPOTENT: Check = Check {
    code: "TL0429",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "retries of requests that may not be repeated",
    why: "Envoy retries whatever the method is. After a 5xx or a reset the first try may have been carried out: a payment is made twice.",
    fix: "Retry connect-failure and refused-stream only, or make the service know repeated requests (an idempotency key).",
    istioctl: Istioctl::Never,
};

static TOO_LONG: Check = Check {
    code: "TL0430",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "more tries than fit into the timeout",
    why: "`timeout` is for all tries together; those that begin after it never happen, and a perTryTimeout that is as long is ignored.",
    fix: "Let `timeout` be at least (attempts + 1) x perTryTimeout.",
    istioctl: Istioctl::Never,
};

static PER_TRY: Check = Check {
    code: "TL0431",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a perTryTimeout that ends the request",
    why: "A try that takes too long is tried again only if `retryOn` has 5xx, gateway-error or reset; otherwise the answer is 504.",
    fix: "Add `reset` to `retryOn`, or use `timeout`.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NOT_IDEMPOTENT, &TOO_LONG, &PER_TRY],
    run,
};

/// Conditions under which the first try may have been carried out.
const AFTERWARDS: [&str; 4] = ["5xx", "gateway-error", "reset", "retriable-status-codes"];

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        for (index, http) in rule.spec.list("http").iter().enumerate() {
            let retries = &http["retries"];
            if retries.number("attempts").unwrap_or(0) == 0 {
                continue;
            }
            for (check, field, message) in look(http, retries) {
                findings.add(
                    check,
                    rule.object,
                    &format!("/spec/http/{index}/retries/{field}"),
                    message,
                    None,
                );
            }
        }
    }
}

fn look(http: &Value, retries: &Value) -> Vec<(&'static Check, &'static str, String)> {
    let mut said = Vec::new();
    let words: Vec<&str> = retries.text("retryOn").unwrap_or_default().split(',').collect();
    let afterwards = words
        .iter()
        .find(|word| AFTERWARDS.contains(word) || word.parse::<u16>().is_ok());
    if let (Some(word), Some(method)) = (afterwards, unsafe_method(http)) {
        let message = format!("`{word}` retries {method} requests that may have been carried out");
        said.push((&NOT_IDEMPOTENT, "retryOn", message));
    }
    let Some(per_try) = retries.text("perTryTimeout").and_then(duration::parse) else {
        return said;
    };
    let tries = i64::try_from(retries.number("attempts").unwrap_or(0))
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    if let Some(timeout) = http.text("timeout").and_then(duration::parse)
        && per_try.saturating_mul(tries) > timeout
    {
        let written = (
            retries.text("perTryTimeout").unwrap_or_default(),
            http.text("timeout").unwrap_or_default(),
        );
        let message = format!(
            "{tries} tries of {} do not fit into the timeout of {}",
            written.0, written.1
        );
        said.push((&TOO_LONG, "perTryTimeout", message));
    }
    if !words
        .iter()
        .any(|word| ["5xx", "gateway-error", "reset"].contains(word))
    {
        said.push((
            &PER_TRY,
            "perTryTimeout",
            "a try that takes too long is not tried again".to_owned(),
        ));
    }
    said
}

/// A method that a match of the rule names, by which requests are not to be repeated.
fn unsafe_method(http: &Value) -> Option<&str> {
    let methods = http
        .list("match")
        .iter()
        .filter_map(|block| block["method"].text("exact"));
    methods
        .into_iter()
        .find(|method| matches!(*method, "POST" | "PATCH"))
}

#[cfg(test)]
mod tests {
    use super::look;
    use serde_json::{Value, json};

    fn codes(http: &Value) -> Vec<&'static str> {
        look(http, &http["retries"])
            .into_iter()
            .map(|said| said.0.code)
            .collect()
    }

    #[test]
    fn only_retries_that_may_repeat_or_not_happen_are_told() {
        let post = json!([{"method": {"exact": "POST"}}]);
        let get = json!([{"method": {"exact": "GET"}}]);
        for (matches, retries, timeout, expected) in [
            (
                &post,
                json!({"attempts": 2, "retryOn": "5xx"}),
                "10s",
                vec!["TL0429"],
            ),
            (
                &post,
                json!({"attempts": 2, "retryOn": "connect-failure,refused-stream"}),
                "10s",
                vec![],
            ),
            (&get, json!({"attempts": 2, "retryOn": "5xx"}), "10s", vec![]),
            (
                &get,
                json!({"attempts": 2, "retryOn": "5xx", "perTryTimeout": "4s"}),
                "10s",
                vec!["TL0430"],
            ),
            (
                &get,
                json!({"attempts": 2, "retryOn": "5xx", "perTryTimeout": "3s"}),
                "10s",
                vec![],
            ),
            (
                &get,
                json!({"attempts": 2, "perTryTimeout": "3s"}),
                "10s",
                vec!["TL0431"],
            ),
        ] {
            let http = json!({"match": matches, "retries": retries, "timeout": timeout});
            assert_eq!(codes(&http), expected, "{http}");
        }
    }
}
