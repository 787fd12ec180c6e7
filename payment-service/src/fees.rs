//! The fee breakdown of v2.

use serde::Serialize;

use crate::{Currency, Order};

/// Processing costs 1.4 % and 25 cents.
const PROCESSING: (u64, u64) = (140, 25);
/// Anything but euros is converted, for 1 %.
const CONVERSION: (u64, u64) = (100, 0);

/// What of a payment does not arrive; all in cents of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fees {
    /// For processing: 1.4 % and 25 cents.
    pub processing_cents: u64,
    /// For converting, unless it is in euros: 1 %.
    pub conversion_cents: u64,
    /// Both; never more than the amount.
    pub total_cents: u64,
    /// What arrives: the amount without the total.
    pub net_cents: u64,
}

impl Fees {
    /// The fees of an order. Shares are rounded half up; a fee takes at most what is left of the amount.
    pub fn of(order: &Order) -> Self {
        let amount = order.amount_cents;
        let processing_cents = fee(PROCESSING, amount).min(amount);
        let conversion_cents = match order.currency {
            Currency::Eur => 0,
            _ => fee(CONVERSION, amount).min(amount - processing_cents),
        };
        let total_cents = processing_cents + conversion_cents;
        Self {
            processing_cents,
            conversion_cents,
            total_cents,
            net_cents: amount - total_cents,
        }
    }
}

/// A share in hundredths of a percent, plus a fixed part in cents.
fn fee((share, fixed): (u64, u64), amount: u64) -> u64 {
    (amount * share + 5_000) / 10_000 + fixed
}
