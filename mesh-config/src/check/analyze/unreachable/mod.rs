//! Rules and matches that no request ever gets to.
//!
//! istiod looks for some of them when an object is applied ([`istiod`]), misses others, and takes some for unreachable
//! that are not. What it says is said here if it is true; what it misses is said in addition.

mod covers;
mod istiod;

use std::collections::BTreeSet;

use serde_json::Value;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings, Rule};
use crate::check::json::Json;
use istiod::{Said, What};

static RULE: Check = Check {
    code: "TL0309",
    istio: Some("IST0130"),
    severity: Severity::Warning,
    layer: Layer::Webhook,
    what: "a rule that is never used, as istiod says",
    why: "The first rule that matches wins, and rules before this one take all its requests.",
    fix: "Move the rule to the front, or remove it.",
    istioctl: Istioctl::Validate,
};

static MATCH: Check = Check {
    code: "TL0310",
    istio: Some("IST0131"),
    severity: Severity::Info,
    layer: Layer::Webhook,
    what: "a match that is never used, as istiod says",
    why: "A match before this one takes all its requests.",
    fix: "Move the match to the front, or remove it.",
    istioctl: Istioctl::Validate,
};

static UNSAID: Check = Check {
    code: "TL0401",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a rule or match that is never used, which istiod does not see",
    why: "The first rule that matches wins, and what is before this one takes all its requests.",
    fix: "Put what is special before what is general.",
    istioctl: Istioctl::Never,
};

static FALSE_ALARM: Check = Check {
    code: "TL0160",
    istio: Some("IST0133"),
    severity: Severity::Info,
    layer: Layer::Webhook,
    what: "a false alarm of istiod's",
    why: "kubectl prints a warning that this match is never used. istiod does not look at all conditions; the match is used.",
    fix: "Nothing is to be done.",
    istioctl: Istioctl::Validate,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&RULE, &MATCH, &UNSAID, &FALSE_ALARM],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        look(rule, "http", findings);
        for list in ["tcp", "tls"] {
            for said in istiod::of(rule.spec.list(list), false) {
                report(rule, list, &said, findings);
            }
        }
    }
}

/// A match of a rule, or a rule without any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rule: usize,
    block: Option<usize>,
}

fn look(rule: &Rule<'_>, list: &str, findings: &mut Findings) {
    let entries = rule.spec.list(list);
    let taken = taken(entries);
    let is_taken = |place: Place| taken.iter().any(|(taken, _)| *taken == place);
    let mut told = BTreeSet::new();
    for said in istiod::of(entries, true) {
        let all = places(said.place.rule, &entries[said.place.rule]);
        let parts = if said.place.block.is_some() {
            vec![said.place]
        } else {
            all
        };
        if parts.iter().all(|part| is_taken(*part)) {
            told.extend(parts);
            report(rule, list, &said, findings);
        } else {
            let message = "istiod warns that this is never used; it is";
            findings.add(
                &FALSE_ALARM,
                rule.object,
                &pointer(list, said.place),
                message,
                None,
            );
        }
    }
    let untold: Vec<_> = taken
        .into_iter()
        .filter(|(place, _)| !told.contains(place))
        .collect();
    let mut whole = BTreeSet::new();
    for (place, by) in &untold {
        let parts = places(place.rule, &entries[place.rule]);
        let all = parts
            .iter()
            .all(|part| untold.iter().any(|(place, _)| place == part));
        let (what, at) = if all {
            (
                "rule",
                Place {
                    block: None,
                    ..*place
                },
            )
        } else {
            ("match", *place)
        };
        if all && !whole.insert(place.rule) {
            continue;
        }
        let line = rule.object.mark_at(&pointer(list, *by)).line;
        let message = format!("this {what} is never used: that of line {line} takes all its requests");
        findings.add(&UNSAID, rule.object, &pointer(list, at), message, None);
    }
}

fn places(rule: usize, entry: &Value) -> Vec<Place> {
    let count = entry.list("match").len();
    if count == 0 {
        return vec![Place { rule, block: None }];
    }
    (0..count)
        .map(|block| Place {
            rule,
            block: Some(block),
        })
        .collect()
}

/// What an earlier match takes all requests of, with that match. A rule that delegates takes none for certain.
fn taken(entries: &[Value]) -> Vec<(Place, Place)> {
    let all: Vec<(Place, &Value)> = entries
        .iter()
        .enumerate()
        .flat_map(|(rule, entry)| places(rule, entry).into_iter().map(move |place| (place, entry)))
        .map(|(place, entry)| {
            (
                place,
                place.block.map_or(&Value::Null, |block| &entry["match"][block]),
            )
        })
        .collect();
    let takes = |(place, block): &&(Place, &Value), other: &Value| {
        !entries[place.rule].has("delegate") && covers::covers(block, other)
    };
    let taken = all.iter().enumerate().filter_map(|(index, (place, block))| {
        let by = all[..index].iter().find(|earlier| takes(earlier, block))?;
        Some((*place, by.0))
    });
    taken.collect()
}

fn pointer(list: &str, place: Place) -> String {
    match place.block {
        Some(block) => format!("/spec/{list}/{}/match/{block}", place.rule),
        None => format!("/spec/{list}/{}", place.rule),
    }
}

fn report(rule: &Rule<'_>, list: &str, said: &Said, findings: &mut Findings) {
    let line = rule.object.mark_at(&pointer(list, said.by)).line;
    let (check, what) = match said.what {
        What::Rule => (&RULE, "rule"),
        What::Match => (&MATCH, "match"),
    };
    let message = format!("this {what} is never used: that of line {line} takes all its requests");
    findings.add(check, rule.object, &pointer(list, said.place), message, None);
}
