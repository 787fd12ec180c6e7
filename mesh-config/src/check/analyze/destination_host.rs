//! Destinations whose host or port does not exist. Source: istioctl's `DestinationHostAnalyzer`.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::hosts::Host;
use crate::check::facts::targets::{self, Target};
use crate::check::facts::{Facts, Findings, Rule};

static HOST: Check = Check {
    code: "TL0301",
    istio: Some("IST0101"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a destination host that does not exist",
    why: "Requests that come here are answered 503, flag NC. `istioctl analyze` on files does not read Services, so it cannot see this.",
    fix: "Correct the name, or add the Service or ServiceEntry (and its folder to -f).",
    istioctl: Istioctl::Cluster,
};

static PORT: Check = Check {
    code: "TL0303",
    istio: Some("IST0101"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a destination port that its host does not have",
    why: "Requests that come here are answered 503, flag NC. The port is that of the Service, not the one of its pods.",
    fix: "Name a port of the Service.",
    istioctl: Istioctl::Cluster,
};

static PORT_MISSING: Check = Check {
    code: "TL0304",
    istio: Some("IST0112"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a destination without port whose host has several",
    why: "Requests go to the port of the same number as the one that was dialled, and if there is none, they are answered 503, flag NC.",
    fix: "Add `port: {number: ...}` to the destination.",
    istioctl: Istioctl::Cluster,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&HOST, &PORT, &PORT_MISSING],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        for target in targets::of(rule) {
            match facts.host(rule, target.host) {
                None => missing(facts, rule, &target, findings),
                Some(host) => check_port(host, rule, &target, findings),
            }
        }
    }
}

fn missing(facts: &Facts<'_>, rule: &Rule<'_>, target: &Target<'_>, findings: &mut Findings) {
    let what = if target.mirror {
        "a mirror's host"
    } else {
        "the host"
    };
    let message = format!("{what} `{}` does not exist", target.host);
    let advice = if facts.hosts.is_empty() {
        Some("there are no Services here; name their folder with -f, too".to_owned())
    } else {
        facts.hosts.advice(target.host, rule.namespace())
    };
    findings.add(
        &HOST,
        rule.object,
        &format!("{}/host", target.pointer),
        message,
        advice,
    );
}

fn check_port(host: &Host<'_>, rule: &Rule<'_>, target: &Target<'_>, findings: &mut Findings) {
    let ports: Vec<String> = host.ports.iter().map(|port| port.number.to_string()).collect();
    let ports = ports.join(", ");
    match target.port {
        None if host.ports.len() > 1 => {
            let message = format!("`{}` has the ports {ports}, and none is named here", target.host);
            let advice = "add `port: {number: ...}`".to_owned();
            findings.add(
                &PORT_MISSING,
                rule.object,
                &format!("{}/host", target.pointer),
                message,
                Some(advice),
            );
        }
        Some(number) if !host.ports.iter().any(|port| port.number == number) => {
            let message = format!("`{}` has no port {number}", target.host);
            let by_target = host
                .ports
                .iter()
                .find(|port| port.target.as_u64() == Some(number));
            let advice = match by_target {
                Some(port) => format!(
                    "{number} is a target port; that of the Service is {}",
                    port.number
                ),
                None => format!("it has {ports}"),
            };
            findings.add(
                &PORT,
                rule.object,
                &format!("{}/port/number", target.pointer),
                message,
                Some(advice),
            );
        }
        _ => {}
    }
}
