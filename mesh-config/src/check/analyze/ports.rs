//! Ports in rules that no service has, and rules for HTTP at ports that do not speak it.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::hosts::Port;
use crate::check::facts::{Facts, Findings, Rule};
use crate::check::json::Json;

static LEVEL: Check = Check {
    code: "TL0415",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a policy for a port that the host does not have",
    why: "Ports of a policy are those of the Service, not of its pods; a policy for another one is never used.",
    fix: "Name a port of the Service.",
    istioctl: Istioctl::Never,
};

static MATCH: Check = Check {
    code: "TL0416",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a match on a port that the host does not have",
    why: "The port is the one that the client dials: that of the Service, or of the Gateway's server. Nobody dials another one.",
    fix: "Name a port of the Service.",
    istioctl: Istioctl::Never,
};

static NOT_HTTP: Check = Check {
    code: "TL0417",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "rules for HTTP at a service whose ports do not speak it",
    why: "The name of a port, or its appProtocol, says what it speaks; to `tcp` and the like rules for HTTP do not apply.",
    fix: "Call the port `http`, `http-...`, `http2`, `grpc`, or set its appProtocol.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&LEVEL, &MATCH, &NOT_HTTP],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.destination_rules {
        look_at_policies(facts, rule, findings);
    }
    for rule in facts.virtual_services.iter().filter(|rule| rule.is_for_mesh()) {
        look_at_matches(facts, rule, findings);
        look_at_protocols(facts, rule, findings);
    }
}

fn listed(ports: &[Port<'_>]) -> String {
    let numbers: Vec<String> = ports.iter().map(|port| port.number.to_string()).collect();
    format!("it has {}", numbers.join(", "))
}

fn look_at_policies(facts: &Facts<'_>, rule: &Rule<'_>, findings: &mut Findings) {
    let name = rule.spec.text("host").unwrap_or_default();
    let Some(host) = facts.host(rule, name) else {
        return;
    };
    for policy in rule.policies() {
        for (index, entry) in policy.spec.list("portLevelSettings").iter().enumerate() {
            let Some(number) = entry["port"].number("number") else {
                continue;
            };
            if host.ports.iter().any(|port| port.number == number) {
                continue;
            }
            let pointer = format!("{}/portLevelSettings/{index}/port/number", policy.pointer);
            let message = format!("`{name}` has no port {number}");
            findings.add(&LEVEL, rule.object, &pointer, message, Some(listed(&host.ports)));
        }
    }
}

fn look_at_matches(facts: &Facts<'_>, rule: &Rule<'_>, findings: &mut Findings) {
    let names = rule.spec.texts("hosts");
    let hosts: Vec<_> = names.iter().filter_map(|name| facts.host(rule, name)).collect();
    // With a host that is not known, or a gateway, nothing is known of its ports.
    if hosts.len() < names.len() || rule.spec.texts("gateways").len() > 1 || names.is_empty() {
        return;
    }
    for (index, http) in rule.spec.list("http").iter().enumerate() {
        for (at, block) in http.list("match").iter().enumerate() {
            let Some(number) = block.number("port").filter(|port| *port > 0) else {
                continue;
            };
            if hosts
                .iter()
                .any(|host| host.ports.iter().any(|port| port.number == number))
            {
                continue;
            }
            let message = format!("no host of this VirtualService has a port {number}");
            let advice = hosts.first().map(|host| listed(&host.ports));
            findings.add(
                &MATCH,
                rule.object,
                &format!("/spec/http/{index}/match/{at}/port"),
                message,
                advice,
            );
        }
    }
}

fn look_at_protocols(facts: &Facts<'_>, rule: &Rule<'_>, findings: &mut Findings) {
    if rule.spec.list("http").is_empty() {
        return;
    }
    for (index, name) in rule.spec.texts("hosts").into_iter().enumerate() {
        let Some(host) = facts.hosts.find(name, rule.namespace(), &[]) else {
            continue;
        };
        let deaf = !host.ports.is_empty() && host.ports.iter().all(|port| !may_speak_http(port));
        if deaf {
            let names: Vec<&str> = host
                .ports
                .iter()
                .filter_map(|port| port.protocol.or(port.name))
                .collect();
            let message = format!("`{name}` speaks no HTTP: its ports are {}", names.join(", "));
            findings.add(
                &NOT_HTTP,
                rule.object,
                &format!("/spec/hosts/{index}"),
                message,
                None,
            );
        }
    }
}

/// Without a protocol in its name the first bytes of a connection tell what a port speaks.
fn may_speak_http(port: &Port<'_>) -> bool {
    const OTHERS: [&str; 9] = [
        "tcp", "tls", "https", "mongo", "mysql", "redis", "udp", "thrift", "postgres",
    ];
    if port.other_transport {
        return false;
    }
    let said = port.protocol.or(port.name).unwrap_or_default().to_lowercase();
    let word = said.split('-').next().unwrap_or_default();
    !OTHERS.contains(&word)
}
