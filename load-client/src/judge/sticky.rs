//! Does the version stay the same for the same key?

use crate::outcome::Outcome;
use crate::stats::interval::leak_bound;

/// Version flips per key. Requests of one key come one after the other in the dispatch order: a unit.
#[derive(Clone, Debug, Default)]
pub struct Sticky {
    unit: Option<u64>,
    /// The version that the key met first; `None` if that is not known.
    version: Option<String>,
    flipped: bool,
    keys: u64,
    flipped_keys: u64,
    repeats: u64,
    flips: u64,
}

impl Sticky {
    /// Takes in the next outcome in dispatch order; whether it is the first of its unit.
    pub(super) fn take(&mut self, outcome: &Outcome) -> bool {
        let version = version(outcome);
        if self.unit != Some(outcome.unit) {
            self.unit = Some(outcome.unit);
            self.flipped = false;
            self.keys += u64::from(version.is_some());
            self.version = version.map(str::to_owned);
            return true;
        }
        if let (Some(first), Some(now)) = (&self.version, version) {
            self.repeats += 1;
            if first != now {
                self.flips += 1;
                self.flipped_keys += u64::from(!self.flipped);
                self.flipped = true;
            }
        }
        false
    }

    /// Keys whose first answer names a version.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// Of them, those that met another version later.
    pub fn flipped_keys(&self) -> u64 {
        self.flipped_keys
    }

    /// Answers to a key after its first.
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Of them, those of another version than the first.
    pub fn flips(&self) -> u64 {
        self.flips
    }

    /// What the rate of flips is below at confidence `1 - alpha`, at any look; `None` after a flip.
    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    pub fn bound(&self, alpha: f64) -> Option<f64> {
        (self.flips == 0).then(|| leak_bound(self.repeats as f64, alpha))
    }
}

fn version(outcome: &Outcome) -> Option<&str> {
    let hops = outcome.result.as_ref().ok()?.served_by.as_deref()?;
    hops.first().map(|hop| hop.version.as_str())
}
