//! Are neighbours in the dispatch order independent? The runs test for any number of versions.

use super::evidence::float;

/// Runs in a sequence of versions, taken in one answer at a time.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    counts: Vec<u64>,
    runs: u64,
    last: Option<usize>,
}

/// What independent draws would have shown, and what was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunsTest {
    /// Maximal stretches of one version.
    pub runs: u64,
    /// What is expected of them, given the counts.
    pub expected: f64,
    /// Their variance, given the counts.
    pub variance: f64,
    /// Standard deviations from what is expected: below 0 clumped, above 0 alternating.
    pub z: f64,
}

impl Runs {
    /// The version of the next answer in dispatch order.
    pub fn record(&mut self, version: usize) {
        if version >= self.counts.len() {
            self.counts.resize(version + 1, 0);
        }
        self.counts[version] += 1;
        self.runs += u64::from(self.last != Some(version));
        self.last = Some(version);
    }

    /// The test; `None` without two versions, when there is nothing that could alternate.
    ///
    /// Given the counts `n_k`, with `s2 = Σ n_k²` and `s3 = Σ n_k³`, a random order has
    /// `E = (n(n+1) - s2)/n` runs with variance `[s2(s2 + n(n+1)) - 2n s3 - n³] / (n²(n-1))` (Wald and Wolfowitz's test
    /// for more than two kinds; Mood 1940). `z` is nearly normal from some twenty answers of the rarer version on.
    pub fn test(&self) -> Option<RunsTest> {
        // As shares of n, so that the cubes of large counts neither overflow nor cancel.
        let n = float(self.counts.iter().sum());
        let power = |exponent: i32| {
            self.counts
                .iter()
                .map(|k| (float(*k) / n).powi(exponent))
                .sum::<f64>()
        };
        let (q2, q3) = (power(2), power(3));
        let expected = n + 1.0 - n * q2;
        let spread = n * (q2 * q2 - 2.0 * q3 + q2) - (1.0 - q2);
        let variance = spread * n / (n - 1.0);
        if n < 2.0 || variance <= 0.0 {
            return None;
        }
        let z = (float(self.runs) - expected) / variance.sqrt();
        Some(RunsTest {
            runs: self.runs,
            expected,
            variance,
            z,
        })
    }

    /// Answers per version so far; versions that were not seen may be missing.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
}
