//! Is an answer more often of the version of the one before it on the same connection than chance would have it?

use super::evidence::float;

/// Pairs of answers and how many of them were of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Pairs.
    pub pairs: u64,
    /// Of them, those of one version.
    pub matches: u64,
}

/// Excess of matching pairs, in standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// On one connection, against independent draws: above 0 sticky, below 0 alternating.
    pub same: f64,
    /// On one connection, against neighbours of the dispatch order on different ones; a drift of the shares cancels.
    pub against_others: f64,
}

impl Pairs {
    /// One more pair.
    pub fn record(&mut self, matches: bool) {
        self.pairs += 1;
        self.matches += u64::from(matches);
    }

    fn rate(self) -> f64 {
        float(self.matches) / float(self.pairs)
    }
}

/// Compares `same` (consecutive answers on one connection) with chance and with `others` (neighbours of the dispatch
/// order on different connections); `None` without pairs of both, or if one version answered everything.
///
/// With `q2 = Σ p²` and `q3 = Σ p³` of the observed shares, pairs of independent draws match at rate `q2` with variance
/// `v = q2 - 2 q3 + q2²` per pair, the estimation of the shares accounted for.
pub fn excess(counts: &[u64], same: Pairs, others: Pairs) -> Option<Excess> {
    let n = float(counts.iter().sum());
    let power = |exponent: i32| counts.iter().map(|k| (float(*k) / n).powi(exponent)).sum::<f64>();
    let (q2, q3) = (power(2), power(3));
    let variance = q2 - 2.0 * q3 + q2 * q2;
    if n == 0.0 || same.pairs == 0 || others.pairs == 0 || variance <= 0.0 {
        return None;
    }
    let (a, b) = (1.0 / float(same.pairs), 1.0 / float(others.pairs));
    Some(Excess {
        same: (same.rate() - q2) / (variance * a).sqrt(),
        against_others: (same.rate() - others.rate()) / (variance * (a + b)).sqrt(),
    })
}
