//! Consistent hashing: the tables in which a hash finds its endpoint, the same one as in Envoy.
//!
//! Source: Envoy's `ring_hash_lb.cc` and `maglev_lb.cc`.

use std::rc::Rc;

use mesh_config::LoadBalancer;
use twox_hash::XxHash64;

use crate::proxy::cluster::host::Host;

/// An endpoint with its part of all requests; the parts add up to 1.
pub(super) type Weighted = (Rc<Host>, f64);

/// A table made for one set of endpoints.
pub(super) enum Table {
    /// Hashes in ascending order with the endpoint of each.
    Ring(Vec<(u64, Rc<Host>)>),
    /// The endpoint of each remainder.
    Maglev(Vec<Rc<Host>>),
}

impl Table {
    pub(super) fn new(algorithm: LoadBalancer, hosts: &[Weighted]) -> Self {
        match algorithm {
            LoadBalancer::Maglev { table_size } => Table::Maglev(maglev(hosts, table_size)),
            LoadBalancer::RingHash { minimum_size } => Table::Ring(ring(hosts, minimum_size)),
            _ => Table::Ring(Vec::new()),
        }
    }

    /// The endpoint of a hash; `again` counts the picks that led to an endpoint tried before.
    pub(super) fn find(&self, hash: u64, again: u64) -> Option<Rc<Host>> {
        let length = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        match self {
            Table::Ring(ring) => {
                let first = ring.partition_point(|(entry, _)| *entry < hash) as u64;
                let index = (first + again).checked_rem(length(ring.len()))?;
                let (_, host) = ring.get(usize::try_from(index).ok()?)?;
                Some(Rc::clone(host))
            }
            Table::Maglev(table) => {
                // The further picks change most of the bits, so that they do not all lead to one endpoint.
                let hash = if again > 0 {
                    hash ^ (u64::MAX - again + 1)
                } else {
                    hash
                };
                let index = hash.checked_rem(length(table.len()))?;
                table.get(usize::try_from(index).ok()?).cloned()
            }
        }
    }
}

/// Every endpoint has as many entries as its part of the ring wants; the hash of an entry is that of `address_number`.
/// The ring is made so large that the smallest part is a whole number of entries.
#[allow(clippy::cast_precision_loss)] // the largest size is 2^23
fn ring(hosts: &[Weighted], minimum_size: u64) -> Vec<(u64, Rc<Host>)> {
    let smallest = hosts.iter().map(|(_, part)| *part).fold(f64::INFINITY, f64::min);
    let scale = (smallest * minimum_size as f64).ceil() / smallest;
    let (mut made, mut wanted) = (0.0, 0.0);
    let mut ring = Vec::new();
    for (host, part) in hosts {
        wanted += scale * part;
        let address = host.address();
        let mut number = 0_u64;
        while made < wanted {
            let hash = XxHash64::oneshot(0, format!("{address}_{number}").as_bytes());
            ring.push((hash, Rc::clone(host)));
            number += 1;
            made += 1.0;
        }
    }
    ring.sort_by_key(|(hash, _)| *hash);
    ring
}

/// One endpoint's way through the table.
struct Candidate<'h> {
    host: &'h Rc<Host>,
    part: f64,
    target: f64,
    place: u64,
    step: u64,
}

/// Endpoints take free places in turn, each along a permutation of its own; lighter ones miss turns.
fn maglev(hosts: &[Weighted], size: u64) -> Vec<Rc<Host>> {
    let mut sorted: Vec<(String, &Weighted)> = hosts
        .iter()
        .map(|one| (one.0.address().to_string(), one))
        .collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    let heaviest = hosts.iter().map(|(_, part)| *part).fold(0.0, f64::max);
    let mut candidates: Vec<Candidate<'_>> = sorted
        .iter()
        .map(|(key, (host, part))| Candidate {
            host,
            part: *part,
            target: 0.0,
            place: XxHash64::oneshot(0, key.as_bytes()) % size,
            step: XxHash64::oneshot(1, key.as_bytes()) % (size - 1).max(1) + 1,
        })
        .collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let mut table: Vec<Option<&Rc<Host>>> = vec![None; usize::try_from(size).unwrap_or_default()];
    let (mut free, mut round) = (table.len(), 0.0);
    while free > 0 {
        round += 1.0;
        for candidate in &mut candidates {
            if free == 0 || round * candidate.part < candidate.target {
                continue;
            }
            candidate.target += heaviest;
            if candidate.take(&mut table, size) {
                free -= 1;
            }
        }
    }
    table.into_iter().flatten().cloned().collect()
}

impl<'h> Candidate<'h> {
    fn take(&mut self, table: &mut [Option<&'h Rc<Host>>], size: u64) -> bool {
        for _ in 0..table.len() {
            let index = usize::try_from(self.place).unwrap_or_default();
            self.place = (self.place + self.step) % size;
            if table[index].is_none() {
                table[index] = Some(self.host);
                return true;
            }
        }
        false
    }
}
