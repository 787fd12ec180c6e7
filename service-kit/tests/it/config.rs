//! `APP_*` variables: defaults, strictness, messages that name the variable in full.

use serde::Deserialize;
use service_kit::config::read;
use service_kit::{Config, InvalidConfig};

#[derive(Debug, Deserialize)]
struct Own {
    token_key: String,
}

fn given(variables: &[(&str, &str)]) -> Result<(Config, Own), InvalidConfig> {
    read(
        variables
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string())),
    )
}

fn refused(variables: &[(&str, &str)]) -> String {
    given(variables).unwrap_err().to_string()
}

const KEY: (&str, &str) = ("APP_TOKEN_KEY", "0123456789abcdef");

#[test]
fn defaults_are_those_of_a_container() {
    let (config, own) = given(&[
        KEY,
        ("PATH", "/bin"),
        ("AUTH_SERVICE_PORT", "tcp://10.96.0.12:8080"),
    ])
    .unwrap();
    assert_eq!(
        (config.host.to_string(), config.port),
        ("0.0.0.0".to_owned(), 8080)
    );
    assert_eq!(
        (config.workers.get(), config.faults, config.drain_ms),
        (1, false, 2500)
    );
    assert_eq!(own.token_key, KEY.1);
}

#[test]
fn instances_without_a_name_get_different_ones() {
    let name = || given(&[KEY]).unwrap().0.instance;
    assert_ne!(name(), name());
    assert_eq!(name().len(), 8);
}

#[test]
fn every_variable_has_its_effect() {
    let (config, _) = given(&[
        KEY,
        ("APP_HOST", "127.0.0.1"),
        ("APP_PORT", "81"),
        ("APP_INSTANCE", "auth-v1-7d9c"),
        ("APP_LOG", "debug"),
        ("APP_FAULTS", "true"),
        ("APP_DRAIN_MS", "10"),
        ("APP_WORKERS", "4"),
    ])
    .unwrap();
    assert_eq!(
        (config.host.to_string(), config.port),
        ("127.0.0.1".to_owned(), 81)
    );
    assert_eq!(
        (config.workers.get(), config.faults, config.drain_ms),
        (4, true, 10)
    );
    assert_eq!(
        (config.instance.as_str(), config.log.to_string().as_str()),
        ("auth-v1-7d9c", "debug")
    );
}

#[test]
fn a_misspelt_variable_is_named_with_what_is_known() {
    assert_eq!(
        refused(&[KEY, ("APP_PROT", "1")]),
        "APP_PROT is not known; this service reads APP_HOST, APP_PORT, APP_INSTANCE, APP_LOG, APP_FAULTS, \
         APP_DRAIN_MS, APP_WORKERS, APP_TOKEN_KEY"
    );
    assert!(refused(&[KEY, ("APP_port", "1")]).starts_with("APP_port is not known"));
}

#[test]
fn a_missing_variable_is_named_in_full() {
    assert_eq!(
        refused(&[]),
        "APP_TOKEN_KEY is missing and has no default; set it and start again"
    );
}

#[test]
fn a_bad_value_is_named_in_full_with_what_is_wrong() {
    for (variable, value, reason) in [
        (
            "APP_PORT",
            "8o80",
            "invalid digit found in string while parsing value '8o80'",
        ),
        (
            "APP_PORT",
            "65536",
            "number too large to fit in target type while parsing value '65536'",
        ),
        ("APP_HOST", "localhost", "invalid IP address syntax"),
        (
            "APP_LOG",
            "loud",
            "\"loud\" is not one of off, error, warn, info, debug, trace",
        ),
        (
            "APP_FAULTS",
            "yes",
            "provided string was not `true` or `false` while parsing value 'yes'",
        ),
        (
            "APP_WORKERS",
            "0",
            "invalid value: integer `0`, expected a nonzero u8",
        ),
        (
            "APP_INSTANCE",
            "a/b, c",
            "\"a/b, c\" is not 1 to 253 letters, digits, `.`, `_` or `-`",
        ),
        (
            "APP_INSTANCE",
            "",
            "\"\" is not 1 to 253 letters, digits, `.`, `_` or `-`",
        ),
        (
            "APP_DRAIN_MS",
            "-1",
            "invalid digit found in string while parsing value '-1'",
        ),
    ] {
        let expected = format!("{variable}: {reason}; correct the value and start again");
        assert_eq!(refused(&[KEY, (variable, value)]), expected);
    }
}
