//! What was seen on an edge besides the counts of its versions: which instance answered, over which connection, called by
//! which proxy, after how many attempts.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::outcome::Failure;

/// Pairs of version and instance that are told apart; a mesh has fewer instances.
const MOST_CELLS: usize = 512;
/// Connections and proxies that are told apart.
const MOST_GROUPS: usize = 4_096;

/// Counts by version and instance, and the same for each connection and each calling proxy. Memory is bounded.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    cells: Vec<Cell>,
    index: HashMap<(usize, Box<str>), usize>,
    connections: BTreeMap<u64, Vec<u64>>,
    sources: BTreeMap<Box<str>, Vec<u64>>,
    lacking: BTreeMap<Lack, u64>,
}

/// Answers of one instance that said to be of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Index of the version.
    pub version: usize,
    /// Name of the instance; empty when the answer does not name one.
    pub instance: Box<str>,
    /// Answers to the first attempt.
    pub first: u64,
    /// Answers after a retry of the mesh.
    pub retried: u64,
}

/// What a request without a version came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// An answer of this status that names no version.
    Status(u16),
    /// No answer.
    Failure(Failure),
}

impl fmt::Display for Lack {
    /// `503`, `timeout`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lack::Status(status) => write!(f, "{status}"),
            Lack::Failure(failure) => write!(f, "{failure}"),
        }
    }
}

/// An answer that names who gave it.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// Index of the version.
    pub version: usize,
    /// Name of the instance; empty when it is not known.
    pub instance: &'a str,
    /// The connection of the client that it came over.
    pub connection: u64,
    /// The instance whose proxy routed it, on a second hop.
    pub source: Option<&'a str>,
    /// Attempts that the mesh made, 1 at least.
    pub attempts: u32,
}

impl Witness {
    /// One answer.
    pub fn record(&mut self, seen: Sighting<'_>) {
        let cell = self.cell(seen.version, seen.instance);
        if seen.attempts > 1 {
            self.cells[cell].retried += 1;
        } else {
            self.cells[cell].first += 1;
        }
        if self.connections.len() < MOST_GROUPS || self.connections.contains_key(&seen.connection) {
            add(self.connections.entry(seen.connection).or_default(), cell);
        }
        let Some(source) = seen.source else { return };
        if let Some(group) = self.sources.get_mut(source) {
            add(group, cell);
        } else if self.sources.len() < MOST_GROUPS {
            add(self.sources.entry(source.into()).or_default(), cell);
        }
    }

    /// One request whose version is not known.
    pub fn record_lack(&mut self, lack: Lack) {
        *self.lacking.entry(lack).or_default() += 1;
    }

    fn cell(&mut self, version: usize, instance: &str) -> usize {
        // The common case without an allocation: few cells, found by a look at each.
        let same = |cell: &Cell| cell.version == version && *cell.instance == *instance;
        if self.cells.len() <= 16
            && let Some(found) = self.cells.iter().position(same)
        {
            return found;
        }
        let instance = if self.cells.len() < MOST_CELLS {
            instance
        } else {
            ""
        };
        let next = self.cells.len();
        let index = *self.index.entry((version, instance.into())).or_insert(next);
        if index == next {
            self.cells.push(Cell {
                version,
                instance: instance.into(),
                first: 0,
                retried: 0,
            });
        }
        index
    }

    /// Every pair of version and instance that answered.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Answers per cell, of each connection.
    pub(super) fn connections(&self) -> impl Iterator<Item = &[u64]> {
        self.connections.values().map(Vec::as_slice)
    }

    /// Answers per cell, of each calling proxy.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &[u64])> {
        self.sources
            .iter()
            .map(|(name, counts)| (&**name, counts.as_slice()))
    }

    /// Requests without a version, by what they came to.
    pub fn lacking(&self) -> &BTreeMap<Lack, u64> {
        &self.lacking
    }

    /// Answers per version; `versions` is their number.
    pub(super) fn counts(&self, versions: usize) -> Vec<f64> {
        let mut counts = vec![0.0; versions];
        for cell in &self.cells {
            if let Some(count) = counts.get_mut(cell.version) {
                *count += cell.answers();
            }
        }
        counts
    }
}

impl Cell {
    /// All answers.
    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    pub(super) fn answers(&self) -> f64 {
        (self.first + self.retried) as f64
    }
}

fn add(counts: &mut Vec<u64>, cell: usize) {
    if cell >= counts.len() {
        counts.resize(cell + 1, 0);
    }
    counts[cell] += 1;
}
