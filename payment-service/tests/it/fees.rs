//! Fees by hand-computed examples and by what must hold for every order.

use payment_service::{Currency, Fees, Order};

fn fees(amount_cents: u64, currency: Currency) -> Fees {
    Fees::of(&Order {
        amount_cents,
        currency,
        to: "bookshop".into(),
    })
}

#[test]
fn euros_cost_processing_alone_and_other_currencies_conversion_too() {
    let euros = Fees {
        processing_cents: 165,
        conversion_cents: 0,
        total_cents: 165,
        net_cents: 9_835,
    };
    assert_eq!(fees(10_000, Currency::Eur), euros);
    let dollars = Fees {
        processing_cents: 165,
        conversion_cents: 100,
        total_cents: 265,
        net_cents: 9_735,
    };
    assert_eq!(fees(10_000, Currency::Usd), dollars);
}

#[test]
fn half_cents_are_rounded_up() {
    assert_eq!(fees(250, Currency::Gbp).processing_cents, 25 + 4); // 3.5
    assert_eq!(fees(250, Currency::Gbp).conversion_cents, 3); // 2.5
    assert_eq!(fees(249, Currency::Gbp).conversion_cents, 2); // 2.49
}

#[test]
fn fees_and_what_arrives_always_make_up_the_amount() {
    for amount in (1..2_000).chain([999_999_999_999, 1_000_000_000_000]) {
        let fees = fees(amount, Currency::Pln);
        assert_eq!(fees.total_cents, fees.processing_cents + fees.conversion_cents);
        assert_eq!(fees.total_cents + fees.net_cents, amount);
    }
}
