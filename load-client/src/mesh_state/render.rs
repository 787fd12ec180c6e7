//! The state of the mesh for people.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};

use super::held::Shown;
use super::{Counted, EdgeState, Finding, MeshState};
use crate::report::count;
use crate::wrap::{WIDTH, wrapped};

impl MeshState {
    /// Each edge with its proxies, then what was found.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        for edge in &self.edges {
            edge.write(out)?;
        }
        for counted in &self.counted {
            writeln!(out, "{counted}")?;
        }
        writeln!(out)?;
        for line in self.lines() {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// What was found, each with what to do; a sentence if nothing was.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if self.findings.is_empty() {
            let count = self.proxies();
            let plural = if count == 1 { "proxy holds" } else { "proxies hold" };
            return vec![format!("{count} {plural} what is declared")];
        }
        // Proxies with one trouble are named one after the other, then what to do about all of them.
        let mut lines = Vec::new();
        for same in self.findings.chunk_by(|a, b| a.fix == b.fix) {
            lines.extend(same.iter().flat_map(Finding::lines));
            lines.extend(same.first().map(|finding| format!("  -> {}", finding.fix)));
        }
        lines
    }

    /// How many proxies decide about some edge.
    #[must_use]
    pub fn proxies(&self) -> usize {
        let states = self.edges.iter().flat_map(|edge| &edge.proxies);
        states.map(|state| &state.proxy).collect::<BTreeSet<_>>().len()
    }
}

impl EdgeState {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: declared {}", self.edge, Shown(&self.declared))?;
        for state in &self.proxies {
            let holds = match (&state.held, &state.reason) {
                (Some(_), _) if state.agrees => "holds it".to_owned(),
                (Some(held), _) => format!("holds {}", Shown(held)),
                (None, reason) => reason.clone().unwrap_or_default(),
            };
            writeln!(out, "  {}: {holds}", state.proxy)?;
        }
        Ok(())
    }
}

impl fmt::Display for Counted {
    /// `client -> payment-service: the proxies counted 900 requests to v1, 100 to v2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: the proxies counted ", self.from, self.to)?;
        for (index, (version, requests)) in self.versions.iter().enumerate() {
            let (comma, word) = if index == 0 { ("", " requests") } else { (", ", "") };
            write!(f, "{comma}{}{word} to {version}", count(*requests))?;
        }
        if self.versions.is_empty() {
            f.write_str("no requests")?;
        }
        Ok(())
    }
}

impl Finding {
    /// The sentence, lines after the first indented.
    fn lines(&self) -> Vec<String> {
        let text = match &self.proxy {
            Some(proxy) => format!("{proxy} {}", self.text),
            None => self.text.clone(),
        };
        wrapped(&text, WIDTH - 2)
            .into_iter()
            .enumerate()
            .map(|(index, line)| if index == 0 { line } else { format!("  {line}") })
            .collect()
    }
}
