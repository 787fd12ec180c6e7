//! The signer alone, with the time as an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_service::{InvalidToken, LIFETIME, Signer};

use crate::support::KEY;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn signer(key: &str) -> Signer {
    Signer::try_from(key.to_owned()).unwrap()
}

/// Computed with Python's hmac and base64 modules.
#[test]
fn a_token_is_hmac_sha256_over_the_encoded_claims() {
    let expected = "eyJzdWIiOiJhbGljZSIsImV4cCI6MTgwMDA4NjQwMH0.fEXiKbrMmo8mmuOJwuuHFtdUUswyD41EGCUu4dpXQ-M";
    assert_eq!(signer(KEY).sign("alice", now()).0, expected);
}

#[test]
fn a_token_is_good_for_its_lifetime_and_not_a_second_longer() {
    let (token, claims) = signer(KEY).sign("alice", now());
    assert_eq!(claims.expires_at, 1_800_000_000 + LIFETIME.as_secs());
    let last_second = now() + LIFETIME - Duration::from_secs(1);
    assert_eq!(signer(KEY).verify(&token, last_second), Ok(claims));
    assert_eq!(
        signer(KEY).verify(&token, now() + LIFETIME),
        Err(InvalidToken::Expired(0))
    );
}

#[test]
fn no_single_changed_character_is_accepted() {
    let (token, _) = signer(KEY).sign("alice", now());
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(
            signer(KEY).verify(&changed, now()).is_err(),
            "{changed} instead of {token}"
        );
    }
}

#[test]
fn a_key_is_at_least_sixteen_bytes_and_never_shown() {
    let refused = Signer::try_from("fifteen-bytes--".to_owned()).unwrap_err();
    assert!(
        refused.contains("15 bytes") && !refused.contains("fifteen"),
        "{refused}"
    );
    assert_eq!(format!("{:?}", signer("sixteen-bytes---")), "(not shown)");
}
