//! A reconciliation for people, readable at 80 columns.

use std::io::{self, Write};

use super::{Key, Keys, Reconciliation};
use crate::report::number;
use crate::wrap::indented;

/// Keys that a table names of each kind.
const SHOWN: usize = 5;

impl Reconciliation {
    /// What was paid and charged, then each thing that is not as it should be, with its keys.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let count = number::count;
        writeln!(
            out,
            "payments: {} sent, {} paid; charges: {} on {} instances",
            count(self.sent),
            count(self.paid),
            count(self.charges),
            self.read.len()
        )?;
        writeln!(
            out,
            "  retried by the mesh: {} ({} attempts in all, as answers tell);\n  repeated and not charged again: {}",
            count(self.retried),
            count(self.attempts),
            count(self.replayed)
        )?;
        let unread: Vec<&str> = self.unread.iter().map(String::as_str).collect();
        if !unread.is_empty() {
            let text = format!(
                "ledgers that could not be read, their charges are not known: {}",
                unread.join(", ")
            );
            writeln!(out, "{}", indented("  ", &text))?;
        }
        if self.forgotten > 0 {
            writeln!(
                out,
                "  payments that ledgers have forgotten: {}",
                count(self.forgotten)
            )?;
        }
        let lost = if self.is_complete() {
            "LOST, paid and in no ledger"
        } else {
            "paid and in no ledger that was read"
        };
        write_keys(out, "CHARGED TWICE", &self.charged_twice)?;
        write_keys(out, lost, &self.lost)?;
        write_keys(
            out,
            "charged without a good answer (ask again with the same key)",
            &self.charged_unknown,
        )
    }
}

fn write_keys(out: &mut impl Write, what: &str, keys: &Keys) -> io::Result<()> {
    writeln!(out, "  {what}: {}", number::count(keys.count))?;
    for Key { key, charged_by } in keys.first.iter().take(SHOWN) {
        let by = if charged_by.is_empty() {
            String::new()
        } else {
            format!(" by {}", charged_by.join(" and "))
        };
        writeln!(out, "{}", indented("    ", &format!("{key}{by}")))?;
    }
    let more = keys.count.saturating_sub(SHOWN as u64);
    if more > 0 {
        writeln!(
            out,
            "    and {} more (-o json names {})",
            number::count(more),
            keys.first.len()
        )?;
    }
    Ok(())
}
