//! A chain of two services as one split, whose cells are pairs of versions.

use super::split::{InvalidSplit, Split};

/// The split over pairs (version of the first service, version of the second), row by row: the product of the weights
/// when each hop draws anew. `second` has the split of the second hop for each version of the first.
///
/// Tested jointly, the pairs show a dependence that neither service's own shares show: one version's proxy with an old
/// configuration. Which edge is wrong is told by the conditional streams, one for each version of the first service: each
/// request contributes one factor to one of them, so they are streams like any other. `m` streams that are all printed
/// have `alpha/m` each ([`super::Gate::shared_by`]).
///
/// # Errors
/// No pair has a weight.
pub fn cells(first: &Split, second: &[Split]) -> Result<Split, InvalidSplit> {
    let pairs = first.weights().iter().zip(second);
    let row = |(weight, split): (&f64, &Split)| {
        split
            .weights()
            .iter()
            .map(|other| weight * other)
            .collect::<Vec<_>>()
    };
    Split::new(&pairs.flat_map(row).collect::<Vec<_>>())
}
