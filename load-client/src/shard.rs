//! One of several clients that make a run together.

use std::fmt;
use std::str::FromStr;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// Which part of a run a client makes: number `index`, from 0, `of` so many. Kubernetes counts the pods of an Indexed Job
/// like that. The default is the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// Clients in all.
    pub of: u32,
}

/// The text names no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShard {
    /// Not two numbers.
    #[error("`{0}`: expected INDEX/COUNT, such as 0/4 for the first of four clients")]
    Form(String),
    /// Beyond the last.
    #[error("`{index}/{of}`: of {of} clients the first is 0 and the last is {last}", last = i64::from(*of) - 1)]
    Beyond {
        /// As written.
        index: u32,
        /// As written.
        of: u32,
    },
}

impl Default for Shard {
    fn default() -> Self {
        Shard { index: 0, of: 1 }
    }
}

impl Shard {
    /// This client's part of a number of requests; all parts sum to it, and differ by one at most.
    pub fn part(self, total: u64) -> u64 {
        let upto = |count: u32| u128::from(total) * u128::from(count) / u128::from(self.of);
        u64::try_from(upto(self.index + 1) - upto(self.index)).unwrap_or(u64::MAX)
    }

    /// The number that a client's request has among those of all clients: no two requests have the same.
    pub fn number(self, sequence: u64) -> u64 {
        sequence
            .wrapping_mul(u64::from(self.of))
            .wrapping_add(u64::from(self.index))
    }

    /// A seed for the draws of this client, so that no two draw alike. The first one's is the seed itself.
    pub fn seed(self, seed: u64) -> u64 {
        match self.index {
            0 => seed,
            index => SmallRng::seed_from_u64(seed ^ (u64::from(index) << 32)).random(),
        }
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers.ok_or_else(|| InvalidShard::Form(text.to_owned()))? {
            (index, of) if index < of => Ok(Shard { index, of }),
            (_, 0) => Err(InvalidShard::Form(text.to_owned())),
            (index, of) => Err(InvalidShard::Beyond { index, of }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_whole() {
        for total in [0, 1, 7, 1_000_003, u64::MAX] {
            let parts = (0..7).map(|index| Shard { index, of: 7 }.part(total));
            let parts: Vec<u64> = parts.collect();
            assert_eq!(parts.iter().sum::<u64>(), total);
            assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn a_shard_is_an_index_below_a_count() {
        assert_eq!("3/4".parse(), Ok(Shard { index: 3, of: 4 }));
        let beyond = "4/4".parse::<Shard>().unwrap_err().to_string();
        assert_eq!(beyond, "`4/4`: of 4 clients the first is 0 and the last is 3");
        for wrong in ["", "1", "1/", "/2", "0/0", "a/2", "-1/2", "1/2/3"] {
            assert!(
                matches!(wrong.parse::<Shard>(), Err(InvalidShard::Form(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn clients_share_no_number_and_no_seed() {
        let shards = (0..4).map(|index| Shard { index, of: 4 });
        let numbers = shards
            .clone()
            .flat_map(|shard| (0..5).map(move |n| shard.number(n)));
        let mut numbers: Vec<u64> = numbers.collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
        let seeds: std::collections::BTreeSet<u64> = shards.map(|shard| shard.seed(7)).collect();
        assert_eq!(seeds.len(), 4);
        assert!(seeds.contains(&7));
    }
}
