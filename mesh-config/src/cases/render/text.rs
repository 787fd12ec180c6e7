//! For people, in 80 columns: a line per case, and for each failure what to look at.

use std::fmt::{self, Write as _};

use crate::cases::{CaseResult, Failure, ReachedRule, Report, Suite};
use crate::explain::{counted, line};

/// Of one case, the first failure is told whole, so many others in a line each.
const MOST_OTHERS: usize = 4;

impl fmt::Display for Report {
    /// Each file with its cases, then the sum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for suite in &self.suites {
            writeln!(f, "{}", suite.file)?;
            for case in &suite.cases {
                show(f, suite, case)?;
            }
            for host in &suite.assumed {
                line(
                    f,
                    "  note",
                    &format!("no Service {host} in the manifests: taken to exist"),
                )?;
            }
            writeln!(f)?;
        }
        let failed = self.cases().filter(|(_, case)| !case.failures.is_empty()).count();
        let requests: usize = self.cases().map(|(_, case)| case.requests).sum();
        let all = self.cases().count();
        let (rules, missed) = (self.rules(), self.never_reached());
        let sum = match failed {
            0 => format!("{all} of {all} cases hold"),
            _ => format!("{failed} of {all} cases FAILED"),
        };
        let reached = rules.len() - missed.len();
        writeln!(
            f,
            "{sum}, {}; {reached} of {} rules reached",
            counted(requests, "request"),
            rules.len()
        )
    }
}

impl Report {
    /// The rules that no request of any case reached, by place; empty if there is none.
    #[must_use]
    pub fn coverage_text(&self) -> String {
        let missed = self.never_reached();
        let mut text = String::new();
        if !missed.is_empty() {
            text.push_str("rules never reached\n");
        }
        for rule in missed {
            let name = rule
                .name
                .as_ref()
                .map(|name| format!(" `{name}`"))
                .unwrap_or_default();
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "  {}:{}\n    {}, {}{name}",
                rule.file, rule.line, rule.object, rule.rule
            );
        }
        text
    }

    /// All rules of all files, each once, with whether any request of any case came there.
    #[must_use]
    pub fn rules(&self) -> Vec<ReachedRule> {
        let mut rules: Vec<ReachedRule> = self.suites.iter().flat_map(|suite| suite.rules.clone()).collect();
        // Reached ones first, so that of two of one place those stay.
        rules.sort_by(|a, b| {
            (&a.file, a.line, &a.object, &a.rule, !a.reached)
                .cmp(&(&b.file, b.line, &b.object, &b.rule, !b.reached))
        });
        rules.dedup_by(|a, b| (&a.file, a.line, &a.object, &a.rule) == (&b.file, b.line, &b.object, &b.rule));
        rules
    }

    /// Those that no request reached.
    #[must_use]
    pub fn never_reached(&self) -> Vec<ReachedRule> {
        let mut rules = self.rules();
        rules.retain(|rule| !rule.reached);
        rules
    }
}

fn show(f: &mut fmt::Formatter<'_>, suite: &Suite, case: &CaseResult) -> fmt::Result {
    let requests = counted(case.requests, "request");
    let description = &case.description;
    if case.failures.is_empty() {
        return line(f, "  ok", &format!("{description} ({requests})"));
    }
    let failed = case.failures.len();
    line(f, "  FAIL", &format!("{description} ({failed} of {requests})"))?;
    let mut failures = case.failures.iter();
    if let Some(first) = failures.next() {
        explain(f, suite, case, first)?;
    }
    for other in failures.by_ref().take(MOST_OTHERS) {
        line(f, "    also", &format!("{} from {}", other.request, other.from))?;
    }
    match failures.count() {
        0 => Ok(()),
        others => line(f, "    also", &format!("{others} more")),
    }
}

fn explain(f: &mut fmt::Formatter<'_>, suite: &Suite, case: &CaseResult, failure: &Failure) -> fmt::Result {
    line(f, "    request", &failure.request)?;
    line(f, "    from", &failure.from)?;
    for difference in &failure.differences {
        line(
            f,
            "    expected",
            &format!("{} {}", difference.what, difference.expected),
        )?;
        line(f, "    got", &difference.got)?;
    }
    line(f, "    case", &format!("{}:{}", suite.file, case.line))?;
    if let Some(place) = &failure.place {
        line(f, "    rule", place)?;
    }
    line(f, "    because", &failure.decision)?;
    for tried in &failure.tried {
        line(f, "    tried", tried)?;
    }
    Ok(())
}
