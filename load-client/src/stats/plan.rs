//! How many requests a verdict takes.
//!
//! The verdict itself is asked: at how many requests would a sample that lies `z` standard deviations beside what is
//! expected be decided? That holds for any alpha, any number of versions, near the boundary, and for 100 %. A
//! sequential verdict may stop whenever the sample is lucky for a moment, so `z` is smaller than for a single look: it
//! is set so that the numbers agree with the exact and simulated ones (median and 99 % point, within a tenth). In the
//! middle this comes to `44 t(1-t)/tolerance²` requests for a 99 % chance at `alpha` 0.001 with `t` the share nearest
//! to one half, and to `ln(1/alpha) / -ln(1-tolerance)` for a declared 100 %.

use super::evidence::float;
use super::split::Split;
use super::stream::Stream;
use super::verdict::{Gate, Verdict};

/// Beyond this the answer is "never".
const LIMIT: u64 = 1 << 40;

/// The chance with which the requests are to be enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// One in two: what to expect.
    Half,
    /// 99 in 100: a budget.
    High,
    /// 9,999 in 10,000: for a run of many verdicts, none of which should end without one.
    NearlyCertain,
}

impl Chance {
    fn deviations(self, for_confirmed: bool) -> f64 {
        match (self, for_confirmed) {
            (Chance::Half, true) => 0.45,
            (Chance::Half, false) => -0.15,
            (Chance::High, true) => 2.3,
            (Chance::High, false) => 2.2,
            (Chance::NearlyCertain, _) => 4.0,
        }
    }
}

/// Requests after which the split is CONFIRMED with this chance when it is as declared; `None`: more than 10^12.
pub fn to_confirm(split: &Split, gate: &Gate, chance: Chance) -> Option<u64> {
    let z = chance.deviations(true);
    let confirmed = |counts| verdict(split, counts, gate) == Verdict::Confirmed;
    smallest(|n| {
        let mut active = split.active().iter().map(|k| k.index);
        active.all(|k| {
            [-z, z]
                .into_iter()
                .all(|z| confirmed(sample(split.weights(), k, n, z)))
        })
    })
}

/// Requests after which it is a VIOLATION with this chance when it is `truth` instead; `None`: more than 10^12, or
/// never because it is no violation under the terms.
pub fn to_reject(split: &Split, truth: &Split, gate: &Gate, chance: Chance) -> Option<u64> {
    let distance = |k: usize| truth.weights()[k] - split.weights()[k];
    let furthest =
        (0..split.weights().len()).max_by(|a, b| distance(*a).abs().total_cmp(&distance(*b).abs()))?;
    let z = -distance(furthest).signum() * chance.deviations(false);
    smallest(|n| {
        let counts = sample(truth.weights(), furthest, n, z);
        matches!(verdict(split, counts, gate), Verdict::Violation | Verdict::Leak)
    })
}

/// Further requests after which there is a verdict if the shares stay as they were observed; `None`: never.
pub fn further(stream: &Stream, gate: &Gate) -> Option<u64> {
    let total = stream.total();
    if total == 0 {
        return to_confirm(stream.split(), gate, Chance::Half);
    }
    let scaled = |n: u64| {
        let scale = |count: u64| count_of(float(count) * float(n) / float(total));
        let counts = stream.counts().iter().map(|count| scale(*count)).collect();
        Stream::with_counts(stream.split().clone(), counts, scale(stream.unattributed()))
    };
    let needed = smallest(|n| n >= total && gate.look(&mut scaled(n)).verdict != Verdict::Undecided)?;
    Some(needed - total)
}

/// Requests of which `needed` come along with this chance, when each one does with probability `traffic`.
pub fn to_reach(needed: u64, traffic: f64, chance: Chance) -> u64 {
    let needed = float(needed);
    let spread = chance.deviations(true) * (needed * (1.0 - traffic)).sqrt();
    count_of(((needed + spread) / traffic).ceil())
}

fn verdict(split: &Split, counts: Vec<u64>, gate: &Gate) -> Verdict {
    gate.look(&mut Stream::with_counts(split.clone(), counts, 0))
        .verdict
}

/// Counts of `n` requests in which version `k` is `z` standard deviations above its share and the others keep their
/// proportions. The last term is Cornish and Fisher's for the skewness, which matters for small shares.
fn sample(shares: &[f64], k: usize, n: u64, z: f64) -> Vec<u64> {
    let (n, share) = (float(n), shares[k]);
    let deviation = z * (n * share * (1.0 - share)).sqrt();
    let skew = if deviation == 0.0 {
        0.0
    } else {
        (z * z - 1.0) * (1.0 - 2.0 * share) / 6.0
    };
    let hits = (n * share + deviation + skew).clamp(0.0, n);
    let rest = if share < 1.0 {
        (n - hits) / (1.0 - share)
    } else {
        0.0
    };
    let count = |(j, other): (usize, &f64)| count_of(if j == k { hits } else { other * rest });
    shares.iter().enumerate().map(count).collect()
}

/// The smallest number that is enough, when more is enough, too: doubling, then halving.
fn smallest(enough: impl Fn(u64) -> bool) -> Option<u64> {
    let mut high = 1;
    while !enough(high) {
        high *= 2;
        if high > LIMIT {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Rounded to a count.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn count_of(value: f64) -> u64 {
    value.round() as u64
}
