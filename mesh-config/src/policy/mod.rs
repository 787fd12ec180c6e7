//! Policies of a DestinationRule: what is written, how it is read, and what is compiled from it, one file each.

pub(crate) mod hash;
pub(crate) mod load_balancer;
pub(crate) mod locality;
pub(crate) mod outlier;
pub(crate) mod pool;
pub(crate) mod priorities;

use crate::text::Value;

/// A number with or without a fraction, in a range.
pub(crate) fn number(value: &Value<'_>, from: f64, to: f64) -> Option<f64> {
    let Some(number) = value.to_json().as_f64() else {
        value.problem("expected a number");
        return None;
    };
    if !(from..=to).contains(&number) {
        value.problem(format!("{number} is not between {from} and {to}"));
        return None;
    }
    Some(number)
}
