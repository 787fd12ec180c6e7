//! `loadBalancer`: how an endpoint is chosen.

use std::fmt;
use std::time::Duration;

use super::hash::{self, HashKey};
use super::locality::{self, LocalitySetting};
use crate::check::warning;
use crate::text::{Fields, Value};

/// Entries on a ring that is not told how many it has (Envoy's default).
const RING_SIZE: u64 = 1024;

/// Envoy refuses a larger ring.
const LARGEST_RING: u64 = 8_388_608;

/// Maglev tables have to be smaller.
const MAGLEV_BOUND: u64 = 5_000_011;

/// A `loadBalancer` block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadBalancing {
    /// The algorithm.
    pub algorithm: LoadBalancer,
    /// What `consistentHash` hashes; `None` when it names nothing, or is not there.
    pub hash: Option<HashKey>,
    /// How a new endpoint gets its full share.
    pub warmup: Option<Warmup>,
    /// `localityLbSetting`; `None`: the mesh's default.
    pub locality: Option<LocalitySetting>,
}

/// The algorithm by which an endpoint is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadBalancer {
    /// Of two endpoints drawn at random the one with fewer active requests. Istio's default.
    #[default]
    LeastRequest,
    /// In turn.
    RoundRobin,
    /// Independent draws.
    Random,
    /// The address that the client dialled. Without interception there is none: 503 UH.
    PassThrough,
    /// Consistent hashing on a ring of at least `minimum_size` entries.
    RingHash {
        /// `minimumRingSize`.
        minimum_size: u64,
    },
    /// Consistent hashing with a table of this (prime) size.
    Maglev {
        /// `tableSize`.
        table_size: u64,
    },
}

/// `warmup`: an endpoint that joins starts with a small share, which grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup {
    /// Until the full share.
    pub duration: Duration,
    /// The share at first, in percent of the full one; default 10.
    pub minimum_percent: f64,
    /// How fast it grows: the share is `(time / duration) ^ (1 / aggression)`; default 1.
    pub aggression: f64,
}

impl LoadBalancer {
    /// Whether the hash of a request decides.
    #[must_use]
    pub fn is_consistent_hash(self) -> bool {
        matches!(self, LoadBalancer::RingHash { .. } | LoadBalancer::Maglev { .. })
    }
}

impl fmt::Display for LoadBalancer {
    /// Istio's word, Envoy's for consistent hashing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LoadBalancer::LeastRequest => "LEAST_REQUEST",
            LoadBalancer::RoundRobin => "ROUND_ROBIN",
            LoadBalancer::Random => "RANDOM",
            LoadBalancer::PassThrough => "PASSTHROUGH",
            LoadBalancer::RingHash { .. } => "RING_HASH",
            LoadBalancer::Maglev { .. } => "MAGLEV",
        })
    }
}

impl Default for Warmup {
    fn default() -> Self {
        Warmup {
            duration: Duration::ZERO,
            minimum_percent: 10.0,
            aggression: 1.0,
        }
    }
}

/// Reads `loadBalancer`. `outlier`: whether the policy detects outliers, without which nothing fails over.
pub(crate) fn read(value: &Value<'_>, outlier: bool) -> Option<LoadBalancing> {
    value.fields(|fields| {
        fields.at_most_one(&["simple", "consistentHash"]);
        if let Some(zones) = fields.unsupported("zoneAwareLbSetting") {
            locality::check_zones(&zones, outlier);
            if fields.value().has("localityLbSetting") {
                zones.problem("localityLbSetting and zoneAwareLbSetting exclude each other");
            }
        }
        let simple = fields.get("simple").and_then(|v| {
            v.choice(&[
                ("LEAST_REQUEST", LoadBalancer::LeastRequest),
                ("ROUND_ROBIN", LoadBalancer::RoundRobin),
                ("RANDOM", LoadBalancer::Random),
                ("LEAST_CONN", LoadBalancer::LeastRequest),
                ("UNSPECIFIED", LoadBalancer::LeastRequest),
                ("PASSTHROUGH", LoadBalancer::PassThrough),
            ])
        });
        let hashed = fields.get("consistentHash").and_then(|v| v.fields(read_hashed));
        let short = fields.get("warmupDurationSecs").and_then(|v| v.fine_duration());
        let warmup = fields.get("warmup").and_then(|v| v.fields(read_warmup));
        let (algorithm, hash) = hashed.unwrap_or((simple.unwrap_or_default(), None));
        LoadBalancing {
            algorithm,
            hash,
            warmup: warmup.or(short.map(|duration| Warmup {
                duration,
                ..Warmup::default()
            })),
            locality: fields
                .get("localityLbSetting")
                .and_then(|v| locality::read(&v, outlier)),
        }
    })
}

fn read_hashed(fields: &mut Fields<'_>) -> (LoadBalancer, Option<HashKey>) {
    fields.at_most_one(&["ringHash", "maglev"]);
    let key = hash::read(fields);
    let old = fields.get("minimumRingSize").and_then(|v| {
        let size = ring_size(&v)?;
        let advice = format!("write `ringHash: {{minimumRingSize: {size}}}`");
        v.warn(&warning::RING_SIZE, "this field is deprecated", Some(advice));
        Some(size)
    });
    let ring = fields.get("ringHash").map(|v| {
        let size = v.fields(|fields| fields.get("minimumRingSize").and_then(|v| ring_size(&v)));
        size.flatten().unwrap_or(RING_SIZE)
    });
    let maglev = fields.get("maglev").and_then(|v| read_maglev(&v));
    if old.is_some() && (ring.is_some() || maglev.is_some()) {
        let message = "only one of minimumRingSize and ringHash or maglev can be specified";
        fields.value().problem(message);
    }
    let algorithm = match maglev {
        Some(table_size) => LoadBalancer::Maglev { table_size },
        None => LoadBalancer::RingHash {
            minimum_size: ring.or(old).unwrap_or(RING_SIZE),
        },
    };
    (algorithm, key)
}

/// 0 counts as absent.
fn ring_size(value: &Value<'_>) -> Option<u64> {
    let size = value.uint64()?;
    if size > LARGEST_RING {
        value.envoy_refuses_cluster(&format!("a ring has at most {LARGEST_RING} entries"));
    }
    Some(size).filter(|size| *size > 0)
}

fn read_maglev(value: &Value<'_>) -> Option<u64> {
    value.fields(|fields| {
        let size = fields.needed("tableSize").and_then(|v| {
            let size = v.uint64()?;
            if size >= MAGLEV_BOUND {
                v.problem(format!("tableSize must be less than {MAGLEV_BOUND} for maglev"));
            } else if !is_prime(size) {
                v.problem("tableSize must be a prime number for maglev");
            }
            Some(size)
        });
        size.unwrap_or(1).max(1)
    })
}

/// As Istio's check has it, for which 1 is one.
fn is_prime(number: u64) -> bool {
    let divides = |divisor: u64| number.is_multiple_of(divisor);
    // Larger ones are refused anyway.
    (1..MAGLEV_BOUND).contains(&number)
        && !(2..)
            .take_while(|divisor| divisor * divisor <= number)
            .any(divides)
}

fn read_warmup(fields: &mut Fields<'_>) -> Warmup {
    let default = Warmup::default();
    let duration = fields.required("duration").and_then(|v| v.duration());
    let percent = fields
        .get("minimumPercent")
        .and_then(|v| v.number_in(0.0..=100.0));
    let aggression = fields.get("aggression").and_then(|v| {
        let aggression = v.number_in(0.0..=f64::INFINITY)?;
        if aggression == 0.0 {
            v.problem("aggression must be greater than 0");
        }
        Some(aggression)
    });
    Warmup {
        duration: duration.unwrap_or_default(),
        minimum_percent: percent.unwrap_or(default.minimum_percent),
        aggression: aggression.unwrap_or(default.aggression),
    }
}

#[cfg(test)]
mod tests {
    use super::is_prime;

    #[test]
    fn primes_are_told_apart() {
        for number in [1, 2, 3, 5, 65_537] {
            assert!(is_prime(number), "{number}");
        }
        for number in [0, 4, 9, 12, 65_536] {
            assert!(!is_prime(number), "{number}");
        }
    }
}
