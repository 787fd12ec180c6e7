//! Are the answers independent draws? What a verdict about shares takes for granted.
//!
//! Fixed-sample tests, done once at the verdict, at a level for each, 0.001 say. They qualify the verdict and do not carry its error
//! rate: evidence against the declared split is evidence against "each request is an independent draw from it", and the
//! draws may be at fault rather than the weights.

use serde::{Deserialize, Serialize};

use super::gamma::chi_square_upper;
use super::heterogeneity::{Heterogeneity, heterogeneity};
use super::matches::{Excess, excess};
use super::runs::RunsTest;
use super::split::Split;
use super::trace::{Trace, dense};

/// Answers of the rarest version below which nothing can be told.
const FEWEST: u64 = 10;
/// Smallest expected count in a cell of a table.
const LEAST_EXPECTED: f64 = 5.0;
/// Intraclass correlation from which on a group is taken to be all of one version.
const PINNED: f64 = 0.5;

/// How the answers depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dependence {
    /// Too few answers, or one version only.
    Unknown,
    /// None that shows.
    Independent,
    /// Each connection stays with a version.
    StickyConnections,
    /// More alike than random draws are, as of a round robin.
    Deterministic,
    /// A connection mostly stays with a version for a while.
    PartlySticky,
    /// The shares changed in the course of the run.
    Drift,
    /// Some connections get other shares than others.
    UnequalConnections,
    /// Some proxies send other shares than others.
    UnequalSources,
    /// Neighbours depend on each other in another way.
    Serial,
}

/// The tests and what they come to.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What they come to.
    pub dependence: Dependence,
    /// In dispatch order.
    pub runs: Option<RunsTest>,
    /// Consecutive answers on one connection.
    pub excess: Option<Excess>,
    /// Windows of consecutive answers in which the rarest version is expected ten times.
    pub windows: Option<Heterogeneity>,
    /// Ten stretches of time.
    pub slices: Option<Heterogeneity>,
    /// Connections with answers enough.
    pub connections: Option<Heterogeneity>,
    /// Proxies with answers enough.
    pub sources: Option<Heterogeneity>,
    /// Answers per version in the first and in the last tenth.
    pub ends: Option<(Vec<u64>, Vec<u64>)>,
    /// Evidence of a split that was right and is no more: a change that came too late for the counts from the beginning to show it.
    pub late: Option<LateChange>,
    /// First answers of the connections, per version.
    pub units: Vec<u64>,
    /// `ln` of the e-value of the units against the declared split: right or wrong whatever connections do.
    pub units_log_e: f64,
}

impl Diagnosis {
    /// Of what was seen when `split` was declared, each test at `level`.
    pub fn new(trace: &Trace, split: &Split, level: f64) -> Self {
        let counts = trace.counts();
        let of = |rows: Vec<Vec<u64>>| heterogeneity(&dense(rows.into_iter(), counts, LEAST_EXPECTED));
        let rows = |groups: &mut dyn Iterator<Item = &[u64]>| groups.map(<[u64]>::to_vec).collect::<Vec<_>>();
        let slices = trace.slices.tenths();
        let units = trace.units();
        let mut diagnosis = Self {
            dependence: Dependence::Unknown,
            runs: trace.runs.test(),
            excess: excess(counts, trace.same, trace.others),
            windows: of(trace.windows.full.clone()),
            connections: of(rows(&mut trace.by_connection())),
            sources: of(rows(&mut trace.by_source().map(|(_, counts)| counts))),
            ends: slices.first().cloned().zip(slices.last().cloned()),
            slices: of(slices),
            late: late(trace, split, level),
            units_log_e: split.log_e(&units),
            units,
        };
        let rarest = counts.iter().filter(|count| **count > 0).min();
        if rarest.is_some_and(|rarest| *rarest >= FEWEST)
            && counts.iter().filter(|count| **count > 0).count() > 1
        {
            diagnosis.dependence = diagnosis.decide(pinned(trace, level), level);
        }
        diagnosis
    }

    /// The first that applies: what would also explain those after it comes first.
    fn decide(&self, pinned: bool, level: f64) -> Dependence {
        let differ = |table: &Option<Heterogeneity>| table.is_some_and(|table| table.p_upper < level);
        let alike = |table: &Option<Heterogeneity>| table.is_some_and(|table| table.p_lower < level);
        // Two-sided: 3.29 standard deviations at level 0.001.
        let far = |z: f64| chi_square_upper(1.0, z * z) < level;
        let above = |z: f64| z > 0.0 && far(z);
        let excess = self.excess.unwrap_or(Excess {
            same: 0.0,
            against_others: 0.0,
        });
        if pinned {
            Dependence::StickyConnections
        } else if alike(&self.windows)
            || (excess.same < 0.0 && far(excess.same) && !above(excess.against_others))
        {
            Dependence::Deterministic
        } else if above(excess.same) && above(excess.against_others) {
            Dependence::PartlySticky
        } else if differ(&self.slices) || self.late.is_some() {
            Dependence::Drift
        } else if differ(&self.sources) {
            Dependence::UnequalSources
        } else if differ(&self.connections) {
            Dependence::UnequalConnections
        } else if self.runs.is_some_and(|runs| far(runs.z)) {
            Dependence::Serial
        } else {
            Dependence::Independent
        }
    }
}

impl Dependence {
    /// Whether each answer can be taken for a draw of its own. More regular than random makes false alarms rarer, so
    /// that counts, too.
    pub fn is_sound(self) -> bool {
        matches!(
            self,
            Dependence::Unknown | Dependence::Independent | Dependence::Deterministic
        )
    }
}

/// A late change. Answers from the beginning dilute it; of those since every 500th answer a process of evidence is kept as well
/// ([`Restarts`](super::Restarts)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LateChange {
    /// Answers before it, about.
    pub after: u64,
    /// `ln` of the e-value against the declared split all the time.
    pub log_e: f64,
}

/// Where the restarts refute the declared split and the counts from the beginning do not.
fn late(trace: &Trace, split: &Split, level: f64) -> Option<LateChange> {
    let enough = -level.ln();
    let (from_start, log_e) = (split.log_e(trace.counts()), trace.restarts.log_e());
    let found = log_e >= enough && from_start < enough;
    found.then(|| LateChange {
        after: trace.restarts.since().unwrap_or(0),
        log_e,
    })
}

/// Connections that are all of one version tell each other apart with few answers each.
fn pinned(trace: &Trace, level: f64) -> bool {
    let several = |row: &&[u64]| row.iter().sum::<u64>() > 1;
    let table: Vec<Vec<u64>> = trace
        .by_connection()
        .filter(several)
        .map(<[u64]>::to_vec)
        .collect();
    heterogeneity(&table).is_some_and(|table| table.p_upper < level && table.icc > PINNED)
}
