//! The state of the mesh for people.

use std::io::{self, Write};

use super::held::Shown;
use super::{EdgeState, Finding, MeshState};
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
            let mut proxies: Vec<&str> = self.proxies().collect();
            proxies.sort_unstable();
            proxies.dedup();
            let count = proxies.len();
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

    fn proxies(&self) -> impl Iterator<Item = &str> {
        let states = self.edges.iter().flat_map(|edge| &edge.proxies);
        states.map(|state| state.proxy.as_str())
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
