//! The table of a verdict, readable at 80 columns.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::edge::{EdgeReport, EdgeVerdict, VersionReport};
use super::sticky::leaks;
use super::{Report, number};
use crate::cause::Cause;
use crate::judge::Conclusion;
use crate::stats::Verdict;
use crate::wrap::indented;

/// What every table says about an edge.
pub(super) const EDGE_COLUMNS: [&str; 7] = [
    "edge",
    "declared",
    "observed",
    "n",
    "interval %",
    "verdict",
    "errors",
];

/// Columns of numbers among them.
const RIGHT: [usize; 5] = [1, 2, 3, 4, 6];

impl Report {
    /// For people: the verdict in a sentence, the table, what there is to say about it.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.headline())?;
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_header(EDGE_COLUMNS);
        table.add_rows(self.edges.iter().map(|edge| joined(&lines(edge))));
        align(&mut table);
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        for note in self.notes().chain(leaks(self.edges.iter(), self.alpha)) {
            writeln!(out, "{note}")?;
        }
        for line in self.causes("") {
            writeln!(out, "{line}")?;
        }
        for source in self.sources() {
            writeln!(out, "declared by {source}")?;
        }
        writeln!(out, "{}", self.terms())?;
        writeln!(out, "{}", self.traffic())
    }

    /// `CONFIRMED after 4,161 requests: ...`.
    pub fn headline(&self) -> String {
        let after = format!("{} after {} requests", self.verdict, number::count(self.requests));
        match self.verdict {
            Conclusion::Confirmed => format!("{after}: as declared within {}", self.tolerances()),
            Conclusion::Violation => match &self.reason {
                Some(reason) => format!("{after}: {reason}"),
                None if self.is_sound() => format!("{after}: the split is not as declared"),
                None => format!("{after}: these are no independent draws from the declared split"),
            },
            Conclusion::Leak => format!("{after}: a version answered that is declared to get nothing"),
            Conclusion::Errors | Conclusion::Undecided | Conclusion::CouldNotMeasure => {
                format!("{after}: {}", self.reason.as_deref().unwrap_or("stopped"))
            }
        }
    }

    /// What a verdict is worth.
    fn terms(&self) -> String {
        let used = self
            .edges
            .iter()
            .filter(|edge| edge.verdict != EdgeVerdict::NotUsed)
            .count();
        let shared = if used > 1 {
            format!(", shared by {used} edges")
        } else {
            String::new()
        };
        format!(
            "a verdict is wrong at most {} times (alpha {}{shared})",
            number::odds(self.alpha),
            self.alpha
        )
    }

    /// `2 points`, or `2 points (second hop 5 points)`.
    pub(super) fn tolerances(&self) -> String {
        let mut tolerances: Vec<String> = self
            .edges
            .iter()
            .filter_map(|edge| edge.tolerance.map(number::points))
            .collect();
        tolerances.dedup();
        match tolerances.as_slice() {
            [first, second, ..] => format!("{first} (second hop {second})"),
            [first] => first.clone(),
            [] => String::new(),
        }
    }

    /// Whether an edge is refuted whose answers can be taken for independent draws: then its weights are wrong.
    fn is_sound(&self) -> bool {
        let refuted = self
            .edges
            .iter()
            .filter(|edge| edge.verdict == EdgeVerdict::Used(Verdict::Violation));
        let mut independence = refuted.filter_map(|edge| edge.independence.as_ref());
        independence.any(|found| found.dependence.is_sound() || found.units_refute)
    }

    /// What is to be said about single edges, and about keys.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let edges = self.edges.iter().flat_map(|edge| {
            let independence = edge.independence.as_ref().and_then(|found| found.note.as_ref());
            let notes = edge.note.iter().map(|note| format!("{}: {note}", edge.edge));
            notes.chain(independence.map(|note| indented("", &format!("{}: {note}", edge.edge))))
        });
        edges.chain(self.sticky.as_ref().map(|sticky| sticky.text(self.alpha)))
    }

    /// What may have gone wrong, in lines; `stage` is said before the edge.
    pub(super) fn causes(&self, stage: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for edge in self.edges.iter().filter(|edge| !edge.causes.is_empty()) {
            lines.push(format!("why {stage}{}:", edge.edge));
            for (index, cause) in edge.causes.iter().enumerate() {
                let (what, evidence) = (&cause.what, &cause.evidence);
                let odds = likelihood(cause);
                lines.push(indented(
                    &format!("  {}. ", index + 1),
                    &format!("{what} ({odds})"),
                ));
                lines.push(indented("     ", evidence));
                lines.push(indented("     ", &format!("-> {}", cause.advice)));
            }
        }
        lines
    }

    fn sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = self
            .edges
            .iter()
            .filter_map(|edge| edge.declared_by.as_deref())
            .collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// What came back, in a line.
    fn traffic(&self) -> String {
        let mut words: Vec<String> = self
            .statuses
            .iter()
            .map(|(status, n)| format!("{status}: {}", number::count(*n)))
            .collect();
        words.extend(
            self.failures
                .iter()
                .map(|(failure, n)| format!("{failure}: {}", number::count(*n))),
        );
        for (what, n) in [
            ("version unknown", self.unattributed),
            ("retried by the mesh", self.retried),
        ] {
            if n > 0 {
                words.push(format!("{what}: {}", number::count(n)));
            }
        }
        let latency = self.latency_ms;
        words.push(format!(
            "latency p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            latency.p50, latency.p99, latency.max
        ));
        words.join("; ")
    }
}

/// How probable it is among the causes that were thought of.
pub(super) fn likelihood(cause: &Cause) -> String {
    let percent = cause.probability * 100.0;
    match percent {
        99.0.. => "by far the likeliest".to_owned(),
        1.0.. => format!("{percent:.0} % of the likelihood"),
        _ => "less than 1 % of the likelihood".to_owned(),
    }
}

/// The cells of an edge, each as many lines as it has versions, two at least: the edge itself is written on two.
pub(super) fn lines(edge: &EdgeReport) -> [Vec<String>; EDGE_COLUMNS.len()] {
    let decimals = number::decimals(edge.tolerance.unwrap_or(1.0));
    let each = |text: &dyn Fn(&VersionReport) -> String| edge.versions.iter().map(text).collect::<Vec<_>>();
    let used = edge.verdict != EdgeVerdict::NotUsed;
    let number = |value: u64| {
        if used {
            vec![number::count(value)]
        } else {
            Vec::new()
        }
    };
    let mut name = if used {
        vec![edge.edge.from.clone(), format!("-> {}", edge.edge.to)]
    } else {
        vec![edge.edge.from.clone()]
    };
    let variant = edge.edge.variant.as_ref();
    name.extend(variant.map(|variant| format!("   [{variant}]")));
    let width = edge.versions.iter().map(|v| v.version.len()).max().unwrap_or(0);
    let mut cells = [
        name,
        each(&|v| format!("{:width$} {:>5}", v.version, number::declared(v.declared))),
        each(&|v| {
            v.observed
                .map_or("-".to_owned(), |share| number::observed(share, decimals))
        }),
        number(edge.n),
        each(&|v| {
            v.interval
                .map_or("-".to_owned(), |interval| number::interval(interval, decimals))
        }),
        vec![edge.verdict.text().to_owned()],
        number(edge.errors),
    ];
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for cell in &mut cells {
        cell.resize(height, String::new());
    }
    cells
}

/// One table row.
pub(super) fn joined(cells: &[Vec<String>]) -> Vec<String> {
    cells.iter().map(|lines| lines.join("\n")).collect()
}

/// Numbers to the right, columns two spaces apart.
pub(super) fn align(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    // Nothing stands to the right of the last one.
    if let Some(last) = table.column_mut(EDGE_COLUMNS.len() - 1) {
        last.set_padding((0, 0));
    }
    for index in RIGHT {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
