//! Whether the machine kept time: a measurement of 0.15 s is worth nothing while threads do not run for 0.3 s.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A stall that may be the reason of a difference: a third of the slack that a duration has.
pub const STALL: Duration = Duration::from_millis(50);

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(5);

/// Looks at the clock from a thread of its own, for as long as it lives.
#[derive(Debug, Default)]
pub struct Steady {
    ended: Arc<AtomicBool>,
    /// When a stall was over, and how long it was.
    stalls: Arc<Mutex<Vec<(Instant, Duration)>>>,
}

impl Drop for Steady {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

// === impl Steady ===

impl Steady {
    /// Starts to look.
    pub fn new() -> Steady {
        let steady = Steady::default();
        let (ended, stalls) = (steady.ended.clone(), steady.stalls.clone());
        thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let before = Instant::now();
                thread::sleep(TICK);
                let now = Instant::now();
                note(&stalls, now, now - before - TICK);
            }
        });
        steady
    }

    /// The longest stall that was not over at `since`; zero if none was longer than `STALL`.
    pub fn longest_since(&self, since: Instant) -> Duration {
        let stalls = self.stalls.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = stalls.iter().filter(|(over, _)| *over >= since);
        lasting.map(|(_, length)| *length).max().unwrap_or_default()
    }
}

fn note(stalls: &Mutex<Vec<(Instant, Duration)>>, over: Instant, length: Duration) {
    if length >= STALL {
        stalls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((over, length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stalls_that_lasted_into_the_time_asked_for_count() {
        let steady = Steady::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        note(&steady.stalls, at(100), Duration::from_millis(90));
        note(&steady.stalls, at(200), Duration::from_millis(49));
        note(&steady.stalls, at(300), Duration::from_millis(60));
        assert_eq!(steady.longest_since(at(50)), Duration::from_millis(90));
        assert_eq!(steady.longest_since(at(101)), Duration::from_millis(60));
        assert_eq!(steady.longest_since(at(301)), Duration::ZERO);
    }
}
