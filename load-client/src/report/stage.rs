//! One stage of a rollout, on every path into the mesh.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sticky::leaks;
use super::table::{EDGE_COLUMNS, joined, lines};
use super::{ErrorReport, Report, number};
use crate::expect::Path;
use crate::judge::Conclusion;
use crate::mesh_state::MeshState;

/// What was found at one stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageReport {
    /// Name of its folder.
    pub stage: String,
    /// True if it was applied to undo a stage that failed.
    pub rollback: bool,
    /// The worst of the paths; `ERRORS` if an error gate ended it.
    pub verdict: Conclusion,
    /// What the paths do not say themselves: why it was not applied, or what the error gate found.
    pub reason: Option<String>,
    /// From the end of the apply command until the first request that saw the new split; null when nothing changed
    /// or it was never seen.
    pub in_force_after_seconds: Option<f64>,
    /// From the start of the apply command until the verdict on all paths.
    pub seconds: f64,
    /// Requests from the start of the apply command until the judgement began.
    pub change_requests: u64,
    /// Of them, those that failed.
    pub change_errors: u64,
    /// With which status or without which answer they failed, `503` or `timeout`, and how often each.
    pub change_errors_with: BTreeMap<String, u64>,
    /// Requests of the first path sent after the verdict on it, while another path was still being judged.
    pub later_requests: u64,
    /// Of them, those that failed.
    pub later_errors: u64,
    /// What was found on each path, first the one of the load that never pauses.
    pub paths: Vec<Report>,
    /// The comparisons of the error gate.
    pub gates: Vec<ErrorReport>,
    /// What the proxies hold; null if they were not asked.
    pub held: Option<Held>,
}

/// What the proxies hold, or why that is not known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Held {
    /// They were read.
    Known(MeshState),
    /// They were not.
    Unknown {
        /// Why, and what to do.
        reason: String,
    },
}

impl StageReport {
    /// A verification: what is in force now, on one path.
    pub(super) fn in_force(report: Report) -> Self {
        Self {
            stage: "in force now".to_owned(),
            rollback: false,
            verdict: report.verdict,
            reason: None,
            in_force_after_seconds: None,
            seconds: report.made.as_ref().map_or(0.0, |made| made.seconds),
            change_requests: 0,
            change_errors: 0,
            change_errors_with: BTreeMap::new(),
            later_requests: 0,
            later_errors: 0,
            paths: vec![report],
            gates: Vec::new(),
            held: None,
        }
    }

    /// Probability of a wrong verdict on any of the paths.
    pub(super) fn alpha(&self) -> f64 {
        self.paths.iter().map(|path| path.alpha).sum()
    }

    /// All requests: while it was put into force, judged on each path, and later.
    pub fn requests(&self) -> u64 {
        let judged: u64 = self.paths.iter().map(|path| path.requests).sum();
        self.change_requests + judged + self.later_requests
    }

    /// Of them, those that failed.
    pub fn errors(&self) -> u64 {
        let judged: u64 = self.paths.iter().map(|path| path.errors).sum();
        self.change_errors + judged + self.later_errors
    }

    /// A line: the verdict, and what it rests on.
    pub fn headline(&self) -> String {
        let requests: u64 = self.paths.iter().map(|path| path.requests).sum();
        let after = format!("{} after {} requests", self.verdict, number::count(requests));
        match (&self.reason, self.paths.as_slice()) {
            (Some(reason), _) => format!("{after}: {reason}"),
            (None, [only]) => only.headline(),
            (None, [first, ..]) if self.verdict == Conclusion::Confirmed => {
                format!("{after}: on both paths as declared within {}", first.tolerances())
            }
            (None, paths) => {
                let unlike = paths.iter().filter(|path| path.verdict != Conclusion::Confirmed);
                let each: Vec<String> = unlike
                    .map(|path| format!("{}: {}", path.path, path.headline()))
                    .collect();
                each.join("; ")
            }
        }
    }

    /// ` (500: 31, timeout: 2)`; nothing without errors.
    fn changed_with(&self) -> String {
        let each = self.change_errors_with.iter();
        let each: Vec<String> = each
            .map(|(what, n)| format!("{what}: {}", number::count(*n)))
            .collect();
        if each.is_empty() {
            String::new()
        } else {
            format!(" ({})", each.join(", "))
        }
    }

    /// `30-canary-10, in force after 1 ms`.
    pub(super) fn title(&self) -> String {
        let mut title = self.stage.clone();
        if self.rollback {
            title.push_str(" (rollback)");
        }
        if let Some(seconds) = self.in_force_after_seconds {
            title.push_str(&format!(", in force after {}", number::time(seconds)));
        }
        if let Some(Held::Known(state)) = &self.held
            && state.agrees
        {
            let proxies = state.proxies();
            let plural = if proxies == 1 { "proxy" } else { "proxies" };
            title.push_str(&format!(", held by {proxies} {plural}"));
        }
        title
    }

    /// The edges of all paths: one row of the table, so that only stages are parted by lines.
    pub(super) fn row(&self) -> Vec<String> {
        let mut cells: Vec<Vec<String>> = vec![Vec::new(); EDGE_COLUMNS.len()];
        for path in &self.paths {
            for edge in &path.edges {
                let [mut name, rest @ ..] = lines(edge);
                if edge.edge.from == path.edges[0].edge.from {
                    name[0] = path.path.to_string();
                } else {
                    // The calls of the service that this path led to.
                    name.iter_mut()
                        .filter(|line| !line.is_empty())
                        .for_each(|line| line.insert_str(0, "  "));
                }
                cells[0].extend(name);
                for (cell, lines) in cells[1..].iter_mut().zip(rest) {
                    cell.extend(lines);
                }
            }
        }
        joined(&cells)
    }

    /// What may have gone wrong, in lines.
    pub(super) fn causes(&self) -> Vec<String> {
        let named = |path: Path| {
            if self.paths.len() > 1 {
                format!("{}, {path}, ", self.stage)
            } else {
                format!("{}, ", self.stage)
            }
        };
        self.paths
            .iter()
            .flat_map(|path| path.causes(&named(path.path)))
            .collect()
    }

    /// What there is to say about it, each with the path it is about, if there are several.
    pub(super) fn notes(&self) -> Vec<String> {
        let several = self.paths.len() > 1;
        let on = |path: Path| {
            if several {
                format!("{path}, ")
            } else {
                String::new()
            }
        };
        let mut notes: Vec<String> = self.reason.iter().cloned().collect();
        for path in &self.paths {
            let own = path.reason.iter().filter(|_| self.reason.is_none()).cloned();
            notes.extend(path.notes().chain(own).map(|note| on(path.path) + &note));
        }
        // Of header routes; that a stage without them leaks nothing is in its intervals.
        let edges = || self.paths.iter().flat_map(|path| &path.edges);
        if edges().any(|edge| edge.edge.variant.is_some()) {
            notes.extend(leaks(edges(), self.alpha()));
        }
        let failed = |errors: u64, requests: u64, when: &str| {
            let (errors_shown, requests) = (number::count(errors), number::count(requests));
            (errors > 0).then(|| format!("{errors_shown} of {requests} requests failed {when}"))
        };
        notes.extend(failed(
            self.change_errors,
            self.change_requests,
            &format!("while the stage was put into force{}", self.changed_with()),
        ));
        notes.extend(failed(
            self.later_errors,
            self.later_requests,
            "after the verdict on them",
        ));
        match &self.held {
            Some(Held::Known(state)) if !state.agrees => notes.extend(state.lines()),
            Some(Held::Unknown { reason }) => notes.push(format!("the proxies were not read: {reason}")),
            _ => {}
        }
        notes
    }
}
