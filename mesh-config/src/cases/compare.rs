//! Holding what became of a request against what is expected.

use serde_json::Value;

use super::Difference;
use super::ask::Decision;
use super::case::{Expected, Wanted};
use crate::host;
use crate::mesh::Mesh;
use crate::object::Spec;
use crate::route::RuleRef;

/// Everything that is not as expected.
pub(super) fn differences(mesh: &Mesh, expected: &Expected, decision: &Decision<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut hold = |what: &str, expected: Option<String>, got: Option<String>| {
        if let Some(expected) = expected.filter(|expected| got.as_ref() != Some(expected)) {
            let (what, got) = (
                what.to_owned(),
                got.unwrap_or_else(|| "nothing of the kind".to_owned()),
            );
            found.push(Difference { what, expected, got });
        }
    };
    let status = |status: Option<u16>| status.map(|status| status.to_string());
    let answer = status(decision.status).or_else(|| Some(went(decision)));
    hold("status", status(expected.status), answer);
    hold("location", expected.location.clone(), decision.location.clone());
    let (uri, authority) = decision.sent.clone().unzip();
    hold("sent uri", expected.sent_uri.clone(), uri);
    hold("sent authority", expected.sent_authority.clone(), authority);
    if let Some(route) = &expected.route
        && !goes_as(route, decision)
    {
        found.push(Difference {
            what: "route".to_owned(),
            expected: written(route, decision),
            got: went(decision),
        });
    }
    for (field, value) in &expected.rule {
        let says = said(mesh, decision, field);
        if !says.as_ref().is_some_and(|says| same(says, value)) {
            found.push(Difference {
                what: field.clone(),
                expected: value.to_string(),
                got: says.map_or_else(|| "the rule does not say".to_owned(), |says| says.to_string()),
            });
        }
    }
    found
}

/// Whether every share is exactly as written. Nothing is forwarded to destinations that are broken.
fn goes_as(wanted: &[Wanted], decision: &Decision<'_>) -> bool {
    let wanted: Vec<&Wanted> = wanted.iter().filter(|one| one.weight > 0).collect();
    let total: u64 = wanted.iter().map(|one| u64::from(one.weight)).sum();
    let declared: u64 = decision.shares.iter().map(|(_, weight)| weight).sum();
    let fits = |(destination, _): &&(&crate::route::Destination, u64), one: &Wanted| {
        destination.host == full_name(one, decision)
            && destination.subset == one.subset
            && one.port.is_none_or(|port| port == destination.port)
    };
    // Cross-multiplied: 1 of 3 is exact.
    let exact = |one: &&Wanted| {
        let shares = decision.shares.iter().filter(|share| fits(share, one));
        let weight: u64 = shares.map(|(_, weight)| weight).sum();
        u128::from(weight) * u128::from(total) == u128::from(one.weight) * u128::from(declared)
    };
    let is_wanted = |share: &(&crate::route::Destination, u64)| wanted.iter().any(|one| fits(&share, one));
    decision.broken.is_none()
        && declared > 0
        && decision.shares.iter().all(is_wanted)
        && wanted.iter().all(exact)
}

/// A name without a dot is completed as in the rule that decided.
fn full_name(wanted: &Wanted, decision: &Decision<'_>) -> String {
    let rule = decision.route.and_then(|route| route.rule.as_ref());
    let namespace = rule.map(|rule| rule.object.namespace.clone());
    match namespace {
        Some(namespace) => host::complete(&wanted.host, &namespace),
        // The default route of a service: any namespace's name will do that is the destination's.
        None => {
            let first = decision
                .shares
                .first()
                .map(|(destination, _)| destination.host.as_str());
            let begins = first.filter(|host| {
                host.strip_prefix(&wanted.host)
                    .is_some_and(|rest| rest.starts_with('.'))
            });
            begins.map_or_else(|| wanted.host.clone(), str::to_owned)
        }
    }
}

/// `90 % auth.shop.svc.cluster.local subset v1, 10 % ...`.
fn written(wanted: &[Wanted], decision: &Decision<'_>) -> String {
    let total: u64 = wanted.iter().map(|one| u64::from(one.weight)).sum();
    let parts = wanted.iter().map(|one| {
        let name = full_name(one, decision);
        share(one.weight.into(), total, &name, one.subset.as_deref(), one.port)
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The same of what is, or the answer of the proxy.
fn went(decision: &Decision<'_>) -> String {
    let total: u64 = decision.shares.iter().map(|(_, weight)| weight).sum();
    let parts = decision.shares.iter().map(|(destination, weight)| {
        let port = Some(destination.port);
        share(
            *weight,
            total,
            &destination.host,
            destination.subset.as_deref(),
            port,
        )
    });
    let parts = parts.collect::<Vec<_>>().join(", ");
    let answered = decision.status.map(|status| status.to_string());
    match (&decision.broken, answered) {
        (Some(broken), _) => format!("{parts}: {broken}"),
        (None, Some(status)) => format!("answered {status}"),
        (None, None) => parts,
    }
}

/// `90 % auth.shop subset v1 port 80`, without the percentage if it is all.
pub(crate) fn share(weight: u64, total: u64, host: &str, subset: Option<&str>, port: Option<u16>) -> String {
    #[allow(clippy::cast_precision_loss)] // for people
    let percent = weight as f64 * 100.0 / total.max(1) as f64;
    let percent = format!("{percent:.3}");
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    let percent = if weight == total {
        String::new()
    } else {
        format!("{percent} % ")
    };
    let subset = subset
        .map(|subset| format!(" subset {subset}"))
        .unwrap_or_default();
    let port = port.map(|port| format!(" port {port}")).unwrap_or_default();
    let host = host.strip_suffix(".svc.cluster.local").unwrap_or(host);
    format!("{percent}{host}{subset}{port}")
}

/// What the rule that decided says in a field, or the one that delegated to it.
fn said(mesh: &Mesh, decision: &Decision<'_>, field: &str) -> Option<Value> {
    let route = decision.route?;
    let says = |rule: &RuleRef| {
        let object = mesh.get(&rule.object)?;
        matches!(object.spec, Spec::VirtualService(_)).then_some(())?;
        let written = &object.content()["spec"]["http"][rule.index][field];
        (!written.is_null()).then(|| written.clone())
    };
    route.rule.iter().chain(&route.root).find_map(says)
}

/// Equal, where 20 and 20.0 are the same number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}
