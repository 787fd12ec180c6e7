//! The values of the placeholders, each a function of the seed and of the place of the request: the key with which a request was sent
//! is known afterwards although none was kept.

use std::num::NonZeroU64;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use uuid::{Builder, Uuid};

use super::template::Values;
use crate::shard::Shard;

/// Keeps the keys of requests apart from those of units.
const OF_REQUESTS: u64 = 0x5851_F42D_4C95_7F2D;
/// Odd, so that different places stay different.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) seed: u64,
    pub(super) shard: Shard,
    pub(super) per_unit: Option<NonZeroU64>,
}

impl Keys {
    /// Of the request with this place in the dispatch order. Several clients with one seed have no value in common.
    pub(super) fn values(&self, sequence: u64) -> Values {
        let number = self.shard.number(sequence);
        Values {
            number,
            uuid: uuid(self.seed ^ OF_REQUESTS, number),
            unit: uuid(self.seed, self.shard.number(self.unit(sequence))),
        }
    }

    /// The unit of a request.
    pub(super) fn unit(&self, sequence: u64) -> u64 {
        sequence / self.per_unit.map_or(1, NonZeroU64::get)
    }
}

fn uuid(seed: u64, place: u64) -> Uuid {
    let mut random = SmallRng::seed_from_u64(seed ^ place.wrapping_mul(SPREAD));
    Builder::from_random_bytes(random.random()).into_uuid()
}
