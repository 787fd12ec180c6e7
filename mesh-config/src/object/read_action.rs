//! Reading what a rule of a VirtualService does besides sending requests to destinations.

use super::read_virtual_service::read_target;
use super::virtual_service::{Delegate, HttpRoute, Mirroring, RouteDestination};
use crate::check::warning;
use crate::route::fraction::{self, Fraction};
use crate::route::{cors, direct_response, fault, redirect};
use crate::text::{Fields, Value};

/// What kind of VirtualService a rule is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One with hosts.
    Root,
    /// One without: other rules delegate to it.
    Delegate,
}

/// Reads the fields of a rule that are not about destinations into `route`.
pub(super) fn read_into(route: &mut HttpRoute, fields: &mut Fields<'_>, kind: Kind) {
    route.redirect = fields.get("redirect").and_then(|v| redirect::read(&v));
    route.direct_response = fields
        .get("directResponse")
        .and_then(|v| direct_response::read(&v));
    route.fault = fields.get("fault").and_then(|v| fault::read(&v));
    route.cors = fields.get("corsPolicy").and_then(|v| cors::read(&v));
    route.mirroring = read_mirroring(fields);
    route.delegate = fields.get("delegate").and_then(|v| read_delegate(&v));
    if route.delegate.is_some() && kind == Kind::Delegate {
        fields.value().problem_with(
            "a delegate cannot delegate",
            "only a VirtualService with hosts can",
        );
    }
    check_conflicts(fields.value(), kind);
    if route
        .redirect
        .as_ref()
        .is_some_and(redirect::WrittenRedirect::rewrites_prefix)
    {
        check_prefixes(fields);
    }
}

/// What excludes each other. Beside a delegate only `route` and `redirect` are looked at, as in istiod.
fn check_conflicts(value: &Value<'_>, kind: Kind) {
    let has_route = value.field("route").is_some_and(|route| !route.is_empty());
    let conflict = |with: &str, names: &[&str]| {
        for name in names {
            let given = if *name == "route" {
                has_route
            } else {
                value.has(name)
            };
            if given {
                value.problem(format!("cannot have both {name} and {with}"));
            }
        }
    };
    if value.has("delegate") && kind == Kind::Root {
        // Even an empty list counts here.
        return conflict(
            "delegate",
            if value.has("route") {
                &["route", "redirect"]
            } else {
                &["redirect"]
            },
        );
    }
    if value.has("redirect") {
        conflict("redirect", &["route", "fault", "rewrite", "directResponse"]);
    } else if value.has("directResponse") {
        conflict("directResponse", &["route", "fault", "rewrite"]);
    } else if !has_route {
        value.problem("the rule leads nowhere: `route` is missing or empty");
    }
    if value.has("mirror") && value.field("mirrors").is_some_and(|mirrors| !mirrors.is_empty()) {
        conflict("mirrors", &["mirror"]);
    }
}

/// `prefixRewrite` of a redirect needs to know the prefix.
fn check_prefixes(fields: &mut Fields<'_>) {
    for block in fields.get("match").map(|v| v.list()).unwrap_or_default() {
        if let Some(uri) = block.field("uri").filter(|uri| !uri.has("prefix")) {
            uri.problem("`redirect.prefixRewrite` needs a prefix here");
        }
    }
}

fn read_delegate(value: &Value<'_>) -> Option<Delegate> {
    value.fields(|fields| Delegate {
        name: fields.get("name").and_then(|v| v.text()).unwrap_or_default(),
        namespace: fields
            .get("namespace")
            .and_then(|v| v.text())
            .filter(|namespace| !namespace.is_empty()),
    })
}

fn read_mirroring(fields: &mut Fields<'_>) -> Mirroring {
    let percentage = fields.get("mirrorPercentage");
    // The API server knows the old field by two names.
    let mut percent = |name| fields.get(name).and_then(|v| read_percent(&v));
    let percent = percent("mirrorPercent").or(percent("mirror_percent"));
    let mirrors = fields.get("mirrors").map(|v| v.list()).unwrap_or_default();
    Mirroring {
        mirror: fields.get("mirror").and_then(|v| read_target(&v, false)),
        percentage: percentage.and_then(|v| fraction::read(&v, 0.0)),
        percent: percent.map(Fraction::percent),
        mirrors: mirrors.iter().filter_map(read_mirror).collect(),
    }
}

/// `mirrorPercent`, the old field.
fn read_percent(value: &Value<'_>) -> Option<u32> {
    let percent = value.uint32()?;
    let advice = format!("write `mirrorPercentage: {{value: {percent}}}`");
    value.say(&warning::MIRROR_PERCENT, "this field is deprecated", Some(advice));
    if percent > 100 {
        value.problem(format!("{percent} is more than 100 percent"));
    }
    Some(percent)
}

fn read_mirror(value: &Value<'_>) -> Option<(RouteDestination, Fraction)> {
    value.fields(|fields| {
        let target = fields
            .required("destination")
            .and_then(|v| read_target(&v, false));
        let share = fields.get("percentage").and_then(|v| fraction::read(&v, 0.0));
        Some((target?, share.unwrap_or(Fraction::ALL)))
    })?
}
