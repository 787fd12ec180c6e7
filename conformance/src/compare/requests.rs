//! What the workloads received.

use super::{Difference, headers, shown};
use crate::case::{Case, Seen};

/// When two workloads are as good as one another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Same<'c> {
    pub(super) case: &'c Case,
    /// The choice of a workload is free altogether.
    pub(super) any_workload: bool,
}

// === impl Same ===

impl Same<'_> {
    fn kind(&self, one: &Seen) -> String {
        if self.any_workload {
            String::new()
        } else {
            self.case.kind_of(&one.workload)
        }
    }

    pub(super) fn in_order(&self, what: &str, expected: &[Seen], got: &[Seen]) -> Vec<Difference> {
        if expected.len() != got.len() {
            let show = |seen: &[Seen]| {
                let names: Vec<&str> = seen.iter().map(|one| one.workload.as_str()).collect();
                format!("{} [{}]", seen.len(), names.join(", "))
            };
            return vec![Difference::new(what, show(expected), show(got))];
        }
        let pairs = expected.iter().zip(got).enumerate();
        pairs
            .flat_map(|(index, (one, other))| self.request(&format!("{what}[{index}]"), one, other))
            .collect()
    }

    pub(super) fn in_any_order(&self, what: &str, expected: &[Seen], got: &[Seen]) -> Vec<Difference> {
        let sorted = |seen: &[Seen]| {
            let mut seen = seen.to_vec();
            seen.sort_by_key(|one| (self.kind(one), one.path.clone()));
            seen
        };
        self.in_order(what, &sorted(expected), &sorted(got))
    }

    fn request(&self, what: &str, expected: &Seen, got: &Seen) -> Vec<Difference> {
        let mut found = Vec::new();
        if self.kind(expected) != self.kind(got) {
            found.push(Difference::new(
                format!("{what}.workload"),
                &expected.workload,
                &got.workload,
            ));
        }
        let bytes = |one: &Seen| one.body_bytes.map(|bytes| bytes.to_string());
        let fields = [
            ("method", Some(expected.method.clone()), Some(got.method.clone())),
            ("path", Some(expected.path.clone()), Some(got.path.clone())),
            ("host", expected.host.clone(), got.host.clone()),
            ("body_bytes", bytes(expected), bytes(got)),
        ];
        for (field, expected, got) in fields {
            if expected != got {
                found.push(Difference::new(
                    format!("{what}.{field}"),
                    shown(expected),
                    shown(got),
                ));
            }
        }
        found.extend(headers(
            &format!("{what}.headers"),
            &expected.headers,
            &got.headers,
        ));
        found
    }
}
