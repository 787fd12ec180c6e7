//! Services that lead nowhere.

use std::collections::BTreeMap;

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::hosts::{Host, Port};
use crate::check::facts::pods::Pod;
use crate::check::facts::{Facts, Findings};

static NO_PODS: Check = Check {
    code: "TL0420",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a Service whose selector no pod fits",
    why: "It has no endpoints: requests to it are answered 503, flag UH.",
    fix: "Correct the selector, or the labels of the pods' template.",
    istioctl: Istioctl::Never,
};

static TARGET: Check = Check {
    code: "TL0421",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a target port that no pod of the Service has",
    why: "A name that no container port has gives the Service no endpoints; a number at which nobody listens refuses connections (503, flag UF).",
    fix: "Correct `targetPort`, or add the port to the container.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NO_PODS, &TARGET],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for host in facts.hosts.iter().filter(|host| host.object.kind == "Service") {
        let Some(selector) = &host.selector else { continue };
        // Manifests without a workload in the namespace say nothing about its pods.
        if facts.pods.of(&host.object.metadata.namespace).next().is_none() {
            continue;
        }
        let behind: Vec<&Pod<'_>> = facts.behind(host).collect();
        if behind.is_empty() {
            let message = format!("no pod of the namespace has the labels {}", listed(selector));
            findings.add(&NO_PODS, host.object, "/spec/selector", message, None);
            continue;
        }
        for (index, port) in host.ports.iter().enumerate() {
            look(host, port, index, &behind, findings);
        }
    }
}

fn listed(labels: &BTreeMap<&str, &str>) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    labels.join(", ")
}

fn look(host: &Host<'_>, port: &Port<'_>, index: usize, behind: &[&Pod<'_>], findings: &mut Findings) {
    let names = port.target.as_str();
    let number = port.target.as_u64().unwrap_or(port.number);
    // Containers need not say which ports they listen at; if they name none, nothing is known.
    let told: Vec<(u64, Option<&str>)> = behind.iter().flat_map(|pod| pod.ports()).collect();
    let fits = |(at, name): &(u64, Option<&str>)| names.map_or(*at == number, |wanted| *name == Some(wanted));
    if told.is_empty() || told.iter().any(fits) {
        return;
    }
    let wanted = names.map_or_else(|| number.to_string(), |name| format!("`{name}`"));
    let message = format!("no pod of `{}` has the port {wanted}", host.object.metadata.name);
    let mut ports: Vec<String> = told
        .iter()
        .map(|(at, name)| name.map_or_else(|| at.to_string(), |name| format!("{name} ({at})")))
        .collect();
    ports.sort();
    ports.dedup();
    let pointer = match port.target.is_null() {
        true => format!("/spec/ports/{index}/port"),
        false => format!("/spec/ports/{index}/targetPort"),
    };
    findings.add(
        &TARGET,
        host.object,
        &pointer,
        message,
        Some(format!("they have {}", ports.join(", "))),
    );
}
