//! Holds the payments that were sent against what the services charged: lost, charged twice, charged without an answer.
//!
//! A mesh that retries sends a payment again; an instance that has seen its `Idempotency-Key` answers with the first payment, one
//! that has not charges it a second time. No answer says which of the two happened. The ledgers do.

mod ledger;
mod table;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

pub use ledger::{Entry, Ledger, LedgerError, LedgerSource};

/// Keys that are named of each kind; of the others the number is known.
const NAMED: usize = 20;

/// What became of a payment, as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Answered 2xx.
    Paid,
    /// Answered 3xx or 4xx: the service says that it did not charge.
    Refused,
    /// No answer, or 5xx: it may have been charged.
    Unknown,
}

/// Payments and charges side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Requests that came to their end.
    pub sent: u64,
    /// Of them, those answered 2xx.
    pub paid: u64,
    /// Requests of which the answer says that the mesh tried more than once (`x-envoy-attempt-count`).
    pub retried: u64,
    /// Attempts in all, as far as answers tell of them.
    pub attempts: u64,
    /// Charges of these payments, in all ledgers.
    pub charges: u64,
    /// Attempts that an instance answered with its first payment for the key, without charging again.
    pub replayed: u64,
    /// Keys that more than one instance charged.
    pub charged_twice: Keys,
    /// Keys that were charged although no request with them was answered 2xx: the client does not know.
    pub charged_unknown: Keys,
    /// Keys that were answered 2xx and are in no ledger. Only certain when every ledger was read and has forgotten nothing.
    pub lost: Keys,
    /// Instances whose ledgers were read.
    pub read: BTreeSet<String>,
    /// Instances that answered payments and whose ledgers could not be read.
    pub unread: BTreeSet<String>,
    /// Payments that ledgers have forgotten, whoever made them: they keep the newest only.
    pub forgotten: u64,
}

/// Idempotency keys, the first of them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Keys {
    /// How many.
    pub count: u64,
    /// The first 20 in the order of the alphabet, each with the instances that charged it.
    pub first: Vec<Key>,
}

/// An idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// As sent.
    pub key: String,
    /// Who charged it.
    pub charged_by: Vec<String>,
}

/// What is known of a key that a ledger has.
#[derive(Default)]
struct Booked<'a> {
    by: Vec<&'a str>,
    replays: u64,
    asked: u64,
    paid: u64,
}

impl Reconciliation {
    /// Of payments, each with its key, and ledgers. Entries of keys that were not sent are somebody else's.
    pub fn new(sent: impl Iterator<Item = (String, Fate)>, ledgers: &[Ledger]) -> Self {
        let mut booked: HashMap<&str, Booked> = HashMap::new();
        for ledger in ledgers {
            for entry in &ledger.entries {
                let found = booked.entry(&entry.key).or_default();
                found.by.push(&ledger.instance);
                found.replays += entry.duplicates;
            }
        }
        let mut result = Self {
            read: ledgers.iter().map(|ledger| ledger.instance.clone()).collect(),
            forgotten: ledgers.iter().map(|ledger| ledger.dropped).sum(),
            ..Self::default()
        };
        let mut lost = Vec::new();
        for (key, fate) in sent {
            result.sent += 1;
            result.paid += u64::from(fate == Fate::Paid);
            match booked.get_mut(key.as_str()) {
                Some(found) => {
                    found.asked += 1;
                    found.paid += u64::from(fate == Fate::Paid);
                }
                None if fate == Fate::Paid => lost.push(Key::new(&key, &[])),
                None => {}
            }
        }
        let own = || booked.iter().filter(|(_, found)| found.asked > 0);
        result.charges = own().map(|(_, found)| found.by.len() as u64).sum();
        result.replayed = own().map(|(_, found)| found.replays).sum();
        let keys = |wanted: &dyn Fn(&Booked) -> bool| {
            let found = own().filter(|(_, found)| wanted(found));
            Keys::new(found.map(|(key, found)| Key::new(key, &found.by)).collect())
        };
        result.charged_twice = keys(&|found| found.by.len() > 1);
        result.charged_unknown = keys(&|found| found.paid == 0);
        result.lost = Keys::new(lost);
        result
    }

    /// Whether money is not where the answers say it is: charged twice, or lost for certain.
    pub fn is_wrong(&self) -> bool {
        self.charged_twice.count > 0 || (self.lost.count > 0 && self.is_complete())
    }

    /// Whether every ledger was read and holds all that it charged.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty() && self.forgotten == 0
    }
}

impl Keys {
    fn new(mut keys: Vec<Key>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let count = keys.len() as u64;
        keys.truncate(NAMED);
        Self { count, first: keys }
    }
}

impl Key {
    fn new(key: &str, by: &[&str]) -> Self {
        let mut charged_by: Vec<String> = by.iter().map(|&instance| instance.to_owned()).collect();
        charged_by.sort_unstable();
        Self {
            key: key.to_owned(),
            charged_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(instance: &str, entries: &[(&str, u64)]) -> Ledger {
        let entry = |(key, duplicates): &(&str, u64)| Entry {
            key: (*key).to_owned(),
            duplicates: *duplicates,
        };
        Ledger {
            instance: instance.to_owned(),
            dropped: 0,
            entries: entries.iter().map(entry).collect(),
        }
    }

    fn named(keys: &Keys) -> Vec<&str> {
        keys.first.iter().map(|key| key.key.as_str()).collect()
    }

    #[test]
    fn each_kind_is_told_from_the_others_and_named() {
        let ledgers = [
            ledger("a", &[("once", 0), ("again", 2), ("twice", 0), ("theirs", 9)]),
            ledger("b", &[("twice", 1), ("unknown", 0)]),
        ];
        let sent = [
            ("once", Fate::Paid),
            ("again", Fate::Paid),
            ("twice", Fate::Paid),
            ("unknown", Fate::Unknown),
            ("lost", Fate::Paid),
            ("refused", Fate::Refused),
            ("failed", Fate::Unknown),
        ];
        let sent = sent.map(|(key, fate)| (key.to_owned(), fate));
        let found = Reconciliation::new(sent.into_iter(), &ledgers);
        assert_eq!(
            (found.sent, found.paid, found.charges, found.replayed),
            (7, 4, 5, 3)
        );
        assert_eq!(named(&found.charged_twice), ["twice"]);
        assert_eq!(found.charged_twice.first[0].charged_by, ["a", "b"]);
        assert_eq!(named(&found.charged_unknown), ["unknown"]);
        assert_eq!(named(&found.lost), ["lost"]);
        assert!(found.is_wrong());
    }

    #[test]
    fn a_key_that_failed_first_and_was_paid_then_is_known() {
        let sent = [("k", Fate::Unknown), ("k", Fate::Paid)].map(|(key, fate)| (key.to_owned(), fate));
        let found = Reconciliation::new(sent.into_iter(), &[ledger("a", &[("k", 1)])]);
        assert_eq!(
            (found.charges, found.replayed, found.charged_unknown.count),
            (1, 1, 0)
        );
        assert!(!found.is_wrong());
    }

    #[test]
    fn what_a_ledger_has_forgotten_is_not_called_lost_for_certain() {
        let mut forgetful = ledger("a", &[]);
        forgetful.dropped = 1;
        let sent = || [("k".to_owned(), Fate::Paid)].into_iter();
        assert!(!Reconciliation::new(sent(), &[forgetful]).is_wrong());
        assert!(Reconciliation::new(sent(), &[ledger("a", &[])]).is_wrong());
    }

    #[test]
    fn of_many_keys_the_first_are_named_and_all_counted() {
        let sent = (0..50).map(|n| (format!("k-{n:02}"), Fate::Paid));
        let found = Reconciliation::new(sent, &[]);
        assert_eq!((found.lost.count, found.lost.first.len()), (50, NAMED));
        assert_eq!(found.lost.first[19].key, "k-19");
    }
}
