//! What a stream of answers shows besides its counts: who was next to whom, on which connection, through which proxy.

use std::collections::BTreeMap;

use super::evidence::{float, total};
use super::matches::Pairs;
use super::restart::Restarts;
use super::runs::Runs;
use super::split::Split;

/// Groups of one kind that are told apart; answers of later ones are not grouped. Memory stays what it is.
const MOST_GROUPS: usize = 4_096;
/// Windows that are kept: a million requests at 90/10.
const MOST_WINDOWS: usize = 10_000;
/// Stretches of time that are kept; when there are twice as many, neighbours become one.
const SLICES: usize = 20;
/// Answers of the rarest version in a window, on average.
const PER_WINDOW: f64 = 10.0;

/// Everything that the diagnostics need, in memory that does not grow with the requests. Fed in dispatch order with
/// the answers whose version is known.
#[derive(Clone, Debug)]
pub struct Trace {
    pub(super) runs: Runs,
    pub(super) windows: Windows,
    pub(super) slices: Slices,
    pub(super) restarts: Restarts,
    pub(super) connections: BTreeMap<u64, Group>,
    pub(super) sources: BTreeMap<u64, Group>,
    /// Consecutive answers on one connection.
    pub(super) same: Pairs,
    /// Neighbours of the dispatch order on different connections.
    pub(super) others: Pairs,
    previous: Option<(usize, u64)>,
}

/// The answers of one connection or through one proxy.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) counts: Vec<u64>,
    pub(super) first: usize,
    last: usize,
}

impl Trace {
    /// Nothing seen yet.
    pub fn new(split: &Split) -> Self {
        let least = split.active().iter().map(|k| k.weight).fold(1.0, f64::min);
        Self {
            runs: Runs::default(),
            windows: Windows::new(PER_WINDOW / least),
            slices: Slices {
                width: 1,
                slices: vec![Vec::new()],
            },
            restarts: Restarts::new(split.clone()),
            connections: BTreeMap::new(),
            sources: BTreeMap::new(),
            same: Pairs::default(),
            others: Pairs::default(),
            previous: None,
        }
    }

    /// The next answer: its version, the connection it came over, and the proxy that routed it if that is known.
    pub fn record(&mut self, version: usize, connection: u64, source: Option<u64>) {
        self.runs.record(version);
        self.windows.record(version);
        self.slices.record(version);
        self.restarts.record(version);
        if let Some(before) = group(&mut self.connections, connection, version) {
            self.same.record(before == version);
        }
        if let Some((before, other)) = self.previous
            && other != connection
        {
            self.others.record(before == version);
        }
        self.previous = Some((version, connection));
        if let Some(source) = source {
            group(&mut self.sources, source, version);
        }
    }

    /// Answers per version.
    pub fn counts(&self) -> &[u64] {
        self.runs.counts()
    }

    /// The first answer of each connection, per version: independent draws where a connection stays with a version.
    pub fn units(&self) -> Vec<u64> {
        let mut counts = vec![0; self.counts().len()];
        for group in self.connections.values() {
            counts[group.first] += 1;
        }
        counts
    }

    /// Per proxy, its number and its answers per version.
    pub fn by_source(&self) -> impl Iterator<Item = (u64, &[u64])> {
        self.sources
            .iter()
            .map(|(source, group)| (*source, group.counts.as_slice()))
    }

    /// Per connection, its answers per version.
    pub fn by_connection(&self) -> impl Iterator<Item = &[u64]> {
        self.connections.values().map(|group| group.counts.as_slice())
    }
}

/// Counts an answer for its group; the version of the group's answer before.
fn group(groups: &mut BTreeMap<u64, Group>, key: u64, version: usize) -> Option<usize> {
    if let Some(group) = groups.get_mut(&key) {
        add(&mut group.counts, version);
        return Some(std::mem::replace(&mut group.last, version));
    }
    if groups.len() < MOST_GROUPS {
        let mut counts = Vec::new();
        add(&mut counts, version);
        groups.insert(
            key,
            Group {
                counts,
                first: version,
                last: version,
            },
        );
    }
    None
}

fn add(counts: &mut Vec<u64>, version: usize) {
    if version >= counts.len() {
        counts.resize(version + 1, 0);
    }
    counts[version] += 1;
}

/// Counts of consecutive answers, the same number in each.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    length: u64,
    pub(super) full: Vec<Vec<u64>>,
    current: Vec<u64>,
}

impl Windows {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates: no window is ever full then
    fn new(length: f64) -> Self {
        Self {
            length: length.ceil() as u64,
            full: Vec::new(),
            current: Vec::new(),
        }
    }

    fn record(&mut self, version: usize) {
        if self.full.len() == MOST_WINDOWS {
            return;
        }
        add(&mut self.current, version);
        if total(&self.current) >= self.length {
            self.full.push(std::mem::take(&mut self.current));
        }
    }
}

/// Stretches of the whole sequence, equally long but for the last one.
#[derive(Clone, Debug)]
pub(super) struct Slices {
    width: u64,
    slices: Vec<Vec<u64>>,
}

impl Slices {
    fn record(&mut self, version: usize) {
        if self.slices.last().is_none_or(|slice| total(slice) >= self.width) {
            if self.slices.len() == 2 * SLICES {
                let halves = self.slices.chunks(2).map(sum).collect();
                self.slices = halves;
                self.width *= 2;
            }
            self.slices.push(Vec::new());
        }
        if let Some(current) = self.slices.last_mut() {
            add(current, version);
        }
    }

    /// As ten.
    pub(super) fn tenths(&self) -> Vec<Vec<u64>> {
        const TEN: usize = 10;
        let count = self.slices.len();
        let tenth = |i: usize| sum(&self.slices[i * count / TEN..(i + 1) * count / TEN]);
        (0..TEN).map(tenth).filter(|slice| total(slice) > 0).collect()
    }
}

fn sum(rows: &[Vec<u64>]) -> Vec<u64> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..width)
        .map(|k| rows.iter().filter_map(|row| row.get(k)).sum())
        .collect()
}

/// The rows in which every version that answered at all is expected at least `least` times.
pub(super) fn dense(rows: impl Iterator<Item = Vec<u64>>, counts: &[u64], least: f64) -> Vec<Vec<u64>> {
    let n = float(total(counts));
    let seen = counts.iter().filter(|count| **count > 0);
    let rarest = seen.map(|count| float(*count) / n).fold(1.0, f64::min);
    rows.filter(|row| float(total(row)) * rarest >= least).collect()
}
