//! What this instance has charged, in memory: the newest payments, one per idempotency key.
//!
//! Another instance has another ledger. That is on purpose: a retry that the mesh sends to another instance is charged
//! twice, and comparing ledgers shows it. A real service would share a database.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Order;

/// A payment that was made. Texts are shared, so a clone is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The client's `Idempotency-Key`.
    pub key: Arc<str>,
    /// Whose token paid.
    pub user: Arc<str>,
    /// What was paid.
    pub order: Order,
    /// When, in seconds since 1970.
    pub created_at: u64,
    /// Further attempts with the same key, answered with this payment.
    pub duplicates: u32,
}

/// An entry with the id that finds it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Unique over all instances: a random part per ledger, then the number of the payment in it.
    pub id: String,
    /// The payment.
    pub entry: Entry,
}

/// What came of an attempt to charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// The key was new: charged.
    Made(Payment),
    /// The same user sent the same order under this key before: not charged again.
    Replayed(Payment),
    /// The key stands for something else; not charged.
    Conflict,
}

/// The ledger at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Payments made since the start, also those no longer kept.
    pub charges: u64,
    /// Attempts since the start that were answered with an earlier payment.
    pub duplicates: u64,
    /// Payments no longer kept: their keys would be charged again.
    pub dropped: u64,
    /// The payments kept, oldest first.
    pub payments: Vec<Payment>,
}

/// Entries are numbered from 0 as they come; `first` is the number of the oldest one kept.
#[derive(Default)]
struct Book {
    first: u64,
    entries: VecDeque<Entry>,
    by_key: HashMap<Arc<str>, u64>,
    duplicates: u64,
}

impl Book {
    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let at = number.checked_sub(self.first)?;
        self.entries.get_mut(usize::try_from(at).ok()?)
    }

    fn charges(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.by_key.remove(&oldest.key);
            self.first += 1;
        }
    }
}

/// The payments of one instance.
pub struct Ledger {
    run: String,
    capacity: usize,
    book: Mutex<Book>,
}

impl Ledger {
    /// An empty ledger that keeps the newest `capacity` payments.
    pub fn new(capacity: usize) -> Self {
        let run = uuid::Uuid::new_v4().simple().to_string();
        Self {
            run: run[..12].to_owned(),
            capacity,
            book: Mutex::default(),
        }
    }

    /// How many payments are kept.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Charges `order` unless `key` was charged before. One step under one lock: of simultaneous attempts with one key,
    /// one is charged. `now` is in seconds since 1970.
    pub fn charge(&self, key: &str, user: &str, order: Order, now: u64) -> Charge {
        let mut book = self.lock();
        if let Some(number) = book.by_key.get(key).copied()
            && let Some(entry) = book.entry(number)
        {
            if (&*entry.user, &entry.order) != (user, &order) {
                return Charge::Conflict;
            }
            entry.duplicates = entry.duplicates.saturating_add(1);
            let payment = self.payment(number, entry);
            book.duplicates += 1;
            return Charge::Replayed(payment);
        }
        if book.entries.len() >= self.capacity {
            book.drop_oldest();
        }
        let number = book.charges();
        let entry = Entry {
            key: key.into(),
            user: user.into(),
            order,
            created_at: now,
            duplicates: 0,
        };
        let payment = self.payment(number, &entry);
        book.by_key.insert(entry.key.clone(), number);
        book.entries.push_back(entry);
        Charge::Made(payment)
    }

    /// The payment with this id, unless another ledger made it or it is no longer kept.
    pub fn find(&self, id: &str) -> Option<Payment> {
        let number = id.strip_prefix(&self.run)?.strip_prefix('-')?.parse().ok()?;
        let payment = self.lock().entry(number).map(|entry| self.payment(number, entry));
        payment.filter(|payment| payment.id == id) // a number can be written in several ways, an id cannot
    }

    /// Everything kept, and the counts.
    pub fn snapshot(&self) -> Snapshot {
        let book = self.lock();
        let numbered = (book.first..).zip(&book.entries);
        Snapshot {
            charges: book.charges(),
            duplicates: book.duplicates,
            dropped: book.first,
            payments: numbered
                .map(|(number, entry)| self.payment(number, entry))
                .collect(),
        }
    }

    fn payment(&self, number: u64, entry: &Entry) -> Payment {
        Payment {
            id: format!("{}-{number}", self.run),
            entry: entry.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
