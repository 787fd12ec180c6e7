//! Counts: equal, or draws of one distribution.

use std::collections::BTreeSet;

use super::Difference;
use crate::case::{Case, Counts};
use crate::statistics::fisher;

/// By the labels of workloads: which endpoint of a subset was chosen is free.
pub(super) fn grouped(counts: &Counts, case: &Case) -> Counts {
    let mut found = Counts::new();
    for (workload, number) in counts {
        *found.entry(case.kind_of(workload)).or_default() += number;
    }
    found
}

/// `{200: 1990, 503: 10}`.
pub(super) fn shown(counts: &Counts) -> String {
    let pairs: Vec<String> = counts
        .iter()
        .map(|(what, number)| format!("{what}: {number}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Tests each key's share, `level` divided among them. A share is of `size`, or of the sum of the counts.
pub(super) fn drawn(
    field: &str,
    expected: &Counts,
    got: &Counts,
    size: Option<u64>,
    level: f64,
) -> Vec<Difference> {
    let of = |counts: &Counts| {
        let fits = |size: &u64| counts.values().all(|count| count <= size);
        size.filter(fits).unwrap_or_else(|| counts.values().sum())
    };
    let (n, m) = (of(expected), of(got));
    if (n == 0) != (m == 0) {
        return vec![Difference::new(field, shown(expected), shown(got))];
    }
    let keys: BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
    let level = level / keys.len().max(1) as f64;
    let count = |counts: &Counts, key: &String| counts.get(key).copied().unwrap_or(0);
    let mut found = Vec::new();
    for key in keys {
        let (a, b) = (count(expected, key), count(got, key));
        let p = fisher(a, n, b, m);
        if p < level {
            let got = format!("{b} of {m} (p = {p:.1e})");
            found.push(Difference::new(
                format!("{field}[{key}]"),
                format!("{a} of {n}"),
                got,
            ));
        }
    }
    found
}
