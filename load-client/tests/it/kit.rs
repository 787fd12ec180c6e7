//! Drawing from a split.

use load_client::stats::{FailOn, Gate, Split, Stream};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Two versions, the second with this share.
pub(crate) fn two(share: f64) -> Split {
    Split::new(&[1.0 - share, share]).unwrap()
}

pub(crate) fn gate(alpha: f64, tolerance: f64) -> Gate {
    Gate::new(alpha, tolerance, FailOn::AnyDeviation).unwrap()
}

/// As if these counts had been seen.
pub(crate) fn seen(split: &Split, counts: &[u64]) -> Stream {
    Stream::with_counts(split.clone(), counts.to_vec(), 0)
}

/// Independent draws of 0 and 1, where 1 has this share.
pub(crate) struct Draws {
    rng: SmallRng,
    share: f64,
}

impl Draws {
    pub(crate) fn new(share: f64, seed: u64) -> Self {
        Self {
            rng: SmallRng::seed_from_u64(seed),
            share,
        }
    }

    pub(crate) fn draw(&mut self) -> usize {
        usize::from(self.rng.random_bool(self.share))
    }
}

/// The value below which this part of the values lies.
pub(crate) fn quantile(mut values: Vec<u64>, part: f64) -> u64 {
    values.sort_unstable();
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    let index = ((values.len() - 1) as f64 * part).round() as usize;
    values[index]
}
