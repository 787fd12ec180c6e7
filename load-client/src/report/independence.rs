//! Whether the answers of an edge are independent draws, which a verdict on shares takes for granted.

use serde::{Deserialize, Serialize};

use super::number;
use crate::judge::EdgeState;
use crate::stats::{Dependence, Diagnosis, Heterogeneity, LateChange};

/// What the diagnostics say. They qualify a verdict and have no part in its error rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndependenceReport {
    /// How the answers depend on each other.
    pub dependence: Dependence,
    /// The same in a sentence, with what to do; null if there is nothing to say.
    pub note: Option<String>,
    /// Of the runs test in dispatch order, in standard deviations: below 0 clumped, above 0 alternating.
    pub runs_z: Option<f64>,
    /// How many times as much the shares vary between connections, proxies or stretches of time as independent draws
    /// would, at most; `n` divided by this is the number of independent answers that would say as much.
    pub design_effect: Option<f64>,
    /// Connections, of each of which the first answer is a draw of its own whatever the others are.
    pub units: u64,
    /// `ln` of the evidence of these first answers against the declared split; null when it is infinite.
    pub units_log_e: Option<f64>,
    /// Whether they refute it at the edge's alpha.
    pub units_refute: bool,
}

impl IndependenceReport {
    /// Of an edge as it is now; `None`: no traffic is declared for it.
    pub fn new(state: &EdgeState) -> Option<Self> {
        let diagnosis = state.diagnosis()?;
        let refute = diagnosis.units_log_e >= -state.gate()?.alpha().ln();
        let tables = [&diagnosis.connections, &diagnosis.sources, &diagnosis.slices];
        let ratios = tables
            .into_iter()
            .flatten()
            .map(|table: &Heterogeneity| table.ratio);
        Some(Self {
            dependence: diagnosis.dependence,
            note: note(state, &diagnosis, refute),
            runs_z: diagnosis.runs.map(|runs| runs.z),
            design_effect: ratios.reduce(f64::max),
            units: diagnosis.units.iter().sum(),
            units_log_e: Some(diagnosis.units_log_e).filter(|log_e| log_e.is_finite()),
            units_refute: refute,
        })
    }
}

fn note(state: &EdgeState, diagnosis: &Diagnosis, refute: bool) -> Option<String> {
    let units: u64 = diagnosis.units.iter().sum();
    let by_units = || {
        let (units, not) = (number::count(units), if refute { "" } else { "not " });
        format!("by the first answers of its {units} connections the declared split is {not}refuted")
    };
    let cure = "--connections-per-unit 1 makes a draw of each request";
    match diagnosis.dependence {
        Dependence::Unknown | Dependence::Independent => None,
        Dependence::StickyConnections => Some(format!(
            "answers are not independent: sticky by connection; {}; {cure}",
            by_units()
        )),
        Dependence::PartlySticky => Some(format!(
            "answers are not independent: a connection mostly repeats its version; {}; {cure}",
            by_units()
        )),
        Dependence::Deterministic => Some(
            "answers are more regular than random draws, as of a round robin: wrong verdicts are rarer than alpha then"
                .to_owned(),
        ),
        Dependence::Drift => Some(drift(state, diagnosis)),
        Dependence::UnequalConnections => Some(
            "answers are not alike: some connections get other shares than others, as with a gateway of which one pod has old rules"
                .to_owned(),
        ),
        Dependence::UnequalSources => Some(format!("answers are not alike: {}", unequal(state))),
        Dependence::Serial => {
            let z = diagnosis.runs.map_or(0.0, |runs| runs.z);
            Some(format!("answers are not independent: neighbours are (runs test z = {z:.1}); {cure}"))
        }
    }
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn share(counts: &[u64], k: usize) -> f64 {
    let n = counts.iter().sum::<u64>().max(1);
    counts.get(k).copied().unwrap_or(0) as f64 / n as f64
}

fn late_change(late: &LateChange) -> String {
    format!(
        "the split changed while it was measured: since about answer {} it is not what is declared (e = {}), which all answers \
         together do not show yet",
        number::count(late.after),
        number::power(late.log_e)
    )
}

/// The version whose share changed most, at both ends.
fn drift(state: &EdgeState, diagnosis: &Diagnosis) -> String {
    if let Some(late) = diagnosis.late {
        return late_change(&late);
    }
    let Some((first, last)) = &diagnosis.ends else {
        return String::new();
    };
    let change = |k: &usize| (share(first, *k) - share(last, *k)).abs();
    let most = (0..state.versions().len())
        .rev()
        .max_by(|a, b| change(a).total_cmp(&change(b)));
    let k = most.unwrap_or(0);
    format!(
        "the split changed while it was measured: {} from {} in the first tenth to {} in the last; verify again when nothing is rolled out",
        state.versions()[k],
        number::observed(share(first, k), 1),
        number::observed(share(last, k), 1),
    )
}

/// The shares that the callers send to the version on which they differ most.
fn unequal(state: &EdgeState) -> String {
    let Some(trace) = state.trace() else {
        return String::new();
    };
    let groups: Vec<(u64, Vec<u64>)> = trace
        .by_source()
        .map(|(source, counts)| (source, counts.to_vec()))
        .collect();
    let spread = |k: usize| {
        let shares = groups.iter().map(|(_, counts)| share(counts, k));
        let (low, high) = shares.fold((1.0, 0.0), |(low, high): (f64, f64), share| {
            (low.min(share), high.max(share))
        });
        high - low
    };
    let versions = state.versions();
    let k = (0..versions.len())
        .rev()
        .max_by(|a, b| spread(*a).total_cmp(&spread(*b)))
        .unwrap_or(0);
    let each = groups.iter().map(|(source, counts)| {
        format!(
            "{} {}",
            state.source(*source),
            number::observed(share(counts, k), 1)
        )
    });
    format!(
        "the proxies of the callers send other shares to {}: {}",
        versions[k],
        each.collect::<Vec<_>>().join(", ")
    )
}
