//! A run for people: what was done, what came back, and a table by version.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::report::{RunReport, VersionReport};
use crate::latency::Percentiles;
use crate::report::number;

impl RunReport {
    /// What was done, in a line.
    pub fn headline(&self) -> String {
        format!(
            "{} answers in {:.2} s, {:.0} a second: {}",
            number::count(self.requests),
            self.duration_seconds,
            self.rate,
            self.asked.url
        )
    }

    /// Readable at 80 columns: the verdict if there is one, then what was done and how long answers took.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(judgement) = &self.judgement {
            judgement.write_table(out)?;
            writeln!(out)?;
        }
        writeln!(out, "{}", self.headline())?;
        writeln!(out, "{}", self.how())?;
        if self.interrupted {
            writeln!(out, "interrupted: what was in flight is not counted")?;
        }
        if let Some(shard) = self.shard {
            writeln!(
                out,
                "shard {shard}: a part of a run; `load-client merge` adds up the results of all (-o json)"
            )?;
        }
        writeln!(out, "statuses: {}", listed(self.statuses.iter()))?;
        writeln!(
            out,
            "requests without an answer: {}",
            listed(self.failures.iter())
        )?;
        if let Some(reconciliation) = &self.reconciliation {
            reconciliation.write_table(out)?;
        }
        if let Some(error) = &self.ledger_error {
            writeln!(out, "not reconciled: {error}")?;
        }
        writeln!(out, "\nlatency in ms, from the send to the end of the answer")?;
        self.write_latencies(out, |version| version.latency_ms, self.latency_ms)?;
        if self.asked.intended_rate.is_some() {
            writeln!(
                out,
                "\nlatency in ms, from the start that the rate intended (waiting included)"
            )?;
            self.write_latencies(
                out,
                |version| version.latency_from_intended_ms,
                self.latency_from_intended_ms,
            )?;
        }
        Ok(())
    }

    /// Over how many connections, at which rate.
    fn how(&self) -> String {
        let clients = match self.clients {
            1 => String::new(),
            several => format!("{several} clients with "),
        };
        let over = format!("over {clients}{} connections", self.asked.connections);
        match self.asked.intended_rate {
            Some(rate) => format!("at {rate} a second {over}"),
            None => over,
        }
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
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 1));
            if index > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
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
    let mut cells = vec![name.to_owned(), number::count(answers), share.to_owned()];
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
