//! An explanation as text, for a terminal of 80 columns.

use std::fmt;

use super::{ExplainedCluster, ExplainedPart, Explanation, TriedRule};
use crate::origin::Origin;
use crate::view::cluster::ClusterPart;

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Columns of the keys on the left.
const KEY: usize = 14;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "request", &self.request)?;
        line(f, "decision", &self.decision)?;
        if let Some(host) = &self.virtual_host {
            line(f, "virtual host", host)?;
        }
        if let Some(object) = &self.object {
            line(f, "object", &object.to_string())?;
        }
        if let Some(place) = &self.place {
            line(f, "place", place)?;
        }
        for rule in self.tried() {
            line(f, "rule", &rule)?;
        }
        for action in &self.actions {
            line(
                f,
                &action.what,
                &self.with_other_rule(&action.text, action.from.as_ref()),
            )?;
        }
        if self.shares.is_empty() {
            return Ok(());
        }
        for share in &self.shares {
            let subset = share.subset.as_ref().map(|subset| format!(" subset {subset}"));
            let percent = share.probability * 100.0;
            let text = format!("{percent:7.3} %  {}{}", share.host, subset.unwrap_or_default());
            line(f, "goes to", &text)?;
        }
        for cluster in &self.clusters {
            show(f, cluster)?;
        }
        line(
            f,
            "timeout",
            &self.with_other_rule(&self.timeout, self.timeout_from.as_ref()),
        )?;
        line(
            f,
            "retries",
            &self.with_other_rule(&self.retries, self.retries_from.as_ref()),
        )
    }
}

impl Explanation {
    /// The rules that were looked at, with their objects if there are several.
    pub(crate) fn tried(&self) -> Vec<String> {
        let other = |rule: &TriedRule| Some(&rule.object) != self.object.as_ref();
        let merged = self.rules.iter().any(other);
        self.rules.iter().map(|rule| tried(rule, merged)).collect()
    }

    /// The text, with the rule that it is from where that is not the one that decides.
    fn with_other_rule(&self, text: &str, from: Option<&Origin>) -> String {
        match from.filter(|from| Some(&from.object) != self.object.as_ref()) {
            Some(from) => format!("{text} ({from})"),
            None => text.to_owned(),
        }
    }
}

/// The rule is told once if everything is from one.
fn show(f: &mut fmt::Formatter<'_>, cluster: &ExplainedCluster) -> fmt::Result {
    line(f, "cluster", &cluster.name)?;
    if let Some(missing) = &cluster.missing {
        line(f, "", missing)?;
    }
    let mut origins = cluster.parts.iter().filter_map(|part| part.from.as_ref());
    let only = origins
        .next()
        .filter(|first| origins.all(|other| first.is_beside(other)));
    if let Some(rule) = only {
        line(f, "  rule", &format!("{}, {}", rule.object, rule.file))?;
    }
    for ExplainedPart { part, text, from } in &cluster.parts {
        let from = from.as_ref().map(|from| match only {
            Some(_) => format!(" (line {})", from.line),
            None => format!(" ({from})"),
        });
        line(f, word(*part), &format!("{text}{}", from.unwrap_or_default()))?;
    }
    Ok(())
}

/// Below the name of a cluster.
fn word(part: ClusterPart) -> &'static str {
    match part {
        ClusterPart::Subset => "  subset",
        ClusterPart::LoadBalancer => "  balancing",
        ClusterPart::ConnectionPool => "  limits",
        ClusterPart::RetryBudget => "  budget",
        ClusterPart::OutlierDetection => "  outliers",
        ClusterPart::Tls => "  TLS",
    }
}

/// `http[0].match[1] (line 7): no: path ...`; with the object when there are several.
fn tried(rule: &TriedRule, merged: bool) -> String {
    let object = if merged {
        format!("{}: ", rule.object)
    } else {
        String::new()
    };
    let block = rule.block.map(|block| format!(".match[{block}]"));
    let name = rule.name.as_ref().map(|name| format!(" `{name}`"));
    let why = rule
        .failed
        .as_ref()
        .map_or("decides".to_owned(), |why| format!("no: {why}"));
    format!(
        "{object}http[{}]{}{} (line {}): {why}",
        rule.rule,
        block.unwrap_or_default(),
        name.unwrap_or_default(),
        rule.line
    )
}

/// `1 step`, `2 steps`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A key and a text, broken at blanks and commas. What cannot be broken may be longer.
pub(crate) fn line(f: &mut fmt::Formatter<'_>, key: &str, text: &str) -> fmt::Result {
    let mut key = key;
    let mut line = String::new();
    for word in text.split_inclusive([' ', ',']) {
        if !line.trim().is_empty() && line.chars().count() + word.trim_end().chars().count() > WIDTH - KEY {
            writeln!(f, "{key:<KEY$}{}", line.trim_end())?;
            (key, line) = ("", "  ".to_owned());
        }
        line.push_str(word);
    }
    writeln!(f, "{key:<KEY$}{}", line.trim_end())
}
