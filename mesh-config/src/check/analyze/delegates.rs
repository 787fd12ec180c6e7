//! VirtualServices that rules delegate to. istiod checks none of this; it leaves rules out.

use std::collections::{BTreeMap, BTreeSet};

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings, Rule};
use crate::check::json::Json;
use crate::object::Spec;
use crate::text::similar;
use crate::view::delegate;

static MISSING: Check = Check {
    code: "TL0402",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a delegate that does not exist, or is not exported here",
    why: "istiod leaves the rule out: its requests go to later rules, or are answered 404.",
    fix: "Correct name and namespace, or export the delegate to the namespace of the rule.",
    istioctl: Istioctl::Never,
};

static NO_DELEGATE: Check = Check {
    code: "TL0403",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a delegate with hosts of its own",
    why: "A VirtualService with hosts is no delegate; istiod leaves the rule out that names it.",
    fix: "Remove its `hosts`.",
    istioctl: Istioctl::Never,
};

static UNUSED: Check = Check {
    code: "TL0404",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a VirtualService without hosts that nobody delegates to",
    why: "Its rules are for nobody.",
    fix: "Add `hosts`, or name it in a rule's `delegate`.",
    istioctl: Istioctl::Never,
};

static CONTRADICTION: Check = Check {
    code: "TL0435",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a delegated rule that contradicts the rule that delegates",
    why: "Both matches have to hold, so istiod leaves out a rule of which a match fits none of the other's: another port or method, \
          a path that is not inside the other's, any condition twice of which one is an expression.",
    fix: "Let the delegate ask for more than the rule that names it, or for nothing.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&MISSING, &NO_DELEGATE, &UNUSED, &CONTRADICTION],
    run,
};

/// VirtualServices by `NAMESPACE/NAME`.
type ByName<'f, 'a> = BTreeMap<String, &'f Rule<'a>>;

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    let mut used = BTreeSet::new();
    let by_name: ByName<'_, '_> = facts
        .virtual_services
        .iter()
        .map(|rule| (rule.name(), rule))
        .collect();
    for rule in &facts.virtual_services {
        for (index, http) in rule.spec.list("http").iter().enumerate() {
            let delegate = &http["delegate"];
            if !http.has("delegate") {
                continue;
            }
            let name = delegate.text("name").unwrap_or_default();
            let namespace = delegate
                .text("namespace")
                .filter(|name| !name.is_empty())
                .unwrap_or(rule.namespace());
            used.insert(format!("{namespace}/{name}"));
            let pointer = format!("/spec/http/{index}/delegate/name");
            if let Some(found) = look(&by_name, rule, (namespace, name), &pointer, findings) {
                contradictions(rule, index, found, findings);
            }
        }
    }
    for rule in facts
        .virtual_services
        .iter()
        .filter(|rule| rule.spec.list("hosts").is_empty())
    {
        if !used.contains(&rule.name()) {
            let message = "this has no `hosts`, and no rule delegates to it";
            findings.add(&UNUSED, rule.object, "/metadata/name", message, None);
        }
    }
}

/// Rules of a delegate that istiod leaves out.
fn contradictions(rule: &Rule<'_>, index: usize, found: &Rule<'_>, findings: &mut Findings) {
    let (Spec::VirtualService(root), Spec::VirtualService(leaf)) = (&rule.object.spec, &found.object.spec)
    else {
        return;
    };
    let Some(root) = root.http.get(index) else { return };
    for (at, http) in leaf.http.iter().enumerate() {
        if delegate::contradicts((root, rule.namespace()), (http, found.namespace())) {
            let message = format!(
                "this contradicts the match of `{}`, which delegates here",
                rule.name()
            );
            let pointer = format!("/spec/http/{at}/match");
            let advice = Some(format!("istiod leaves rule {} out", at + 1));
            findings.add(&CONTRADICTION, found.object, &pointer, message, advice);
        }
    }
}

/// The delegate, if there is one that counts.
fn look<'f, 'a>(
    all: &ByName<'f, 'a>,
    rule: &Rule<'_>,
    (namespace, name): (&str, &str),
    pointer: &str,
    findings: &mut Findings,
) -> Option<&'f Rule<'a>> {
    let full = format!("{namespace}/{name}");
    let Some(found) = all.get(&full).copied() else {
        let of_namespace = all.values().filter(|other| other.namespace() == namespace);
        let names: Vec<&str> = of_namespace
            .map(|other| other.object.metadata.name.as_str())
            .collect();
        let elsewhere = all.values().find(|other| other.object.metadata.name == name);
        let advice = match elsewhere {
            Some(other) => Some(format!("add `namespace: {}`", other.namespace())),
            None => similar::did_you_mean(name, &names),
        };
        findings.add(
            &MISSING,
            rule.object,
            pointer,
            format!("there is no VirtualService `{full}`"),
            advice,
        );
        return None;
    };
    let exported = found.exported_to();
    if !exported.is_empty() && !exported.contains(&rule.namespace()) {
        let message = format!("`{full}` is not exported to the namespace {}", rule.namespace());
        findings.add(&MISSING, rule.object, pointer, message, None);
        return None;
    }
    if !found.spec.list("hosts").is_empty() {
        let message = format!("`{full}` has hosts, so it is no delegate");
        findings.add(&NO_DELEGATE, rule.object, pointer, message, None);
        return None;
    }
    Some(found)
}
