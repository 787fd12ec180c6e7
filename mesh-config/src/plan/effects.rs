//! What changes for whom.

use serde::Serialize;

use super::callers;
use super::probe::{self, Probe};
use super::safety::seen;
use crate::cases::share;
use crate::mesh::Mesh;
use crate::route::{Action, Forward};
use crate::view::{Routing, View};

/// A request that is answered differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// `POST auth.shop:8080/verify x-canary: true`: one that stands for all that come to the same rule.
    pub request: String,
    /// Who sends it.
    pub callers: Vec<String>,
    /// Where it goes now, with exact shares.
    pub before: String,
    /// Where it will go.
    pub after: String,
}

/// All that differ, for every kind of caller; those that differ in the same way are one.
pub(super) fn between(old: &Mesh, new: &Mesh) -> Vec<Effect> {
    let clients = callers::of(&[old, new]);
    let mut effects: Vec<Effect> = Vec::new();
    for (before, after) in seen(old, &clients).iter().zip(seen(new, &clients)) {
        for probe in probe::of_both(&before.view, &after.view) {
            let (then, now) = (goes(&after.view, &probe), goes(&before.view, &probe));
            if then == now {
                continue;
            }
            let effect = Effect {
                request: probe.shown(),
                callers: vec![after.name.clone()],
                before: now,
                after: then,
            };
            let same = |other: &&mut Effect| {
                (&other.request, &other.before, &other.after)
                    == (&effect.request, &effect.before, &effect.after)
            };
            match effects.iter_mut().find(same) {
                Some(known) => known.callers.extend(effect.callers),
                None => effects.push(effect),
            }
        }
    }
    effects
}

/// Where a request goes, in words.
fn goes(view: &View, probe: &Probe) -> String {
    let head = probe.head();
    let route = match view.table(probe.port).map(|table| table.route(&head)) {
        None | Some(Routing::UnknownHost) => return "nobody: the Host is not known".to_owned(),
        Some(Routing::NoRoute(_)) => return "nobody: no rule matches, 404".to_owned(),
        Some(Routing::Route(_, route)) => route,
    };
    match &route.action {
        Action::Redirect(redirect) => format!(
            "{} to {}",
            redirect.status,
            redirect.location(&route.matcher, &head)
        ),
        Action::DirectResponse(answer) => format!("{} by the proxy", answer.status),
        Action::Forward(forward) => shares(forward),
    }
}

fn shares(forward: &Forward) -> String {
    let parts = forward.destinations.iter().map(|one| {
        share(
            one.weight.into(),
            forward.total_weight,
            &one.host,
            one.subset.as_deref(),
            None,
        )
    });
    parts.collect::<Vec<_>>().join(", ")
}
