//! The two verdicts side by side.

use std::collections::BTreeSet;
use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde::Serialize;

use super::two_proxies::Change;

/// One thing that was judged on both.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// A stage, a scenario, a case.
    pub what: String,
    /// The verdict on local-mesh.
    pub local: String,
    /// The verdict on the cluster.
    pub cluster: String,
    /// Why they differ by nature, if that is known; then they must.
    pub by_nature: Option<String>,
    /// What differs on the cluster from what was recorded, for those who look into it.
    pub differences: Vec<String>,
}

impl Comparison {
    /// The same verdict on both, or different ones by nature.
    pub fn holds(&self) -> bool {
        (self.local == self.cluster) != self.by_nature.is_some()
    }
}

/// All of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Parity {
    /// In the order in which they were made.
    pub comparisons: Vec<Comparison>,
    /// What the receiver's sidecar was seen to change in requests; cases are compared without it.
    pub changes: BTreeSet<Change>,
    /// Who hears at once what is about to be done and what came of it: all of it takes many minutes.
    #[serde(skip)]
    pub listener: Option<fn(&str)>,
}

impl Parity {
    /// What is about to be done, or what came of it.
    pub(super) fn say(&self, what: &str) {
        if let Some(listener) = self.listener {
            listener(what);
        }
    }

    /// Keeps one and says it.
    pub(super) fn push(&mut self, comparison: Comparison) {
        let word = if comparison.holds() { "" } else { "NOT THE SAME: " };
        self.say(&format!("{word}{}: {}", comparison.what, comparison.verdicts()));
        self.comparisons.push(comparison);
    }

    /// All hold, and there are some.
    pub fn holds(&self) -> bool {
        !self.comparisons.is_empty() && self.comparisons.iter().all(Comparison::holds)
    }

    /// For people, at 80 columns.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_header(["", "local-mesh / cluster", ""]);
        for kind in self.comparisons.chunk_by(|a, b| a.kind() == b.kind()) {
            let lines =
                |cell: &dyn Fn(&Comparison) -> String| kind.iter().map(cell).collect::<Vec<_>>().join("\n");
            table.add_row([
                lines(&|one| one.what.clone()),
                lines(&Comparison::verdicts),
                lines(&|one| one.said().to_owned()),
            ]);
        }
        writeln!(out, "{table}")?;
        for one in &self.comparisons {
            self.explain(one, out)?;
        }
        for change in &self.changes {
            writeln!(out, "the receiver's sidecar: {} {}", change.header, change.reason)?;
        }
        writeln!(out, "{}", self.summary())
    }

    fn explain(&self, one: &Comparison, out: &mut impl Write) -> io::Result<()> {
        if let Some(reason) = &one.by_nature {
            let stale = if one.holds() {
                ""
            } else {
                "; they no longer differ: remove it from the list"
            };
            writeln!(out, "{}: by nature: {reason}{stale}", one.what)?;
        } else if !one.holds() {
            for difference in &one.differences {
                writeln!(out, "{}: {difference}", one.what)?;
            }
        }
        Ok(())
    }

    /// `PARITY: local verdict = cluster verdict in 50 of 50; 2 others differ by nature`.
    pub fn summary(&self) -> String {
        let by_nature = self
            .comparisons
            .iter()
            .filter(|one| one.by_nature.is_some())
            .count();
        let rest = self.comparisons.len() - by_nature;
        let equal = self
            .comparisons
            .iter()
            .filter(|one| one.by_nature.is_none() && one.holds())
            .count();
        let word = if self.holds() { "PARITY" } else { "NO PARITY" };
        let others = match by_nature {
            0 => String::new(),
            some => format!("; {some} more differ by nature"),
        };
        format!("{word}: local verdict = cluster verdict in {equal} of {rest}{others}")
    }
}

impl Comparison {
    /// `stage`, `scenario`, or nothing for a case.
    fn kind(&self) -> &str {
        self.what.split_once(' ').map_or("", |(kind, _)| kind)
    }

    /// One word for both where they agree.
    fn verdicts(&self) -> String {
        if self.local == self.cluster {
            self.local.clone()
        } else {
            format!("{} / {}", self.local, self.cluster)
        }
    }

    fn said(&self) -> &'static str {
        match (self.holds(), self.by_nature.is_some()) {
            (true, false) => "same",
            (true, true) => "by nature",
            (false, _) => "DIFFERENT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(what: &str, cluster: &str, by_nature: Option<&str>) -> Comparison {
        Comparison {
            what: what.to_owned(),
            local: "as recorded".to_owned(),
            cluster: cluster.to_owned(),
            by_nature: by_nature.map(str::to_owned),
            differences: vec!["step 0: status: expected 200, got 503".to_owned()],
        }
    }

    #[test]
    fn what_differs_by_nature_must_differ_and_everything_else_must_not() {
        assert!(!Parity::default().holds(), "nothing compared is nothing shown");
        let mut parity = Parity::default();
        parity
            .comparisons
            .push(comparison("weights/90-10", "as recorded", None));
        parity
            .comparisons
            .push(comparison("retries/refused", "differs", Some("two proxies")));
        assert!(parity.holds());
        assert_eq!(
            parity.summary(),
            "PARITY: local verdict = cluster verdict in 1 of 1; 1 more differ by nature"
        );
        parity
            .comparisons
            .push(comparison("retries/other", "as recorded", Some("two proxies")));
        assert!(
            !parity.holds(),
            "a listed difference that is gone has to go from the list"
        );
        parity.comparisons.pop();
        parity.comparisons.push(comparison("lb/other", "differs", None));
        assert!(!parity.holds());
        let mut text = Vec::new();
        parity.write_table(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("lb/other: step 0: status"), "{text}");
        assert!(text.contains("retries/refused: by nature: two proxies"), "{text}");
        assert!(
            text.ends_with("NO PARITY: local verdict = cluster verdict in 1 of 2; 1 more differ by nature\n")
        );
    }
}
