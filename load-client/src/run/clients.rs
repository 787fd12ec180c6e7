//! Do the clients of a run see the same? Each has its own connections, and inside a mesh its own proxy.

use super::counts::{Part, PartOfEdge};
use crate::judge::Conclusion;
use crate::report::{EdgeReport, IndependenceReport, Report, number};
use crate::stats::{Dependence, Heterogeneity, heterogeneity};

/// Level of the test when the verdict is that something is wrong.
const WRONG: f64 = 0.001;
/// The same when it is confirmed or open: clients that see the same are told to differ once in 100,000 edges.
const RIGHT: f64 = 1e-5;

/// The report on a sum, with what is known of the order of its answers: what each client found for itself, and whether
/// their shares differ. (The sum itself has no order: which of two clients' answers came first is not known.)
pub(super) fn of_several(mut report: Report, parts: &[Part]) -> Report {
    let wrong = matches!(report.verdict, Conclusion::Violation | Conclusion::Leak);
    let level = if wrong { WRONG } else { RIGHT };
    for (index, edge) in report.edges.iter_mut().enumerate() {
        let own: Vec<(u32, &PartOfEdge)> = parts
            .iter()
            .filter_map(|part| Some((part.shard.index, part.edges.get(index)?)))
            .collect();
        if edge.independence.is_some() {
            edge.independence = Some(independence(edge, &own, level));
        }
    }
    report
}

fn independence(edge: &EdgeReport, parts: &[(u32, &PartOfEdge)], level: f64) -> IndependenceReport {
    let own = || {
        parts
            .iter()
            .filter_map(|(client, part)| Some((client, part.independence.as_ref()?)))
    };
    let table = heterogeneity(&rows(edge, parts));
    let differ = table.filter(|table| table.p_upper < level);
    let odd = own().find(|(_, found)| !found.dependence.is_sound());
    let regular = own().find(|(_, found)| found.dependence != Dependence::Independent);
    let (dependence, note) = match (differ, odd.or(regular)) {
        (Some(_), _) => (Dependence::UnequalSources, Some(unequal(edge, parts))),
        (None, Some((client, found))) => {
            let note = found.note.as_ref().map(|note| format!("client {client}: {note}"));
            (found.dependence, note)
        }
        (None, None) => (Dependence::Independent, None),
    };
    let effects = own().filter_map(|(_, found)| found.design_effect);
    IndependenceReport {
        dependence,
        note,
        runs_z: None,
        design_effect: effects
            .chain(table.map(|table: Heterogeneity| table.ratio))
            .reduce(f64::max),
        units: own().map(|(_, found)| found.units).sum(),
        units_log_e: None,
        units_refute: false,
    }
}

/// Answers by client and version.
fn rows(edge: &EdgeReport, parts: &[(u32, &PartOfEdge)]) -> Vec<Vec<u64>> {
    let count = |part: &PartOfEdge, version: &str| part.answers.get(version).copied().unwrap_or(0);
    let row = |(_, part): &(u32, &PartOfEdge)| {
        let versions = edge.versions.iter();
        versions
            .map(|version| count(part, &version.version))
            .collect::<Vec<_>>()
    };
    let rows = parts.iter().map(row);
    rows.filter(|row| row.iter().sum::<u64>() > 0).collect()
}

/// What each client saw of the version on which they differ most.
#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn unequal(edge: &EdgeReport, parts: &[(u32, &PartOfEdge)]) -> String {
    let share = |part: &PartOfEdge, version: &str| {
        let all: u64 = part.answers.values().sum();
        part.answers.get(version).copied().unwrap_or(0) as f64 / all.max(1) as f64
    };
    let spread = |version: &str| {
        let shares = parts.iter().map(|(_, part)| share(part, version));
        let (low, high) = shares.fold((1.0, 0.0), |(low, high): (f64, f64), share| {
            (low.min(share), high.max(share))
        });
        high - low
    };
    let versions = edge.versions.iter().rev().map(|version| version.version.as_str());
    let version = versions
        .max_by(|a, b| spread(a).total_cmp(&spread(b)))
        .unwrap_or_default();
    let each = parts
        .iter()
        .map(|(client, part)| format!("client {client} {}", number::observed(share(part, version), 1)));
    format!(
        "the clients do not see the same, as when the proxy of one has old rules: {version} gets {}",
        each.collect::<Vec<_>>().join(", ")
    )
}
