//! How likely the answers are under what each cause would produce.
//!
//! Every model is a likelihood of the same data: for each request its version, the instance that answered, whether that
//! took a retry, or that it has no version at all. So models can be compared, whichever of these they speak about. What
//! a model does not speak about is as the data have it: a free rate of requests without version, a free rate of retries,
//! instances of a version drawn alike. A free number costs `½ ln n`, as in the Bayesian information criterion.

use super::facts::Facts;
use super::witness::{Cell, Witness};

/// A request does something else than a model says with this probability: no model is refuted by one odd answer.
const NOISE: f64 = 0.001;
/// More than this part of the requests without a version, or retried, calls for an explanation: without one a model is as
/// many times less likely, in nats.
const MANY: f64 = 0.02;
const SURPRISE: f64 = 3.0;
/// Prior probability that a proxy is a stale one.
const STALE: f64 = 0.25;

/// The data, and the parts of the likelihood that most models share.
pub(super) struct Data<'a> {
    pub(super) facts: &'a Facts,
    pub(super) seen: &'a Witness,
    /// Answers per version.
    pub(super) counts: Vec<f64>,
    /// Answers with a version.
    pub(super) n: f64,
    /// Requests without one.
    pub(super) lacking: f64,
    /// Answers after a retry.
    pub(super) retried: f64,
    /// Instances per version, those declared or those seen, whichever are more.
    pub(super) instances: Vec<f64>,
}

impl<'a> Data<'a> {
    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    pub(super) fn new(facts: &'a Facts, seen: &'a Witness) -> Self {
        let versions = facts.versions.len();
        let counts = seen.counts(versions);
        let instances = |k: usize| {
            let declared = facts
                .workloads
                .iter()
                .filter(|workload| workload.version == facts.versions[k]);
            let declared: f64 = declared.map(|workload| f64::from(workload.replicas)).sum();
            let answered = seen
                .cells()
                .iter()
                .filter(|cell| cell.version == k && !cell.instance.is_empty())
                .count();
            declared.max(answered as f64).max(1.0)
        };
        Self {
            facts,
            seen,
            n: counts.iter().sum(),
            counts,
            lacking: seen.lacking().values().sum::<u64>() as f64,
            retried: seen.cells().iter().map(|cell| cell.retried).sum::<u64>() as f64,
            instances: (0..versions).map(instances).collect(),
        }
    }

    /// Requests of which something is known.
    pub(super) fn all(&self) -> f64 {
        self.n + self.lacking
    }

    /// Independent draws from a split.
    pub(super) fn draws(&self, shares: &[f64]) -> f64 {
        self.shares(shares) + self.instances() + self.free_lacking() + self.free_retries() + self.labels()
    }

    /// The versions alone.
    pub(super) fn shares(&self, shares: &[f64]) -> f64 {
        likelihood(&self.counts, shares)
    }

    /// Any instance of the version, each alike.
    pub(super) fn instances(&self) -> f64 {
        self.counts
            .iter()
            .zip(&self.instances)
            .map(|(count, instances)| -count * instances.ln())
            .sum()
    }

    /// Some requests have no version, whichever they are.
    pub(super) fn free_lacking(&self) -> f64 {
        free(self.lacking, self.all())
    }

    /// Some answers took a retry, whichever they are.
    pub(super) fn free_retries(&self) -> f64 {
        free(self.retried, self.n)
    }

    /// Instances report the version of the workload they belong to.
    pub(super) fn labels(&self) -> f64 {
        let wrong: f64 = self.mislabelled().map(Cell::answers).sum();
        wrong * NOISE.ln() + (self.n - wrong) * (-NOISE).ln_1p()
    }

    /// Instances that report another version than that of their workload.
    pub(super) fn mislabelled(&self) -> impl Iterator<Item = &'a Cell> {
        let (facts, seen) = (self.facts, self.seen);
        let differs = move |cell: &&Cell| {
            let workload = facts.workload_of(&cell.instance);
            workload.is_some_and(|workload| facts.versions.get(cell.version) != Some(&workload.version))
        };
        seen.cells().iter().filter(differs)
    }

    /// Some version of the data's own: its shares are as many free numbers as there are versions but one.
    pub(super) fn any_shares(&self) -> f64 {
        let observed: Vec<f64> = self.counts.iter().map(|count| count / self.n.max(1.0)).collect();
        let free = self.counts.iter().filter(|count| **count > 0.0).count().max(2) - 1;
        #[allow(clippy::cast_precision_loss)] // versions
        let penalty = free as f64 * penalty(self.n);
        self.draws(&observed) - penalty
    }

    /// The workloads are drawn by the split, and their pods report some other version.
    pub(super) fn by_workload(&self) -> f64 {
        let mut counts = vec![0.0; self.counts.len()];
        for cell in self.seen.cells() {
            let version = self
                .facts
                .workload_of(&cell.instance)
                .map(|workload| &workload.version);
            let real =
                version.and_then(|version| self.facts.versions.iter().position(|name| name == version));
            if let Some(count) = counts.get_mut(real.unwrap_or(cell.version)) {
                *count += cell.answers();
            }
        }
        likelihood(&counts, &self.facts.declared)
            + self.instances()
            + self.free_lacking()
            + self.free_retries()
            + self.n * (-NOISE).ln_1p()
            - penalty(self.n)
    }

    /// The requests that are drawn for version `k` come to nothing: all of them, or a part.
    pub(super) fn lost(&self, k: usize) -> f64 {
        let part = (self.lacking / (self.all() * self.facts.declared[k]).max(1.0)).min(1.0);
        let all = self.lost_part(k, 1.0);
        all.max(self.lost_part(k, part) - penalty(self.all()))
    }

    fn lost_part(&self, k: usize, part: f64) -> f64 {
        let declared = self.facts.declared[k];
        let mut counts = self.counts.clone();
        let mut shares = self.facts.declared.clone();
        shares[k] = declared * (1.0 - part);
        counts.push(self.lacking);
        shares.push(declared * part);
        likelihood(&counts, &shares) + self.instances() + self.free_retries() + self.labels()
    }

    /// A part of the requests that are drawn for version `k` fail there and are sent again: the answers to a first attempt
    /// are drawn by the split, but for those; who answers the others is as the data have it.
    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    pub(super) fn retried_elsewhere(&self, k: usize) -> f64 {
        let declared = &self.facts.declared;
        let part = (self.retried / (self.n * declared[k]).max(1.0)).min(1.0 - NOISE);
        let (mut first, mut retried) = (vec![0.0; declared.len()], vec![0.0; declared.len()]);
        for cell in self
            .seen
            .cells()
            .iter()
            .filter(|cell| cell.version < declared.len())
        {
            first[cell.version] += cell.first as f64;
            retried[cell.version] += cell.retried as f64;
        }
        let who: Vec<f64> = retried
            .iter()
            .map(|count| count / self.retried.max(1.0))
            .collect();
        let kept: Vec<f64> = declared
            .iter()
            .enumerate()
            .map(|(j, share)| if j == k { share * (1.0 - part) } else { *share })
            .collect();
        first.push(self.retried);
        let drawn = likelihood(&first, &[kept, vec![declared[k] * part]].concat());
        let numbers = declared.iter().filter(|share| **share > 0.0).count() as f64;
        drawn + likelihood(&retried, &who) + self.instances() + self.free_lacking() + self.labels()
            - numbers * penalty(self.n)
    }

    /// Whether there is anything that could stay with a connection: not where all is to go to one version and does.
    pub(super) fn something_drawn(&self) -> bool {
        let cells = self.seen.cells().iter();
        let mut others = cells.filter(|cell| {
            self.facts
                .declared
                .get(cell.version)
                .is_none_or(|share| *share < 1.0)
        });
        others.any(|cell| cell.answers() > 0.0)
    }

    /// Each connection draws once and stays: with an instance, or with a version.
    pub(super) fn sticky(&self) -> f64 {
        self.units(self.seen.connections(), true) + self.free_lacking() + self.free_retries() + self.labels()
    }

    /// All requests have one key, for which an instance was drawn once.
    pub(super) fn one_key(&self) -> f64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count
        let all: Vec<u64> = self
            .seen
            .cells()
            .iter()
            .map(|cell| cell.answers() as u64)
            .collect();
        self.units([all.as_slice()].into_iter(), false)
            + self.free_lacking()
            + self.free_retries()
            + self.labels()
    }

    /// Each unit stays with an instance or, if that is possible, with a version.
    fn units<'u>(&self, units: impl Iterator<Item = &'u [u64]>, by_version: bool) -> f64 {
        let shares = smooth(&self.facts.declared);
        let mut counted = 0.0;
        let mut sum = 0.0;
        for unit in units.filter(|unit| unit.iter().any(|count| *count > 0)) {
            let per_version = self.per_version(unit);
            let n: f64 = per_version.iter().sum();
            counted += n;
            #[allow(clippy::cast_precision_loss)] // counts below 2^53
            let most = unit.iter().copied().max().unwrap_or(0) as f64;
            let best = |k: usize| {
                shares[k].ln() + stays(per_version[k], n) - per_version[k] * self.instances[k].ln()
            };
            let versions = (0..shares.len()).filter(|_| by_version).map(best);
            let instance = self
                .seen
                .cells()
                .iter()
                .zip(unit)
                .max_by_key(|(_, count)| **count)
                .map(|(cell, _)| {
                    shares[cell.version].ln() - self.instances[cell.version].ln() + stays(most, n)
                });
            sum += versions.chain(instance).fold(f64::NEG_INFINITY, f64::max);
        }
        // Answers of connections that were not kept apart: as one more draw each.
        sum + (self.n - counted) * (self.shares(&self.facts.declared) + self.instances()) / self.n.max(1.0)
    }

    /// Each proxy routes by the declared split or, with a prior probability of a quarter, by another one; for each proxy
    /// whether it is one of those. `None` if all are alike.
    pub(super) fn stale(&self, other: &[f64]) -> Option<(f64, Vec<(String, bool)>)> {
        let (mut sum, mut counted) = (0.0, vec![0.0; self.counts.len()]);
        let mut which = Vec::new();
        for (name, group) in self.groups() {
            let counts = self.per_version(group);
            let right = likelihood(&counts, &self.facts.declared) + (1.0 - STALE).ln();
            let wrong = likelihood(&counts, other) + STALE.ln();
            sum += right.max(wrong) + (-(right - wrong).abs()).exp().ln_1p();
            counted
                .iter_mut()
                .zip(&counts)
                .for_each(|(sum, count)| *sum += count);
            which.push((name, wrong > right));
        }
        let stale = which.iter().filter(|(_, stale)| *stale).count();
        if stale == 0 || stale == which.len() {
            return None;
        }
        let rest: Vec<f64> = self
            .counts
            .iter()
            .zip(&counted)
            .map(|(all, counted)| all - counted)
            .collect();
        let rest = likelihood(&rest, &self.facts.declared);
        let others = self.instances() + self.free_lacking() + self.free_retries() + self.labels();
        Some((sum + rest + others, which))
    }

    /// What a proxy routes: by calling instance on a second hop, by connection on a first one, where each connection ends
    /// at one proxy.
    fn groups(&self) -> Vec<(String, &'a [u64])> {
        if self.facts.second_hop {
            return self
                .seen
                .sources()
                .map(|(name, group)| (name.to_owned(), group))
                .collect();
        }
        let connections = self.seen.connections().enumerate();
        connections
            .map(|(index, group)| (format!("connection {}", index + 1), group))
            .collect()
    }

    /// Answers per version of a group of answers per cell.
    pub(super) fn per_version(&self, group: &[u64]) -> Vec<f64> {
        let mut counts = vec![0.0; self.counts.len()];
        for (cell, count) in self.seen.cells().iter().zip(group) {
            if let Some(sum) = counts.get_mut(cell.version) {
                #[allow(clippy::cast_precision_loss)] // counts below 2^53
                let count = *count as f64;
                *sum += count;
            }
        }
        counts
    }
}

/// `n - 1` answers that stay with what was drawn, or do something else.
fn stays(staying: f64, n: f64) -> f64 {
    (staying - 1.0).max(0.0) * (-NOISE).ln_1p() + (n - staying) * NOISE.ln()
}

/// `Σ n_k ln p_k`, with some noise.
fn likelihood(counts: &[f64], shares: &[f64]) -> f64 {
    let shares = smooth(shares);
    let terms = counts.iter().zip(&shares);
    terms
        .map(|(count, share)| if *count == 0.0 { 0.0 } else { count * share.ln() })
        .sum()
}

#[allow(clippy::cast_precision_loss)] // versions
fn smooth(shares: &[f64]) -> Vec<f64> {
    let each = NOISE / shares.len().max(1) as f64;
    shares.iter().map(|share| share * (1.0 - NOISE) + each).collect()
}

/// `hits` of `n` at a free rate. That some are retried or lost without a reason is likely, that many are is not.
fn free(hits: f64, n: f64) -> f64 {
    let entropy = |count: f64| {
        if count == 0.0 {
            0.0
        } else {
            count * (count / n).ln()
        }
    };
    let surprise = if hits > MANY * n { SURPRISE } else { 0.0 };
    entropy(hits) + entropy(n - hits) - surprise - if hits == 0.0 { 0.0 } else { penalty(n) }
}

/// What a free number costs.
pub(super) fn penalty(n: f64) -> f64 {
    0.5 * n.max(1.0).ln()
}
