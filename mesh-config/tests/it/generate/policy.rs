//! Traffic policies.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::words;
use super::{Any, boolean, filled, map, maybe, one_of, only, united, whole};

/// A policy of a rule or of a subset, with settings for ports.
pub(super) fn any() -> Any<Value> {
    let budget = map(vec![
        (
            "percent",
            maybe(prop_oneof![Just(json!(20)), Just(json!(12.5))].boxed()),
        ),
        ("minRetryConcurrency", maybe(whole(0..=9))),
    ]);
    let of_port = |number: i64| {
        let port = Just(json!({"port": {"number": number}})).boxed();
        united(port, filled(blocks()))
    };
    let ports = (of_port(80), of_port(8080)).prop_flat_map(|(one, other)| {
        prop::sample::subsequence(vec![one, other], 1..=2).prop_map(Value::from)
    });
    let own = map(vec![
        ("retryBudget", maybe(budget)),
        ("portLevelSettings", maybe(ports.boxed())),
    ]);
    filled(united(blocks(), own))
}

/// The blocks that a setting for a port may have, too.
fn blocks() -> Any<Value> {
    map(vec![
        ("loadBalancer", maybe(balancer())),
        ("connectionPool", maybe(pool())),
        ("outlierDetection", maybe(outlier())),
        (
            "tls",
            maybe(only("mode", one_of(&["DISABLE", "SIMPLE", "ISTIO_MUTUAL"]))),
        ),
    ])
}

fn balancer() -> Any<Value> {
    let warmup = map(vec![
        ("duration", words::duration()),
        ("minimumPercent", maybe(one_of(&[0.0, 12.5, 100.0]))),
        ("aggression", maybe(one_of(&[0.5, 1.0, 2.0]))),
    ]);
    let growing = map(vec![
        ("simple", one_of(&["ROUND_ROBIN", "LEAST_REQUEST"])),
        ("warmup", maybe(warmup)),
    ]);
    let simple = only(
        "simple",
        one_of(&["RANDOM", "PASSTHROUGH", "LEAST_CONN", "UNSPECIFIED"]),
    );
    let cookie = map(vec![
        ("name", one_of(&["user"])),
        ("path", maybe(one_of(&["/"]))),
        ("ttl", maybe(one_of(&["0s", "3s"]))),
    ]);
    let key = prop_oneof![
        only("httpHeaderName", one_of(&["x-a"])),
        only("httpQueryParameterName", one_of(&["q"])),
        only("httpCookie", cookie),
        Just(json!({"useSourceIp": true})),
    ];
    let table = prop_oneof![
        Just(json!({})),
        Just(json!({"ringHash": {"minimumRingSize": 64}})),
        Just(json!({"maglev": {"tableSize": 101}})),
    ];
    let hashed = only("consistentHash", united(key.boxed(), table.boxed()));
    let algorithm = prop_oneof![2 => growing, 1 => simple, 2 => hashed].boxed();
    filled(united(
        algorithm,
        map(vec![("localityLbSetting", maybe(locality()))]),
    ))
}

fn locality() -> Any<Value> {
    let distribute = json!({"distribute": [{"from": "r1/*", "to": {"r1/*": 80, "r2/*": 20}}]});
    let failover = json!({"failover": [{"from": "r1", "to": "r2"}]});
    let priority = json!({"failoverPriority": ["app", "version=v1"]});
    let setting = prop::sample::select(vec![distribute, failover, priority, json!({})]).boxed();
    united(setting, map(vec![("enabled", maybe(boolean()))]))
}

fn pool() -> Any<Value> {
    let limit = || maybe(whole(0..=2000));
    let tcp = map(vec![
        ("maxConnections", limit()),
        ("connectTimeout", maybe(words::duration())),
        ("idleTimeout", maybe(words::duration())),
        ("maxConnectionDuration", maybe(words::duration())),
    ]);
    let http = map(vec![
        ("http1MaxPendingRequests", limit()),
        ("http2MaxRequests", limit()),
        ("maxRequestsPerConnection", limit()),
        ("maxRetries", limit()),
        ("idleTimeout", maybe(words::duration())),
        (
            "h2UpgradePolicy",
            maybe(one_of(&["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"])),
        ),
        ("maxConcurrentStreams", limit()),
    ]);
    filled(map(vec![
        ("tcp", maybe(filled(tcp))),
        ("http", maybe(filled(http))),
    ]))
}

fn outlier() -> Any<Value> {
    let split = json!({"splitExternalLocalOriginErrors": true, "consecutiveLocalOriginFailures": 2});
    let numbers = map(vec![
        ("consecutive5xxErrors", maybe(whole(0..=9))),
        ("consecutiveGatewayErrors", maybe(whole(0..=9))),
        ("interval", maybe(words::duration())),
        ("baseEjectionTime", maybe(words::duration())),
        ("maxEjectionPercent", maybe(whole(0..=100))),
        ("minHealthPercent", maybe(whole(0..=100))),
    ]);
    united(numbers, prop_oneof![Just(json!({})), Just(split)].boxed())
}

/// Subsets with different names, each with a policy or without.
pub(super) fn subsets() -> Any<Value> {
    let subset = map(vec![
        ("labels", maybe(words::labels())),
        (
            "trafficPolicy",
            prop_oneof![2 => Just(Value::Null), 1 => any()].boxed(),
        ),
    ]);
    let all = prop::collection::vec(subset, words::SUBSETS.len());
    let named = all.prop_map(|subsets| {
        let named = words::SUBSETS.iter().zip(subsets).map(|(name, mut subset)| {
            subset["name"] = (*name).into();
            subset
        });
        named.collect::<Vec<Value>>()
    });
    named
        .prop_flat_map(|all| prop::sample::subsequence(all, 1..=3).prop_map(Value::from))
        .boxed()
}
