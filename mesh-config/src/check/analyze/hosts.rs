//! Hosts of a VirtualService that nobody has.

use super::Analyzer;
use crate::check::catalogue::{Check, Istioctl, Layer, Severity};
use crate::check::facts::{Facts, Findings, MESH, Rule};
use crate::check::json::Json;

static NOBODYS: Check = Check {
    code: "TL0405",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "a host of a VirtualService that nobody has",
    why: "Sidecars have routes for hosts of Services and ServiceEntries only: the rules are for nobody.",
    fix: "Correct the host, or add the Service or ServiceEntry (and its folder to -f).",
    istioctl: Istioctl::Never,
};

static HALF: Check = Check {
    code: "TL0406",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "half a name as a host",
    why: "A name with a dot is taken as full: `auth.shop` is not `auth.shop.svc.cluster.local`, so the rules are for nobody.",
    fix: "Write the name alone, or all of it.",
    istioctl: Istioctl::Never,
};

static GATEWAY_ONLY: Check = Check {
    code: "TL0407",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "rules for a service of the mesh at a gateway only",
    why: "The host is that of a Service, and sidecars do not have the rules: calls inside the mesh go to all versions.",
    fix: "Add `mesh` to `gateways`, or name the host that clients outside use.",
    istioctl: Istioctl::Never,
};

pub(super) const ANALYZER: Analyzer = Analyzer {
    checks: &[&NOBODYS, &HALF, &GATEWAY_ONLY],
    run,
};

fn run(facts: &Facts<'_>, findings: &mut Findings) {
    for rule in &facts.virtual_services {
        for (index, name) in rule.spec.texts("hosts").into_iter().enumerate() {
            let pointer = format!("/spec/hosts/{index}");
            if rule.is_for_mesh() {
                look(facts, rule, name, &pointer, findings);
            } else {
                look_at_gateway(facts, rule, name, &pointer, findings);
            }
        }
    }
}

fn look(facts: &Facts<'_>, rule: &Rule<'_>, name: &str, pointer: &str, findings: &mut Findings) {
    let found = facts.has_host(rule, name);
    // A gateway may have hosts that no service has, and an address needs none.
    let gateways = rule
        .spec
        .texts("gateways")
        .into_iter()
        .any(|gateway| gateway != MESH);
    if found || facts.hosts.is_empty() || gateways || name.parse::<std::net::IpAddr>().is_ok() {
        return;
    }
    if let Some(full) = facts.hosts.completed(name) {
        let message = format!("`{name}` is taken as full, and nobody has that name");
        findings.add(
            &HALF,
            rule.object,
            pointer,
            message,
            Some(format!("write `{full}`")),
        );
        return;
    }
    let message = format!("nobody has the host `{name}`");
    let advice = facts.hosts.advice(name, rule.namespace());
    findings.add(&NOBODYS, rule.object, pointer, message, advice);
}

fn look_at_gateway(facts: &Facts<'_>, rule: &Rule<'_>, name: &str, pointer: &str, findings: &mut Findings) {
    let plain = !name.starts_with('*');
    let Some(host) = facts.hosts.find(name, rule.namespace(), &[]).filter(|_| plain) else {
        return;
    };
    // Another VirtualService may be for the sidecars.
    let for_mesh = facts.virtual_services.iter().filter(|other| other.is_for_mesh());
    let mut hosts = for_mesh.flat_map(|other| {
        other
            .spec
            .texts("hosts")
            .into_iter()
            .map(move |name| (name, other))
    });
    let covered = hosts.any(|(name, other)| crate::check::facts::full(name, other.namespace()) == host.name);
    if !covered && host.object.kind == "Service" {
        let message =
            format!("`{name}` is a Service of the mesh, and these rules are not for callers inside of it");
        findings.add(
            &GATEWAY_ONLY,
            rule.object,
            pointer,
            message,
            Some("add `mesh` to `gateways`".to_owned()),
        );
    }
}
