//! What differs between what was recorded and what a replay observed.

mod counts;
mod requests;

use std::fmt;

use crate::case::{Action, Asked, Case, Headers, Many, Observed, One, Reply};
use crate::statistics::PER_CASE;

/// Seconds by which a duration may differ.
pub const SLACK: f64 = 0.15;

/// One thing that is not as the real thing had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which step, counted from 0; None if it is about the config.
    pub step: Option<usize>,
    /// What differs: `status`, `upstream[0].path`.
    pub field: String,
    /// What was recorded.
    pub expected: String,
    /// What was seen now.
    pub got: String,
}

/// How a step is compared.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'c> {
    /// Says which workloads are the same but for their name.
    pub case: &'c Case,
    /// The chance that a right data plane is called different in all random counts of one step together.
    pub level: f64,
}

// === impl Difference ===

impl Difference {
    /// Of a field; which step it was is added later.
    pub fn new(field: impl Into<String>, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Difference {
            step: None,
            field: field.into(),
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }

    /// The same, of this step.
    pub fn at(self, step: usize) -> Self {
        Difference {
            step: Some(step),
            ..self
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = self.step {
            write!(out, "step {step}: ")?;
        }
        write!(
            out,
            "{}: expected {}, got {}",
            self.field, self.expected, self.got
        )
    }
}

// === impl Judge ===

impl<'c> Judge<'c> {
    /// Of a case: its false alarms are divided among its random steps.
    pub fn of(case: &'c Case) -> Self {
        let random = case
            .steps
            .iter()
            .filter(|step| matches!(&step.action, Action::Send(asked) if asked.random));
        Judge {
            case,
            level: PER_CASE / random.count().max(1) as f64,
        }
    }

    /// All that differs in one step.
    pub fn differences(&self, asked: &Asked, got: &Observed) -> Vec<Difference> {
        match (&asked.observed, got) {
            (Observed::One(expected), Observed::One(got)) => self.one(asked, expected, got),
            (Observed::Many(expected), Observed::Many(got)) => self.many(asked, expected, got),
            _ => vec![Difference::new(
                "observed",
                "`times` to say whether requests are counted",
                "the other",
            )],
        }
    }

    fn one(&self, asked: &Asked, expected: &One, got: &One) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut field = |name: &str, expected: Option<String>, got: Option<String>| {
            if expected != got {
                found.push(Difference::new(name, shown(expected), shown(got)));
            }
        };
        field(
            "status",
            expected.status.map(|s| s.to_string()),
            got.status.map(|s| s.to_string()),
        );
        field("error", expected.error.clone(), got.error.clone());
        // Without HTTP nothing is logged, and the answer is the workload's.
        if expected.flags.is_some() {
            field("body", quoted(&expected.body), quoted(&got.body));
            field("flags", expected.flags.clone(), got.flags.clone());
            field("details", expected.details.clone(), got.details.clone());
        }
        found.extend(headers("headers", &expected.headers, &got.headers));
        let same = requests::Same {
            case: self.case,
            any_workload: asked.random,
        };
        found.extend(same.in_order("upstream", &expected.upstream, &got.upstream));
        found.extend(same.in_any_order("mirrored", &expected.mirrored, &got.mirrored));
        found.extend(seconds(expected.seconds, got.seconds));
        found
    }

    fn many(&self, asked: &Asked, expected: &Many, got: &Many) -> Vec<Difference> {
        let grouped = |counts: &_| counts::grouped(counts, self.case);
        let none = Default::default();
        let size = u64::try_from(asked.times).unwrap_or(u64::MAX);
        // What is compared, and of how many it is a share; None: of its own sum.
        let mut all = vec![
            ("statuses", expected.statuses.clone(), got.statuses.clone(), None),
            ("flags", expected.flags.clone(), got.flags.clone(), None),
            (
                "workloads",
                grouped(&expected.workloads),
                grouped(&got.workloads),
                None,
            ),
        ];
        if let Some(details) = &expected.details {
            all.push((
                "details",
                details.clone(),
                got.details.clone().unwrap_or_default(),
                None,
            ));
        }
        if let Some(mirrored) = &expected.mirrored {
            let copies = got.mirrored.as_ref().unwrap_or(&none);
            // Copies are a share of the requests: how many there are is a part of what is drawn.
            all.push(("mirrored", grouped(mirrored), grouped(copies), Some(size)));
        }
        let level = self.level / all.len() as f64;
        let mut found = Vec::new();
        for (field, expected, got, size) in all {
            if asked.random {
                found.extend(counts::drawn(field, &expected, &got, size, level));
            } else if expected != got {
                found.push(Difference::new(
                    field,
                    counts::shown(&expected),
                    counts::shown(&got),
                ));
            }
        }
        if let Some(replies) = &expected.replies {
            found.extend(differing_replies(
                replies,
                got.replies.as_deref().unwrap_or_default(),
            ));
        }
        found
    }
}

fn seconds(expected: Option<f64>, got: Option<f64>) -> Option<Difference> {
    let expected = expected?;
    let got = got.unwrap_or_default();
    ((expected - got).abs() > SLACK)
        .then(|| Difference::new("seconds", format!("{expected:.2}"), format!("{got:.2}")))
}

/// One difference for each header.
fn headers(what: &str, expected: &Headers, got: &Headers) -> Vec<Difference> {
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
    let differing = names
        .into_iter()
        .filter(|name| expected.get(*name) != got.get(*name));
    let value =
        |headers: &Headers, name: &String| shown(headers.get(name).map(|lines| format!("{:?}", lines.0)));
    differing
        .map(|name| Difference::new(format!("{what}[{name}]"), value(expected, name), value(got, name)))
        .collect()
}

/// Distinct replies are compared as a set.
fn differing_replies(expected: &[Reply], got: &[Reply]) -> Vec<Difference> {
    let show = |reply: &Reply| {
        let headers = reply
            .headers
            .iter()
            .map(|(name, lines)| format!("{name}: {}", lines.0.join(", ")));
        format!(
            "{} {:?} {{{}}}",
            reply.status,
            reply.body,
            headers.collect::<Vec<_>>().join("; ")
        )
    };
    let missing = expected.iter().filter(|reply| !got.contains(reply));
    let extra = got.iter().filter(|reply| !expected.contains(reply));
    let missing = missing.map(|reply| Difference::new("replies", show(reply), "no such reply"));
    missing
        .chain(extra.map(|reply| Difference::new("replies", "no such reply", show(reply))))
        .collect()
}

fn quoted(text: &Option<String>) -> Option<String> {
    text.as_ref().map(|text| format!("{text:?}"))
}

fn shown(value: Option<String>) -> String {
    value.unwrap_or_else(|| "nothing".into())
}

#[cfg(test)]
mod tests;
