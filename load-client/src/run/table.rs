//! A run for people: what was done, what came back, and a table by version.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::report::{Percentiles, RunReport, VersionReport};

impl RunReport {
    /// Readable at 100 columns.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let loop_kind = match self.asked.intended_rate {
            Some(rate) => format!("at {rate} a second over {} connections", self.asked.connections),
            None => format!("over {} connections", self.asked.connections),
        };
        let stopped = if self.interrupted {
            " (interrupted: what was in flight is not counted)"
        } else {
            ""
        };
        writeln!(
            out,
            "{} answers in {:.2} s, {:.0} a second, {loop_kind}: {}{stopped}",
            self.requests, self.duration_seconds, self.rate, self.asked.url
        )?;
        writeln!(out, "statuses: {}", listed(self.statuses.iter()))?;
        writeln!(
            out,
            "requests without an answer: {}",
            listed(self.failures.iter())
        )?;
        writeln!(out, "\nlatency in ms, from the send to the end of the answer")?;
        self.write_latencies(out, |version| version.latency_ms, self.latency_ms)?;
        if self.asked.intended_rate.is_some() {
            writeln!(
                out,
                "\nlatency in ms, from the start that the rate intended (waiting for a connection included)"
            )?;
            self.write_latencies(
                out,
                |version| version.latency_from_intended_ms,
                self.latency_from_intended_ms,
            )?;
        }
        Ok(())
    }

    fn write_latencies(
        &self,
        out: &mut impl Write,
        of: impl Fn(&VersionReport) -> Percentiles,
        all: Percentiles,
    ) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["version", "answers", "share", "p50", "p90", "p99", "p99.9", "max"]);
        for (name, version) in &self.versions {
            let share = format!("{:.2} %", version.share * 100.0);
            table.add_row(row(name, version.requests, &share, of(version)));
        }
        if self.unattributed.requests > 0 {
            table.add_row(row(
                "(none named)",
                self.unattributed.requests,
                "",
                of(&self.unattributed),
            ));
        }
        if table.row_count() != 1 {
            table.add_row(row("all", self.requests, "", all));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(out, "{table}")
    }
}

fn row(name: &str, answers: u64, share: &str, latency: Percentiles) -> Vec<String> {
    let Percentiles {
        p50,
        p90,
        p99,
        p99_9,
        max,
    } = latency;
    let mut cells = vec![name.to_owned(), answers.to_string(), share.to_owned()];
    cells.extend([p50, p90, p99, p99_9, max].map(|ms| format!("{ms:.3}")));
    cells
}

/// `200 (9), 503 (1)`, or `none`.
fn listed<'a, K: std::fmt::Display>(counts: impl Iterator<Item = (K, &'a u64)>) -> String {
    let words: Vec<String> = counts.map(|(what, count)| format!("{what} ({count})")).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}
