//! Do groups of answers have the same shares? Groups are stretches of time, connections, or the proxies that routed.

use super::evidence::float;
use super::gamma::{chi_square_lower, chi_square_upper};

/// Pearson's test of a table with a row per group and a column per version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heterogeneity {
    /// `D = Σ (n_gk - n_g p_k)²/(n_g p_k)` with the pooled shares `p_k`.
    pub chi_square: f64,
    /// Degrees of freedom, `(G-1)(K-1)`.
    pub df: f64,
    /// `D/df`: 1 for independent draws, the design effect otherwise (n/ratio answers would say as much).
    pub ratio: f64,
    /// Probability of a greater `D` with the same shares everywhere: small when groups differ.
    pub p_upper: f64,
    /// Probability of a smaller `D`: small when groups are more alike than random draws are.
    pub p_lower: f64,
    /// Intraclass correlation, 0 to 1: near 1 when each group is all one version.
    pub icc: f64,
    /// Smallest expected count of a cell: below about 5 the probabilities are rough.
    pub least_expected: f64,
}

/// Tests a table, a row per group; `None` without two groups and two versions that have answers.
///
/// `ICC = (D/df - 1)/(m0 - 1)`, clamped, with the mean group size `m0 = (n - Σ n_g²/n)/(G-1)` of the analysis of variance.
pub fn heterogeneity(table: &[Vec<u64>]) -> Option<Heterogeneity> {
    let versions = table.iter().map(Vec::len).max()?;
    let count = |row: &[u64], k: usize| float(row.get(k).copied().unwrap_or(0));
    let size = |row: &[u64]| (0..versions).map(|k| count(row, k)).sum::<f64>();
    let groups: Vec<(&[u64], f64)> = table
        .iter()
        .map(|row| (row.as_slice(), size(row)))
        .filter(|(_, size)| *size > 0.0)
        .collect();
    let n: f64 = groups.iter().map(|(_, size)| size).sum();
    let pooled = |k: usize| groups.iter().map(|(row, _)| count(row, k)).sum::<f64>() / n;
    let shares: Vec<(usize, f64)> = (0..versions)
        .map(|k| (k, pooled(k)))
        .filter(|(_, p)| *p > 0.0)
        .collect();
    if groups.len() < 2 || shares.len() < 2 {
        return None;
    }
    let cell =
        |(row, size): &(&[u64], f64), (k, p): &(usize, f64)| (count(row, *k) - size * p).powi(2) / (size * p);
    let row = |group| shares.iter().map(|share| cell(group, share)).sum::<f64>();
    let chi_square: f64 = groups.iter().map(row).sum();
    let between = float(groups.len() as u64) - 1.0;
    let df = between * (float(shares.len() as u64) - 1.0);
    let ratio = chi_square / df;
    let squares: f64 = groups.iter().map(|(_, size)| size * size).sum();
    let mean = (n - squares / n) / between;
    let icc = if mean > 1.0 {
        ((ratio - 1.0) / (mean - 1.0)).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let least_expected =
        least(&mut groups.iter().map(|(_, size)| *size)) * least(&mut shares.iter().map(|(_, p)| *p));
    Some(Heterogeneity {
        chi_square,
        df,
        ratio,
        p_upper: chi_square_upper(df, chi_square),
        p_lower: chi_square_lower(df, chi_square),
        icc,
        least_expected,
    })
}
