//! Reading scalars of the types that CRDs and Kubernetes have.
//!
//! Two layers look at a value in a cluster: the API server by the CRD's schema, then istiod's webhook. Each reader here
//! says under which of the two a value is refused.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::node::Node;
use super::similar;
use super::value::Value;
use crate::check::{schema, webhook};
use crate::duration::{self, BadDuration};
use crate::problem::Placed;

/// From here on a float is no whole number to the API server.
const LARGEST_WHOLE_FLOAT: f64 = 9_007_199_254_740_991.0;

/// How durations are written.
const DURATIONS: &str = "durations look like 500ms, 1.5s, 1m30s, 1h";

impl Value<'_> {
    /// Text; a number or boolean is not text.
    pub(crate) fn text(&self) -> Option<String> {
        if let Node::Text(text) = &self.item.node {
            return Some(text.clone());
        }
        self.wrong_type("text");
        None
    }

    /// Text with its place.
    pub(crate) fn placed_text(&self) -> Option<Placed<String>> {
        self.text().map(|value| Placed {
            value,
            mark: self.mark(),
        })
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        if let Node::Bool(value) = self.item.node {
            return Some(value);
        }
        self.wrong_type("true or false");
        None
    }

    /// A whole number in a range that the schema gives.
    pub(crate) fn whole(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let number = self.integer()?;
        match i64::try_from(number) {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let message = format!("{number} is not between {} and {}", range.start(), range.end());
                self.say(&schema::RANGE, message, None);
                None
            }
        }
    }

    /// A whole number of 32 bits with a sign, for which the schema has no limits; istiod cannot decode larger ones.
    pub(crate) fn int32(&self) -> Option<i32> {
        let number = self.integer()?;
        let read = i32::try_from(number);
        if read.is_err() {
            self.problem(format!("{number} does not fit into 32 bits"));
        }
        read.ok()
    }

    /// A counter: 32 bits with a sign, and istiod wants it from 0 on.
    pub(crate) fn count(&self) -> Option<u32> {
        let number = self.int32()?;
        if number < 0 {
            self.problem(format!("{number} is less than 0"));
        }
        u32::try_from(number).ok()
    }

    /// A whole number of 32 bits without a sign.
    pub(crate) fn uint32(&self) -> Option<u32> {
        self.whole(0..=u32::MAX.into())
            .and_then(|number| u32::try_from(number).ok())
    }

    /// A whole number of 64 bits without a sign; the schema has its lower limit only.
    pub(crate) fn uint64(&self) -> Option<u64> {
        let number = self.integer()?;
        if number < 0 {
            self.say(&schema::RANGE, format!("{number} is less than 0"), None);
            return None;
        }
        let read = u64::try_from(number);
        if read.is_err() {
            self.problem(format!("{number} does not fit into 64 bits"));
        }
        read.ok()
    }

    fn integer(&self) -> Option<i128> {
        match self.item.node {
            Node::Whole(value) => Some(value),
            #[allow(clippy::cast_possible_truncation)] // whole and small: `80.0` is a good port
            Node::Float(value) if value.fract() == 0.0 && value.abs() < LARGEST_WHOLE_FLOAT => {
                Some(value as i128)
            }
            _ => {
                self.wrong_type("a whole number");
                None
            }
        }
    }

    /// A number, whole or not.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = self.to_json().as_f64();
        if number.is_none() {
            self.wrong_type("a number");
        }
        number
    }

    /// A number in a range that the schema gives.
    pub(crate) fn number_in(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let number = self.number()?;
        if range.contains(&number) {
            return Some(number);
        }
        let message = match range.end().is_infinite() {
            true => format!("{number} is less than {}", range.start()),
            false => format!("{number} is not between {} and {}", range.start(), range.end()),
        };
        self.say(&schema::RANGE, message, None);
        None
    }

    /// The port of a Kubernetes object.
    pub(crate) fn port(&self) -> Option<u16> {
        self.whole(1..=65_535)
            .and_then(|number| u16::try_from(number).ok())
    }

    /// A port in an Istio object: 32 bits for the schema, 1 to 65535 for istiod.
    pub(crate) fn istio_port(&self) -> Option<u16> {
        let number = self.uint32()?;
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        if port.is_none() {
            self.problem(format!("{number} is not between 1 and 65535"));
        }
        port
    }

    /// Likewise, where 0 counts as absent.
    pub(crate) fn optional_port(&self) -> Option<u16> {
        if matches!(self.item.node, Node::Whole(0)) {
            return None;
        }
        self.istio_port()
    }

    /// A Go duration: the schema wants at least a millisecond, istiod whole ones.
    pub(crate) fn duration(&self) -> Option<Duration> {
        let text = self.text()?;
        let error = match duration::parse_milliseconds(&text) {
            Ok(duration) => return Some(duration),
            Err(error) => error,
        };
        let check = match error {
            BadDuration::Fraction(_) => webhook::subject(self.path()),
            BadDuration::Syntax(_) | BadDuration::TooShort(_) => &schema::DURATION,
        };
        self.say(check, error.to_string(), Some(DURATIONS.to_owned()));
        None
    }

    /// A Go duration of at least a millisecond, of which istiod asks no more than the schema.
    pub(crate) fn fine_duration(&self) -> Option<Duration> {
        let text = self.text()?;
        let nanoseconds = duration::parse(&text).and_then(|time| u64::try_from(time).ok());
        let long = nanoseconds.filter(|nanoseconds| *nanoseconds >= 1_000_000);
        if long.is_none() {
            let message = format!("`{text}` is not a duration of at least 1ms");
            self.say(&schema::DURATION, message, Some(DURATIONS.to_owned()));
        }
        long.map(Duration::from_nanos)
    }

    /// A Go duration of any length, in nanoseconds. The schema takes every text; istiod cannot decode others.
    pub(crate) fn any_duration(&self) -> Option<i64> {
        let text = self.text()?;
        let read = duration::parse(&text);
        if read.is_none() {
            self.problem_with(format!("`{text}` is not a duration"), DURATIONS);
        }
        read
    }

    /// One of the words of the schema.
    pub(crate) fn choice<T: Clone>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = find(words, &text);
        if found.is_none() {
            let (message, advice) = not_one_of(words, &text);
            self.say(&schema::NOT_ONE_OF, message, advice);
        }
        found
    }

    /// One of the words that istiod takes.
    pub(crate) fn word<T: Clone>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = find(words, &text);
        if found.is_none() {
            let (message, advice) = not_one_of(words, &text);
            self.say(webhook::subject(self.path()), message, advice);
        }
        found
    }
}

fn find<T: Clone>(words: &[(&'static str, T)], text: &str) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| value.clone())
}

fn not_one_of<T>(words: &[(&'static str, T)], text: &str) -> (String, Option<String>) {
    let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let message = format!("`{text}` is not one of {}", all.join(", "));
    (message, similar::did_you_mean(text, &all))
}
