//! How long answers took: histograms in constant memory that can be added up and written down whole.
//!
//! Two clocks per answer. From the send: what the server and the network took. From the intended start: what somebody who
//! comes at a steady rate waits, queueing behind a slow answer included. A server that stalls once delays every request that
//! was to start meanwhile; counted from the send, only those in flight show it (coordinated omission).

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::outcome::Outcome;

/// What a longer wait is counted as; `--timeout` ends it earlier unless told otherwise.
const LONGEST: Duration = Duration::from_hours(1);

/// Latencies of whole answers, by both clocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// From the send to the end of the answer.
    pub from_send: Times,
    /// From the time the schedule meant to send; in a closed loop the same.
    pub from_intended: Times,
}

impl Latencies {
    /// Takes in an answer.
    pub fn record(&mut self, outcome: &Outcome) {
        self.from_send.record(outcome.latency);
        self.from_intended.record(outcome.from_intended);
    }

    /// Adds what others counted.
    pub fn add(&mut self, other: &Latencies) {
        self.from_send.add(&other.from_send);
        self.from_intended.add(&other.from_intended);
    }

    /// Answers.
    pub fn count(&self) -> u64 {
        self.from_send.count()
    }
}

/// A histogram of times between a microsecond and an hour, to three significant digits (HDR).
///
/// Written down as text, `MICROSECONDS:COUNT` for each bucket that is not empty: what is read again has the same counts in
/// the same buckets, so that sums over many clients are exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let Ok(empty) = Histogram::new_with_bounds(1, micros(LONGEST), 3) else {
            unreachable!("the bounds of the histogram are constants")
        };
        Times(empty)
    }
}

impl Times {
    /// Takes in a time; one beyond an hour counts as an hour.
    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(micros(time));
    }

    /// Adds what others counted.
    pub fn add(&mut self, other: &Times) {
        self.0 += &other.0;
    }

    /// Times taken in.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// What they come to.
    pub fn percentiles(&self) -> Percentiles {
        #[allow(clippy::cast_precision_loss)] // at most an hour in microseconds
        let ms = |micros: u64| micros as f64 / 1000.0;
        let at = |part| ms(self.0.value_at_quantile(part));
        Percentiles {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: ms(self.0.max()),
        }
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let buckets = self.0.iter_recorded();
        let pairs = buckets.map(|at| format!("{}:{}", at.value_iterated_to(), at.count_at_value()));
        serializer.serialize_str(&pairs.collect::<Vec<_>>().join(" "))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut times = Times::default();
        for pair in text.split_whitespace() {
            let numbers = pair.split_once(':');
            let numbers = numbers.and_then(|(value, count)| Some((value.parse().ok()?, count.parse().ok()?)));
            let recorded = numbers.and_then(|(value, count)| times.0.record_n(value, count).ok());
            recorded.ok_or_else(|| D::Error::custom(format!("`{pair}` is not MICROSECONDS:COUNT")))?;
        }
        Ok(times)
    }
}

/// Latencies in milliseconds, exact to three digits; zero without answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half of the answers came within this time.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1000.
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    /// All.
    pub max: f64,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again_as_it_was() {
        let mut times = Times::default();
        for shift in 0..45 {
            times.record(Duration::from_micros(1_234_567 >> (shift % 20)));
            times.record(Duration::from_micros(1 << shift));
        }
        let text = serde_json::to_string(&times).unwrap();
        let read: Times = serde_json::from_str(&text).unwrap();
        assert_eq!(read, times, "{text}");
        assert_eq!(read.percentiles(), times.percentiles());
    }

    #[test]
    fn text_that_is_no_histogram_is_refused() {
        for wrong in [r#""12""#, r#""a:1""#, r#""1:-1""#, r#""99999999999999:1""#, "12"] {
            let read: Result<Times, _> = serde_json::from_str(wrong);
            assert!(read.is_err(), "{wrong}");
        }
    }
}
