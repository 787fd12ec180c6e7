//! What is known not to agree: for now (`pending.txt`) and by nature (`DIFFERENCES.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Cases that do not agree, by `topic/case`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Not yet: the list only becomes shorter.
    pub pending: BTreeSet<String>,
    /// Never, each with a reason that is written down.
    pub by_nature: BTreeSet<String>,
}

// === impl Known ===

impl Known {
    /// The lists of the project.
    pub fn read() -> io::Result<Known> {
        let text = |name: &str| std::fs::read_to_string(path(name));
        Ok(Known {
            pending: listed(&text(PENDING)?),
            by_nature: rows(&text(DIFFERENCES)?).into_keys().collect(),
        })
    }

    /// Writes `pending.txt`.
    pub fn write_pending(&self) -> io::Result<()> {
        let lines: String = self.pending.iter().map(|case| format!("{case}\n")).collect();
        std::fs::write(path(PENDING), lines)
    }
}

/// What is compared on a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnCluster {
    /// `topic/case`, those that pods can express.
    pub cases: Vec<String>,
    /// Those of them that a cluster answers otherwise than was recorded with one proxy, each with the reason.
    pub by_nature: BTreeMap<String, String>,
}

/// The lists of the project for a cluster.
pub fn on_cluster() -> io::Result<OnCluster> {
    let cases = std::fs::read_to_string(path(ON_CLUSTER))?;
    let cases = cases
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(OnCluster {
        cases: cases.map(ToOwned::to_owned).collect(),
        by_nature: rows(&std::fs::read_to_string(path(TWO_PROXIES))?),
    })
}

/// One case a line.
pub const ON_CLUSTER: &str = "on-cluster.txt";
/// A table, `| case | reason |`.
pub const TWO_PROXIES: &str = "ON-CLUSTER.md";
/// One case a line.
pub const PENDING: &str = "pending.txt";
/// A table, `| case | reason |`.
pub const DIFFERENCES: &str = "DIFFERENCES.md";

/// Where the lists are.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path(name: &str) -> PathBuf {
    folder().join(name)
}

fn listed(text: &str) -> BTreeSet<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// The first cells of a table that name a case and give a reason.
fn rows(text: &str) -> BTreeMap<String, String> {
    let cells = |line: &str| -> Option<(String, String)> {
        let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
        let case = cells.next()?.trim_matches('`');
        let reason = cells.next().filter(|reason| !reason.is_empty())?;
        case.contains('/').then(|| (case.to_owned(), reason.to_owned()))
    };
    text.lines().filter_map(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_table_needs_a_case_and_a_reason() {
        let text = "# Differences\n\n| case | reason |\n|---|---|\n| `weights/a` | because |\n| lb/b | why |\n| lb/c | |\ntext\n";
        assert_eq!(
            rows(text),
            BTreeMap::from(
                [("weights/a", "because"), ("lb/b", "why")].map(|(a, b)| (a.to_owned(), b.to_owned()))
            )
        );
    }

    #[test]
    fn empty_lines_are_no_cases() {
        assert_eq!(
            listed("a/b\n\n  c/d \n"),
            BTreeSet::from(["a/b".to_owned(), "c/d".to_owned()])
        );
    }
}
