//! How many requests a verdict takes.
//!
//! The verdict itself is asked, so that this holds for any alpha, any number of versions, near the boundary, and for 100 %.
//! To confirm: at how many requests does a sample of what is declared lie among the counts that are confirmed, with a certain
//! probability? To reject: at how many is a sample decided that lies a certain number of standard deviations beside what
//! is true? A sequential verdict may stop whenever the sample is lucky for a moment, so less than for a single look does: it is set
//! so that the numbers agree with the exact and simulated ones (median and 99 % point, within a twentieth for two versions). In the
//! middle this comes to `44 t(1-t)/tolerance²` requests for a 99 % chance at `alpha` 0.001 with `t` the share nearest
//! to one half, and to `ln(1/alpha) / -ln(1-tolerance)` for a declared 100 %.

use super::evidence::float;
use super::ln_gamma;
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
    /// Standard deviations that a sample of the true shares may lie off when it is to be rejected.
    fn deviations(self) -> f64 {
        match self {
            Chance::Half => -0.15,
            Chance::High => 2.2,
            Chance::NearlyCertain => 4.0,
        }
    }

    /// Probability at a single look that comes to this chance over all looks until then.
    fn at_one_look(self) -> f64 {
        match self {
            Chance::Half => 0.35,
            Chance::High => 0.979,
            Chance::NearlyCertain => 0.999_94,
        }
    }

    /// Standard deviations above the mean of requests that come one way.
    fn margin(self) -> f64 {
        match self {
            Chance::Half => 0.0,
            Chance::High => 2.3,
            Chance::NearlyCertain => 4.0,
        }
    }
}

/// Requests after which the split is CONFIRMED with this chance when it is as declared; `None`: more than 10^12.
pub fn to_confirm(split: &Split, gate: &Gate, chance: Chance) -> Option<u64> {
    smallest(|n| {
        // Of two versions each says what the other one says.
        let all = split.active();
        let mut telling = all.iter().take(if all.len() == 2 { 1 } else { all.len() });
        telling.all(|k| confirmed(split, gate, k.index, n) >= chance.at_one_look())
    })
}

/// The probability that the count of version `k` among `n` requests is one that is confirmed, the others in proportion.
fn confirmed(split: &Split, gate: &Gate, k: usize, n: u64) -> f64 {
    let share = split.weights()[k];
    let (mean, deviation) = (float(n) * share, (float(n) * share * (1.0 - share)).sqrt());
    let is_confirmed = |count: u64| {
        let counts = with_count(split.weights(), k, float(n), float(count));
        verdict(split, counts, gate) == Verdict::Confirmed
    };
    // A rare version is confirmed first when there is less of it than expected: its interval is narrower there.
    let tried = [0.0, -0.5, -1.0, -1.5, -2.0, 0.5].map(|z| count_of((mean + z * deviation).max(0.0)));
    let Some(inside) = tried.into_iter().find(|count| is_confirmed(*count)) else {
        return 0.0;
    };
    let reach = count_of(6.0 * deviation);
    let low = turning(inside, inside.saturating_sub(reach), is_confirmed);
    let high = turning(inside, (inside + reach).min(n), is_confirmed);
    binomial(n, share, low, high)
}

/// The count nearest to `towards` that is confirmed, when all from `inside` to there are.
fn turning(inside: u64, towards: u64, is_confirmed: impl Fn(u64) -> bool) -> u64 {
    if is_confirmed(towards) {
        return towards;
    }
    let (mut inside, mut outside) = (inside, towards);
    while inside.abs_diff(outside) > 1 {
        let middle = u64::midpoint(inside, outside);
        if is_confirmed(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}

/// The probability of `low` to `high` successes among `n` with probability `share` each.
fn binomial(n: u64, share: f64, low: u64, high: u64) -> f64 {
    if share >= 1.0 {
        return f64::from(u8::from(high >= n));
    }
    let (n, first) = (float(n), float(low));
    let ways = ln_gamma(n + 1.0) - ln_gamma(first + 1.0) - ln_gamma(n - first + 1.0);
    let mut mass = (ways + first * share.ln() + (n - first) * (-share).ln_1p()).exp();
    let mut sum = 0.0;
    for count in low..=high {
        sum += mass;
        mass *= (n - float(count)) / float(count + 1) * share / (1.0 - share);
    }
    sum
}

/// Requests after which it is a VIOLATION with this chance when it is `truth` instead; `None`: more than 10^12, or
/// never because it is no violation under the terms.
pub fn to_reject(split: &Split, truth: &Split, gate: &Gate, chance: Chance) -> Option<u64> {
    let distance = |k: usize| truth.weights()[k] - split.weights()[k];
    let furthest =
        (0..split.weights().len()).max_by(|a, b| distance(*a).abs().total_cmp(&distance(*b).abs()))?;
    let z = -distance(furthest).signum() * chance.deviations();
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
    let spread = chance.margin() * (needed * (1.0 - traffic)).sqrt();
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
    with_count(shares, k, n, (n * share + deviation + skew).clamp(0.0, n))
}

/// Counts of `n` requests of which version `k` has this many and the others what is left, in proportion.
fn with_count(shares: &[f64], k: usize, n: f64, count: f64) -> Vec<u64> {
    let rest = if shares[k] < 1.0 {
        (n - count) / (1.0 - shares[k])
    } else {
        0.0
    };
    let one = |(j, other): (usize, &f64)| count_of(if j == k { count } else { other * rest });
    shares.iter().enumerate().map(one).collect()
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
