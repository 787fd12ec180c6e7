//! The results of several clients as the result of one.

use serde::Deserialize;

use super::counts::Counts;
use crate::judge::EdgeCounts;
use crate::shard::Shard;

/// A result of `load-client run -o json`: of it only the counts matter, the rest is computed from them.
#[derive(Debug, Deserialize)]
struct Document {
    counts: Counts,
}

/// Counts of one client, and where they were read.
#[derive(Debug)]
pub struct Source {
    /// Name of the file and number of the document in it, for messages.
    pub name: String,
    /// What it says.
    pub counts: Counts,
}

/// What cannot be added up.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// No line begins with a brace.
    #[error(
        "{0}: there is no result in it; run each client with -o json, and let kubectl logs show all lines (--tail=-1)"
    )]
    Nothing(String),
    /// It ends too early.
    #[error(
        "{name}:{line}: the result that begins here is cut off; was the client still running, or the file copied in part?"
    )]
    CutOff {
        /// Where it was read.
        name: String,
        /// Line in it, from 1.
        line: usize,
    },
    /// JSON, but of something else.
    #[error("{name}:{line}: not a result of `load-client run -o json`: {reason}")]
    Other {
        /// Where it was read.
        name: String,
        /// Line in it, from 1.
        line: usize,
        /// Of the parser.
        reason: serde_json::Error,
    },
    /// Twice the same client.
    #[error("{first} and {second} are both of shard {shard}: each client counts once; leave one out")]
    Twice {
        /// Which one.
        shard: Shard,
        /// Where it was read.
        first: String,
        /// Where it was read again.
        second: String,
    },
    /// A client's result is not there.
    #[error(
        "of {of} clients {missing} {are} missing: a sum without them would leave out what went wrong there; collect their results as well",
        are = if missing.contains(',') { "are" } else { "is" }
    )]
    Missing {
        /// Clients in all.
        of: u32,
        /// Those without a result, `1, 3`.
        missing: String,
    },
    /// Results of different runs.
    #[error("{first} and {second} are not of one run; look at {what}: {in_first}, {in_second}")]
    Different {
        /// Where the first was read.
        first: String,
        /// Where another was read.
        second: String,
        /// What was asked or declared differently.
        what: &'static str,
        /// There.
        in_first: String,
        /// And there.
        in_second: String,
    },
}

/// Every result in `text`: one after the other, as `kubectl logs` puts them together, or one alone. Each begins with a line
/// that begins with a brace; other lines, such as progress, are passed over.
///
/// # Errors
/// There is none, or one that is cut off or of another command.
pub fn read(name: &str, text: &str) -> Result<Vec<Source>, MergeError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = next_brace(text, at) {
        let line = text[..begin].matches('\n').count() + 1;
        let mut documents = serde_json::Deserializer::from_str(&text[begin..]).into_iter::<Document>();
        let document = documents
            .next()
            .unwrap_or_else(|| Err(serde::de::Error::custom("no document")));
        let document = document.map_err(|reason| refused(name, line, reason))?;
        found.push(Source {
            name: format!("{name}:{line}"),
            counts: document.counts,
        });
        at = begin + documents.byte_offset();
    }
    if found.is_empty() {
        return Err(MergeError::Nothing(name.to_owned()));
    }
    Ok(found)
}

/// Where the next line begins with a brace.
fn next_brace(text: &str, from: usize) -> Option<usize> {
    if from == 0 && text.starts_with('{') {
        return Some(0);
    }
    text[from..].find("\n{").map(|at| from + at + 1)
}

fn refused(name: &str, line: usize, reason: serde_json::Error) -> MergeError {
    let name = name.to_owned();
    if reason.is_eof() {
        MergeError::CutOff { name, line }
    } else {
        MergeError::Other { name, line, reason }
    }
}

/// The sum over all clients of one run.
///
/// # Errors
/// A client is missing, is there twice, or is of another run.
pub fn merge(mut sources: Vec<Source>) -> Result<Counts, MergeError> {
    sources.sort_by_key(|source| source.shard());
    if let Some(pair) = sources.windows(2).find_map(|pair| pair[0].quarrel(&pair[1])) {
        return Err(pair);
    }
    let of = sources.first().map_or(0, |source| source.shard().of);
    let is_there = |index: &u32| sources.iter().any(|source| source.shard().index == *index);
    let missing: Vec<String> = (0..of)
        .filter(|index| !is_there(index))
        .map(|index| index.to_string())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(MergeError::Missing { of, missing });
    }
    let mut counts = sources.into_iter().map(|source| source.counts);
    let Some(mut sum) = counts.next() else {
        return Err(MergeError::Nothing("merge".to_owned()));
    };
    counts.for_each(|other| sum.add(other));
    Ok(sum)
}

impl Source {
    /// Which client it is of. A sum that is read again counts as the whole.
    fn shard(&self) -> Shard {
        match self.counts.parts.as_slice() {
            [part] => part.shard,
            _ => Shard::default(),
        }
    }

    /// Why the two cannot be added up, if they cannot.
    fn quarrel(&self, other: &Self) -> Option<MergeError> {
        let names = || (self.name.clone(), other.name.clone());
        if let Some((what, in_first, in_second)) = self.difference(other) {
            let (first, second) = names();
            return Some(MergeError::Different {
                first,
                second,
                what,
                in_first,
                in_second,
            });
        }
        let (first, second) = names();
        (self.shard() == other.shard()).then(|| MergeError::Twice {
            shard: self.shard(),
            first,
            second,
        })
    }

    /// The first thing that was asked or declared differently, and how.
    fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let described = self.described().into_iter().zip(other.described());
        let mut differing = described.filter(|((_, first), (_, second))| first != second);
        let found = differing
            .next()
            .map(|((what, first), (_, second))| (what, first, second));
        found.or_else(|| {
            let edges = |source: &Self| source.counts.edges.iter().map(declared).collect::<Vec<_>>();
            let (first, second) = (edges(self), edges(other));
            let index =
                (0..first.len().max(second.len())).find(|index| first.get(*index) != second.get(*index))?;
            let of = |edges: &[String]| edges.get(index).map_or("no such edge", String::as_str).to_owned();
            Some(("what is declared", of(&first), of(&second)))
        })
    }

    /// What has to be the same for all clients of a run, each with its name.
    fn described(&self) -> [(&'static str, String); 10] {
        let Counts {
            asked, path, terms, ..
        } = &self.counts;
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        let number = |value: Option<f64>| or_none(value.map(|value| value.to_string()));
        let count = |value: Option<u64>| or_none(value.map(|value| value.to_string()));
        let shared = format!(
            "alpha {}, tolerance {} and {}, fail on {}, versions from {}",
            terms.alpha, terms.tolerance, terms.hop_tolerance, terms.fail_on, terms.version_source
        );
        [
            ("the number of clients", self.shard().of.to_string()),
            ("the URL", asked.url.clone()),
            ("the method", asked.method.clone()),
            ("the proxy", or_none(asked.proxy.clone())),
            ("the rate", number(asked.intended_rate)),
            ("the number of requests", count(asked.limit_requests)),
            ("the duration", number(asked.limit_seconds)),
            ("the seed", count(asked.seed)),
            ("the way into the mesh", path.to_string()),
            ("the terms of the verdict", shared),
        ]
    }
}

/// `client -> shop: v1 0.9, v2 0.1`.
fn declared(edge: &EdgeCounts) -> String {
    let shares = edge
        .declared
        .iter()
        .map(|(version, share)| format!("{version} {share}"));
    let shares: Vec<String> = shares.collect();
    format!("{}: {}", edge.edge, shares.join(", "))
}
