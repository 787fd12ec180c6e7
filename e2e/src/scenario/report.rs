//! What a scenario declared, what was seen, and whether the one is the other.

use std::fmt::Display;
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::chance::{ALPHA, agreeing};

/// One thing that must be seen.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// On which way, of which kind.
    pub group: String,
    /// What was looked at.
    pub what: String,
    /// As the manifests have it.
    pub declared: String,
    /// As it was seen.
    pub observed: String,
    /// What counts as declared.
    pub accepted: String,
    /// Whether what was seen is accepted.
    pub holds: bool,
    /// The chance that it does not hold although the mesh does as declared; 0 where nothing is drawn.
    pub alpha: f64,
}

/// A scenario that has run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Where it ran.
    pub target: String,
    /// All of them hold, and there are some.
    pub confirmed: bool,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// Of the checks to come.
    #[serde(skip)]
    group: String,
}

impl Report {
    /// Nothing seen yet, and so nothing confirmed.
    pub fn new(scenario: &'static str, about: &'static str, target: &str) -> Self {
        Report {
            scenario,
            about,
            target: target.to_owned(),
            confirmed: false,
            checks: Vec::new(),
            group: String::new(),
        }
    }

    /// What is checked from now on belongs together under this heading.
    pub fn group(&mut self, heading: impl Display) {
        self.group = heading.to_string();
    }

    fn add(
        &mut self,
        what: impl Display,
        [declared, observed, accepted]: [String; 3],
        holds: bool,
        alpha: f64,
    ) {
        self.checks.push(Check {
            group: self.group.clone(),
            what: what.to_string(),
            declared,
            observed,
            accepted,
            holds,
            alpha,
        });
        self.confirmed = self.checks.iter().all(|check| check.holds);
    }

    /// Something that leaves nothing to chance.
    pub fn exactly<T: Display + PartialEq>(&mut self, what: impl Display, declared: T, observed: T) {
        let holds = declared == observed;
        let declared = declared.to_string();
        let texts = [declared.clone(), observed.to_string(), declared];
        self.add(what, texts, holds, 0.0);
    }

    /// A share that is drawn: `count` of `n`, each with probability `p`.
    pub fn share(&mut self, what: impl Display, p: f64, count: u64, n: u64) {
        let range = agreeing(n, p, ALPHA);
        let holds = range.contains(&count);
        let texts = [percent(p), of(count, n), shown(&range)];
        self.add(what, texts, holds, ALPHA);
    }

    /// A count that is to be in this range; `alpha` is the chance of another one.
    pub fn count(
        &mut self,
        what: impl Display,
        declared: impl Display,
        (count, n): (u64, u64),
        accepted: RangeInclusive<u64>,
        alpha: f64,
    ) {
        let holds = accepted.contains(&count);
        let texts = [declared.to_string(), of(count, n), shown(&accepted)];
        self.add(what, texts, holds, alpha);
    }

    /// Times of which the shortest and the longest are to be within these bounds.
    pub fn times(
        &mut self,
        what: impl Display,
        declared: impl Display,
        times: &[Duration],
        accepted: RangeInclusive<Duration>,
    ) {
        let holds = !times.is_empty() && times.iter().all(|time| accepted.contains(time));
        let ends = times.iter().min().zip(times.iter().max());
        let observed = ends.map_or("none".to_owned(), |(low, high)| seconds(&(*low..=*high)));
        self.add(
            what,
            [declared.to_string(), observed, seconds(&accepted)],
            holds,
            0.0,
        );
    }

    /// For people, at 80 columns: a table, the verdict, and what it is worth.
    ///
    /// # Errors
    /// Of `out`.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let Report {
            scenario,
            about,
            target,
            ..
        } = self;
        writeln!(out, "{scenario} on {target}\n{about}")?;
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_header(["", "declared", "observed", "accepted", "verdict"]);
        for group in self.checks.chunk_by(|a, b| a.group == b.group) {
            table.add_row(row(group));
        }
        for column in table.column_iter_mut().skip(1).take(3) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(out, "{table}")?;
        writeln!(out, "{}", self.verdict())
    }

    /// `CONFIRMED: 9 of 9 as declared (...)`.
    pub fn verdict(&self) -> String {
        let word = if self.confirmed { "CONFIRMED" } else { "VIOLATION" };
        let hold = self.checks.iter().filter(|check| check.holds).count();
        let worth = match self.checks.iter().map(|check| check.alpha).sum::<f64>() {
            0.0 => "nothing is left to chance".to_owned(),
            alpha => format!("VIOLATION by chance: once in {:.0} runs", (1.0 / alpha).floor()),
        };
        format!("{word}: {hold} of {} as declared; {worth}", self.checks.len())
    }
}

/// A heading, and a line for each check.
fn row(group: &[Check]) -> [String; 5] {
    let mut cells = [
        group[0].group.clone(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ];
    for check in group {
        let verdict = if check.holds { "ok" } else { "VIOLATION" };
        let what = format!("  {}", check.what);
        let texts = [&what, &check.declared, &check.observed, &check.accepted, verdict];
        for (cell, text) in cells.iter_mut().zip(texts) {
            cell.push('\n');
            cell.push_str(text);
        }
    }
    cells
}

/// `87.5 %`.
fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn of(count: u64, n: u64) -> String {
    format!("{count} of {n}")
}

fn shown(range: &RangeInclusive<u64>) -> String {
    match (range.start(), range.end()) {
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low}–{high}"),
    }
}

fn seconds(range: &RangeInclusive<Duration>) -> String {
    format!(
        "{:.2}–{:.2} s",
        range.start().as_secs_f64(),
        range.end().as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_seen_is_nothing_confirmed_and_one_violation_is_enough() {
        let mut report = Report::new("timeout", "a", "b");
        assert!(!report.confirmed);
        report.exactly("status", 504, 504);
        assert!(report.confirmed);
        report.share("aborted", 0.5, 10, 100);
        report.exactly("status", 504, 504);
        assert!(!report.confirmed && !report.checks[1].holds);
        assert!(report.verdict().starts_with("VIOLATION: 2 of 3 as declared; "));
    }

    #[test]
    fn times_are_judged_by_the_shortest_and_the_longest() {
        let second = Duration::from_secs(1);
        let mut report = Report::new("timeout", "a", "b");
        let mut holds = |times: &[Duration]| {
            report.times("504 after", "1s", times, second..=2 * second);
            report.checks.last().unwrap().holds
        };
        assert!(holds(&[second, 2 * second]));
        assert!(!holds(&[second, 3 * second]));
        assert!(!holds(&[second / 2, second]));
        assert!(!holds(&[]), "no time is no time within the bounds");
    }

    #[test]
    fn the_table_shows_each_group_under_its_heading_and_says_what_the_verdict_is_worth() {
        let mut report = Report::new("fault", "errors and delays", "kind-istio-traffic-lab");
        report.group("gateway");
        report.share("aborted, flag FI", 0.2, 70, 400);
        report.exactly("all others 200", 330, 330);
        report.group("in mesh");
        report.share("aborted, flag FI", 0.2, 190, 400);
        let mut text = Vec::new();
        report.write_table(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let expected = [
            "fault on kind-istio-traffic-lab",
            "errors and delays",
            "───────────────────────────────────────────────────────────────────",
            "                      declared     observed   accepted   verdict",
            "═══════════════════════════════════════════════════════════════════",
            " gateway",
            "   aborted, flag FI       20 %    70 of 400     43–121   ok",
            "   all others 200          330          330        330   ok",
            "───────────────────────────────────────────────────────────────────",
            " in mesh",
            "   aborted, flag FI       20 %   190 of 400     43–121   VIOLATION",
            "───────────────────────────────────────────────────────────────────",
            "VIOLATION: 2 of 3 as declared; VIOLATION by chance: once in 500000 runs",
        ];
        assert_eq!(lines, expected, "\n{text}");
    }
}
