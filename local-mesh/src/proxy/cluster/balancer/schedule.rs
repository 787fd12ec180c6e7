//! Weighted turns: earliest deadline first, as Envoy's `edf_scheduler.h`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An entry of weight w comes back after 1/w.
pub(super) struct Schedule {
    queue: BinaryHeap<Entry>,
    now: f64,
    order: u64,
}

#[derive(PartialEq)]
struct Entry {
    deadline: f64,
    order: u64,
    index: usize,
}

impl Eq for Entry {}

impl Ord for Entry {
    /// The greatest is the one with the earliest deadline, of equal ones the one put in first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_deadline = other.deadline.total_cmp(&self.deadline);
        by_deadline.then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Schedule {
    /// Entries without weight never have a turn.
    pub(super) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut schedule = Schedule {
            queue: BinaryHeap::new(),
            now: 0.0,
            order: 0,
        };
        for (index, weight) in weights.into_iter().enumerate() {
            if weight > 0.0 {
                schedule.add(index, weight);
            }
        }
        schedule
    }

    fn add(&mut self, index: usize, weight: f64) {
        let deadline = self.now + 1.0 / weight;
        self.queue.push(Entry {
            deadline,
            order: self.order,
            index,
        });
        self.order += 1;
    }

    /// The index whose turn it is; it is put back with its weight of this moment.
    pub(super) fn next(&mut self, weight: impl Fn(usize) -> f64) -> Option<usize> {
        let entry = self.queue.pop()?;
        self.now = entry.deadline;
        self.add(entry.index, weight(entry.index));
        Some(entry.index)
    }
}
