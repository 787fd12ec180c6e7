//! How small a tolerance a number of requests can show.

use serde::Serialize;

use crate::expect::Claim;
use crate::judge::{Judge, Terms};
use crate::stats::InvalidGate;
use crate::stats::plan::Chance;

/// Halvings of the interval in which the smallest tolerance lies: to a hundredth of it.
const STEPS: u32 = 12;
/// The tolerances that are tried lie between this part of the one that is asked for and nearly everything.
const SMALLEST: f64 = 1.0 / 64.0;
const LARGEST: f64 = 0.9;

/// What a budget is good for, when all is as declared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reach {
    /// Requests of the client.
    pub budget: u64,
    /// Confirmed within the budget in one of two cases. Null: no tolerance is.
    pub median: Option<Tolerances>,
    /// In 99 of 100 cases.
    pub p99: Option<Tolerances>,
}

/// Differences of shares, in the proportion of those that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tolerances {
    /// On the first hop, 0 to 1.
    pub first: f64,
    /// On the second hop, 0 to 1.
    pub second: f64,
}

impl Reach {
    /// The smallest tolerances with which these edges are confirmed within `budget` requests.
    ///
    /// # Errors
    /// Alpha or a tolerance is not between 0 and 1.
    pub(super) fn new(claims: &[Claim], terms: &Terms, budget: u64) -> Result<Self, InvalidGate> {
        Ok(Self {
            budget,
            median: smallest(claims, terms, budget, Chance::Half)?,
            p99: smallest(claims, terms, budget, Chance::High)?,
        })
    }
}

/// Wider tolerances take fewer requests: halving, on a logarithmic scale.
fn smallest(
    claims: &[Claim],
    terms: &Terms,
    budget: u64,
    chance: Chance,
) -> Result<Option<Tolerances>, InvalidGate> {
    let scaled = |factor: f64| Tolerances {
        first: terms.tolerance * factor,
        second: terms.hop_tolerance * factor,
    };
    let is_enough = |factor: f64| {
        let Tolerances { first, second } = scaled(factor);
        let terms = Terms {
            tolerance: first,
            hop_tolerance: second,
            budget: Some(budget),
            ..terms.clone()
        };
        Ok(Judge::new(claims.to_vec(), &terms)?.plan(chance) <= budget)
    };
    let (mut low, mut high) = (SMALLEST, LARGEST / terms.tolerance.max(terms.hop_tolerance));
    if high <= low || !is_enough(high)? {
        return Ok(None);
    }
    for _ in 0..STEPS {
        let middle = (low * high).sqrt();
        if is_enough(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(scaled(high)))
}
