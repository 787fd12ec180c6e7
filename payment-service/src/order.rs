//! What a client wants paid.

use std::sync::Arc;

use actix_web::http::StatusCode;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use service_kit::Problem;

/// Most that one payment moves, in cents: ten billion, far from where computing fees could overflow.
const MOST_CENTS: u64 = 1_000_000_000_000;

/// Longest name of a payee, in bytes.
const LONGEST_PAYEE: usize = 140;

/// A currency with cents, by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Currency {
    Eur,
    Usd,
    Gbp,
    Chf,
    Sek,
    Pln,
}

/// The body of `POST /payments` as sent, any number and any text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderRequest {
    amount_cents: i64,
    currency: String,
    to: String,
}

/// A payment that can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// In hundredths of the currency's unit; at least 1.
    pub amount_cents: u64,
    /// In which currency.
    pub currency: Currency,
    /// To whom.
    pub to: Arc<str>,
}

impl OrderRequest {
    /// The order, or a 422 that names the field.
    pub(crate) fn check(self) -> Result<Order, Problem> {
        let wrong = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
        let amount = u64::try_from(self.amount_cents)
            .ok()
            .filter(|cents| (1..=MOST_CENTS).contains(cents));
        let amount_cents = amount.ok_or_else(|| {
            wrong(format!(
                "`amount_cents` is {}; send a whole number from 1 to {MOST_CENTS}.",
                self.amount_cents
            ))
        })?;
        let currency = Currency::deserialize(StrDeserializer::<Error>::new(&self.currency))
            .map_err(|error| wrong(format!("`currency`: {error}; send one of these.")))?;
        let to = self.to.trim();
        if to.is_empty() || to.len() > LONGEST_PAYEE || to.chars().any(char::is_control) {
            let expected = format!("1 to {LONGEST_PAYEE} bytes without control characters");
            return Err(wrong(format!("`to` does not name a payee; send {expected}.")));
        }
        Ok(Order {
            amount_cents,
            currency,
            to: to.into(),
        })
    }
}
