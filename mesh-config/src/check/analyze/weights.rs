//! Weights that say something else than they seem to.

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings};
use crate::check::json::Json;

static SUM: Check = Check {
    code: "TL0408",
    istio: None,
    severity: Severity::Info,
    layer: Layer::Analysis,
    what: "weights that do not add up to 100",
    why: "Weights are shares of their sum: 90 and 9 are 90.9 % and 9.1 %.",
    fix: "If they are meant as percents, let them add up to 100.",
    istioctl: Istioctl::Never,
};

static MISSING: Check = Check {
    code: "TL0409",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a destination without weight beside others",
    why: "A weight that is not given is 0: the destination gets nothing.",
    fix: "Give every destination a weight, or remove this one.",
    istioctl: Istioctl::Never,
};

static ALONE: Check = Check {
    code: "TL0410",
    istio: None,
    severity: Severity::Info,
    layer: Layer::Analysis,
    what: "a weight of a destination that is alone",
    why: "One destination gets all requests, whatever its weight.",
    fix: "Add the other destination, or remove the weight.",
    istioctl: Istioctl::Never,
};

static TWICE: Check = Check {
    code: "TL0411",
    istio: None,
    severity: Severity::Info,
    layer: Layer::Analysis,
    what: "one destination twice in a rule",
    why: "Its share is the sum of both weights.",
    fix: "Put them together, or correct the subset of one.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&SUM, &MISSING, &ALONE, &TWICE],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        for list in ["http", "tls", "tcp"] {
            for (index, entry) in rule.spec.list(list).iter().enumerate() {
                let route = entry.list("route");
                for (check, pointer, message, advice) in look(route) {
                    let pointer = format!("/spec/{list}/{index}/route{pointer}");
                    findings.add(check, rule.object, &pointer, message, advice);
                }
            }
        }
    }
}

type Said = (&'static Check, String, String, Option<String>);

fn look(route: &[Value]) -> Vec<Said> {
    let weight = |destination: &Value| destination.number("weight").unwrap_or(0);
    let total: u64 = route.iter().map(weight).sum();
    let mut said = Vec::new();
    if let [one] = route {
        if let Some(weight) = one.number("weight").filter(|weight| *weight != 100) {
            let message =
                format!("the weight {weight} of a destination that is alone means nothing: it gets all");
            said.push((&ALONE, "/0/weight".to_owned(), message, None));
        }
        return said;
    }
    for (index, destination) in route.iter().enumerate() {
        if total > 0 && !destination.has("weight") {
            let message = "without a weight this destination gets nothing".to_owned();
            said.push((&MISSING, format!("/{index}"), message, None));
        }
        let same = |other: &&Value| {
            other["destination"] == destination["destination"] && other["headers"] == destination["headers"]
        };
        if route[..index].iter().any(|other| same(&other)) {
            said.push((
                &TWICE,
                format!("/{index}/destination"),
                "this destination is given before".to_owned(),
                None,
            ));
        }
    }
    if total != 100 && total > 0 {
        let share = |weight: u64| {
            #[allow(clippy::cast_precision_loss)] // for people
            let percent = weight as f64 / total as f64 * 100.0;
            format!("{percent:.1} %")
        };
        let shares: Vec<String> = route
            .iter()
            .map(|destination| share(weight(destination)))
            .collect();
        let message = format!(
            "the weights add up to {total}: the shares are {}",
            shares.join(", ")
        );
        said.push((&SUM, String::new(), message, None));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::look;
    use serde_json::{Value, json};

    fn codes(route: Value) -> Vec<&'static str> {
        look(route.as_array().unwrap())
            .into_iter()
            .map(|said| said.0.code)
            .collect()
    }

    #[test]
    fn weights_that_say_what_they_seem_to_are_left_alone() {
        let to = |subset: &str, weight: u64| json!({"destination": {"host": "a", "subset": subset}, "weight": weight});
        assert!(codes(json!([to("v1", 90), to("v2", 10)])).is_empty());
        assert!(codes(json!([{"destination": {"host": "a"}}])).is_empty());
        assert!(codes(json!([to("v1", 100)])).is_empty());
        assert_eq!(codes(json!([to("v1", 90), to("v2", 9)])), ["TL0408"]);
        assert_eq!(codes(json!([to("v1", 10)])), ["TL0410"]);
        assert_eq!(
            codes(json!([to("v1", 100), {"destination": {"host": "a"}}])),
            ["TL0409"]
        );
        assert_eq!(codes(json!([to("v1", 50), to("v1", 50)])), ["TL0411"]);
    }
}
