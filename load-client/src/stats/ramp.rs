//! Did a change come all at once, or over a while?

use super::change::log_ratios;
use super::evidence::float;
use super::ln_gamma;
use super::split::Split;

/// Requests per block; more when there would be too many blocks to try every pair.
const BLOCK: usize = 20;
const MOST_BLOCKS: usize = 500;
/// Evidence for a ramp, in nats: `ln 1000`.
const STRONG: f64 = 6.907_755_278_982_137;

/// A stretch in which neither the old nor the new split was in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Requests before it.
    pub from: usize,
    /// Requests before its end. Both ends are good to a few hundred requests.
    pub to: usize,
    /// How much better three stretches explain the answers than one abrupt change, in nats.
    pub gain: f64,
    /// Whether that is strong evidence (1,000 to 1). A heuristic, not an e-value: both ends are chosen by the data.
    pub strong: bool,
}

/// The best stretch between the old split and the new one, in blocks of 20 requests:
/// `max over t1 <= t2 of Σ_i≤t1 ln a(x_i) + logDM_½(counts in t1..t2) + Σ_i>t2 ln b(x_i)` against the best `t1 = t2`.
///
/// `logDM_½` is the probability of the stretch under Jeffreys' prior, a Dirichlet with parameters one half. Where proxies
/// tell their names, a change point for each of them says more.
pub fn ramp(versions: &[usize], old: &Split, new: &Split) -> Ramp {
    let size = BLOCK.max(versions.len().div_ceil(MOST_BLOCKS));
    let ratios = log_ratios(old, new);
    let kinds = new.weights().len();
    // Relative to the new split everywhere: S(t) = Σ_i≤t ln(a/b), and ln b of the stretch itself.
    let ln_new: Vec<f64> = new.weights().iter().map(|weight| weight.max(1e-9).ln()).collect();
    let mut gained = vec![0.0];
    let mut by_new = vec![0.0];
    let mut counts = vec![vec![0u64; kinds]];
    for block in versions.chunks(size) {
        let (mut gain, mut likelihood, mut count) = (
            gained[gained.len() - 1],
            by_new[by_new.len() - 1],
            counts[counts.len() - 1].clone(),
        );
        for version in block.iter().filter(|version| **version < kinds) {
            gain += ratios.get(*version).copied().unwrap_or(0.0);
            likelihood += ln_new[*version];
            count[*version] += 1;
        }
        gained.push(gain);
        by_new.push(likelihood);
        counts.push(count);
    }
    let abrupt = gained.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut best = (0, 0, abrupt);
    for first in 0..gained.len() {
        for last in first + 1..gained.len() {
            let stretch = jeffreys(&counts[first], &counts[last]) - (by_new[last] - by_new[first]);
            let value = gained[first] + stretch;
            if value > best.2 {
                best = (first, last, value);
            }
        }
    }
    let at = |block: usize| (block * size).min(versions.len());
    let gain = best.2 - abrupt;
    Ramp {
        from: at(best.0),
        to: at(best.1),
        gain,
        strong: gain > STRONG,
    }
}

/// `ln` of the probability of a stretch, from the counts before it and those at its end.
fn jeffreys(before: &[u64], after: &[u64]) -> f64 {
    let half = float(after.len() as u64) / 2.0;
    let n: u64 = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .sum();
    let terms = after
        .iter()
        .zip(before)
        .map(|(after, before)| ln_gamma(0.5 + float(after - before)) - ln_gamma(0.5));
    ln_gamma(half) - ln_gamma(half + float(n)) + terms.sum::<f64>()
}
