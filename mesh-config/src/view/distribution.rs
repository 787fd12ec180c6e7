//! Exact probabilities of the destinations of a request.

use serde::Serialize;

use super::Routing;
use crate::object::ObjectKey;
use crate::route::{Action, Forward};

/// Where a request goes, with exact probabilities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// What became of it.
    pub outcome: Outcome,
    /// Empty unless routed. Entries for the same host and subset are united. Of those requests that are forwarded.
    pub shares: Vec<Share>,
    /// The probability that a routed request is answered with an injected fault instead.
    pub aborted: f64,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// 502, on a gateway 404.
    UnknownHost,
    /// 404.
    NoRoute,
    /// The route itself answers: a redirect or a fixed answer.
    Answered {
        /// The VirtualService.
        object: Option<ObjectKey>,
        /// Index in its `spec.http`.
        rule: Option<usize>,
        /// Status of the answer.
        status: u16,
    },
    /// Forwarded.
    Routed {
        /// The VirtualService; `None` for the default route of a Service.
        object: Option<ObjectKey>,
        /// Index in its `spec.http`.
        rule: Option<usize>,
    },
}

/// The probability of one destination.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Full name.
    pub host: String,
    /// Name of the subset.
    pub subset: Option<String>,
    /// The subset's `version` label, else the subset's name; `None` without a subset.
    pub version: Option<String>,
    /// 0 to 1.
    pub probability: f64,
}

impl Distribution {
    /// Of a routing decision.
    #[must_use]
    pub fn of(routing: &Routing<'_>) -> Self {
        let route = match routing {
            Routing::UnknownHost => return Self::without_shares(Outcome::UnknownHost),
            Routing::NoRoute(_) => return Self::without_shares(Outcome::NoRoute),
            Routing::Route(_, route) => route,
        };
        let object = route.rule.as_ref().map(|rule| rule.object.clone());
        let rule = route.rule.as_ref().map(|rule| rule.index);
        let answered = |status| Outcome::Answered {
            object: object.clone(),
            rule,
            status,
        };
        match &route.action {
            Action::Redirect(redirect) => Self::without_shares(answered(redirect.status)),
            Action::DirectResponse(answer) => Self::without_shares(answered(answer.status)),
            Action::Forward(forward) => {
                let abort = forward.fault.as_ref().and_then(|fault| fault.abort);
                Distribution {
                    outcome: Outcome::Routed { object, rule },
                    shares: shares(forward),
                    aborted: abort.map_or(0.0, |abort| abort.share.probability()),
                }
            }
        }
    }

    fn without_shares(outcome: Outcome) -> Self {
        Distribution {
            outcome,
            shares: Vec::new(),
            aborted: 0.0,
        }
    }
}

/// In list order; destinations that name the same host and subset are one share.
pub(crate) fn shares(forward: &Forward) -> Vec<Share> {
    let mut weights: Vec<(Share, u64)> = Vec::new();
    for destination in &forward.destinations {
        let weight = u64::from(destination.weight);
        let same = |(share, _): &&mut (Share, u64)| {
            share.host == destination.host && share.subset == destination.subset
        };
        if let Some((_, sum)) = weights.iter_mut().find(same) {
            *sum += weight;
            continue;
        }
        let share = Share {
            host: destination.host.clone(),
            subset: destination.subset.clone(),
            version: destination.version.clone(),
            probability: 0.0,
        };
        weights.push((share, weight));
    }
    #[allow(clippy::cast_precision_loss)] // sums of 32-bit weights are exact in a double
    let part = |weight: u64| weight as f64 / forward.total_weight.max(1) as f64;
    weights
        .into_iter()
        .map(|(share, weight)| Share {
            probability: part(weight),
            ..share
        })
        .collect()
}
