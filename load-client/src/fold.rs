//! Brings outcomes back into the order of dispatch.
//!
//! Counts taken in completion order are biased: a slow version is under-represented among the answers that have
//! arrived so far. On prefixes of the dispatch order the picks are independent draws, which is what the e-process
//! assumes.

use std::collections::VecDeque;

/// Values that arrive in any order and leave in the order in which their sequence numbers were given out.
#[derive(Debug)]
pub struct Fold<T> {
    first: u64,
    waiting: VecDeque<Option<T>>,
    in_flight: usize,
}

impl<T> Default for Fold<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Fold<T> {
    /// Nothing dispatched yet.
    pub fn new() -> Self {
        Self {
            first: 0,
            waiting: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// Gives out the next sequence number, from 0.
    pub fn dispatch(&mut self) -> u64 {
        let sequence = self.first + self.waiting.len() as u64;
        self.waiting.push_back(None);
        self.in_flight += 1;
        sequence
    }

    /// Takes in what became of a dispatched request. The first word counts: a number that is not in flight is ignored.
    pub fn resolve(&mut self, sequence: u64, value: T) {
        let Some(offset) = sequence.checked_sub(self.first) else {
            return;
        };
        let slot = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.waiting.get_mut(offset));
        if let Some(slot @ None) = slot {
            *slot = Some(value);
            self.in_flight -= 1;
        }
    }

    /// The next value in dispatch order whose predecessors are all resolved.
    #[allow(
        clippy::should_implement_trait,
        reason = "not an iterator: `None` means not yet, rather than the end"
    )]
    pub fn next(&mut self) -> Option<T> {
        let value = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.first += 1;
        Some(value)
    }

    /// Requests that were dispatched and not yet resolved.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}
