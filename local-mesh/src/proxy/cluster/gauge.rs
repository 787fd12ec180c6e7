//! Limits: how many of something there may be at once (Envoy's circuit breakers).

use std::cell::Cell;
use std::rc::Rc;

/// A counter with an optional limit.
#[derive(Debug)]
pub(in crate::proxy) struct Gauge {
    now: Cell<u32>,
    limit: Option<u32>,
}

/// One that counts; gives its place back when dropped.
#[derive(Debug)]
pub(in crate::proxy) struct Permit(Rc<Gauge>);

impl Gauge {
    pub(super) fn new(limit: Option<u32>) -> Rc<Self> {
        Rc::new(Gauge {
            now: Cell::new(0),
            limit,
        })
    }

    /// Whether one more is within the limit.
    pub(super) fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| self.now.get() < limit)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.now.get()
    }

    /// Counts one more, `None` at the limit.
    pub(in crate::proxy) fn enter(self: &Rc<Self>) -> Option<Permit> {
        self.has_room().then(|| self.force())
    }

    /// Counts one more, whatever the limit.
    pub(super) fn force(self: &Rc<Self>) -> Permit {
        self.now.set(self.now.get() + 1);
        Permit(Rc::clone(self))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.now.set(self.0.now.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_permit_is_dropped() {
        let gauge = Gauge::new(Some(1));
        let first = gauge.enter();
        assert!(first.is_some() && gauge.enter().is_none());
        drop(first);
        assert!(gauge.enter().is_some());
    }

    #[test]
    fn without_a_limit_there_is_always_room() {
        let gauge = Gauge::new(None);
        let permits: Vec<_> = (0..1000).map(|_| gauge.enter()).collect();
        assert!(permits.iter().all(Option::is_some));
    }
}
