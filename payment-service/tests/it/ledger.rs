//! The ledger alone: bounded, and true about what it forgot.

use payment_service::{Charge, Currency, Ledger, Order};

fn order(amount_cents: u64) -> Order {
    Order {
        amount_cents,
        currency: Currency::Eur,
        to: "bookshop".into(),
    }
}

fn charge(ledger: &Ledger, key: &str) -> Charge {
    ledger.charge(key, "alice", order(1), 0)
}

#[test]
fn only_the_newest_payments_are_kept() {
    let ledger = Ledger::new(3);
    for key in ["a", "b", "c", "d", "e"] {
        assert!(matches!(charge(&ledger, key), Charge::Made(_)));
    }
    let kept = ledger.snapshot();
    assert_eq!((kept.charges, kept.dropped), (5, 2));
    assert_eq!(
        kept.payments
            .iter()
            .map(|payment| &*payment.entry.key)
            .collect::<Vec<_>>(),
        ["c", "d", "e"]
    );
}

#[test]
fn a_kept_key_is_replayed_and_a_forgotten_one_charged_anew() {
    let ledger = Ledger::new(2);
    let [first, ..] = ["a", "b", "c"].map(|key| charge(&ledger, key));
    assert!(matches!(charge(&ledger, "c"), Charge::Replayed(_)));
    assert!(matches!(charge(&ledger, "b"), Charge::Replayed(_)));
    assert!(matches!(charge(&ledger, "a"), Charge::Made(_)));
    assert_ne!(charge(&ledger, "a"), first);
    assert!(
        matches!(charge(&ledger, "b"), Charge::Made(_)),
        "a took its place"
    );
}

#[test]
fn every_kept_payment_is_found_by_its_id_and_no_other() {
    let ledger = Ledger::new(2);
    let made = ["a", "b", "c"].map(|key| match charge(&ledger, key) {
        Charge::Made(payment) => payment,
        other => panic!("{key}: {other:?}"),
    });
    assert_eq!(ledger.find(&made[0].id), None);
    for payment in &made[1..] {
        assert_eq!(ledger.find(&payment.id).as_ref(), Some(payment));
        assert_eq!(Ledger::new(2).find(&payment.id), None);
    }
}
