//! What is kept of payments, to be held against the ledgers after the run: two bytes for each, since its key is known from its place.

use std::collections::BTreeSet;

use http::HeaderName;

use crate::load::Load;
use crate::outcome::{Dispatch, Outcome};
use crate::reconcile::{Fate, LedgerError, LedgerSource, Reconciliation};

/// The header by which payments are told apart.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The payments of a run in dispatch order.
#[derive(Debug, Default)]
pub(super) struct Book {
    fates: Vec<(u8, Fate)>,
    instances: BTreeSet<String>,
    attempts: u64,
    retried: u64,
}

impl Book {
    /// Takes in the next outcome in dispatch order.
    pub(super) fn record(&mut self, outcome: &Outcome) {
        let fate = match &outcome.result {
            Ok(answer) => match answer.status {
                200..300 => Fate::Paid,
                300..500 => Fate::Refused,
                _ => Fate::Unknown,
            },
            Err(_) => Fate::Unknown,
        };
        self.fates
            .push((u8::try_from(outcome.variant).unwrap_or(u8::MAX), fate));
        self.attempts += u64::from(outcome.attempts);
        self.retried += u64::from(outcome.attempts > 1);
        let answer = outcome.result.as_ref().ok();
        let hop = answer.and_then(|answer| answer.served_by.as_ref()?.first());
        if let Some(hop) = hop.filter(|hop| !self.instances.contains(&hop.instance)) {
            self.instances.insert(hop.instance.clone());
        }
    }

    /// Reads the ledgers of all instances that answered, and compares.
    pub(super) async fn reconcile(
        self,
        load: &Load,
        source: &LedgerSource,
    ) -> Result<Reconciliation, LedgerError> {
        let ledgers = source.read(&self.instances).await?;
        let key = |(sequence, (variant, fate)): (u64, &(u8, Fate))| {
            let dispatch = Dispatch {
                sequence,
                variant: (*variant).into(),
            };
            Some((load.header_of(dispatch, &IDEMPOTENCY_KEY)?, *fate))
        };
        let found = Reconciliation::new((0..).zip(&self.fates).filter_map(key), &ledgers);
        let unread = self.instances.difference(&found.read).cloned().collect();
        Ok(Reconciliation {
            retried: self.retried,
            attempts: self.attempts,
            unread,
            ..found
        })
    }
}
