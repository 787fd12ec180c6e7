//! What rules do with requests.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::http_match::text_match;
use super::words::{self, HOSTS, PORTS, SUBSETS};
use super::{Any, boolean, filled, list, map, maybe, one_of, only, some_of, texts, united, whole};

/// `host`, perhaps `subset` and `port`.
fn target() -> Any<Value> {
    map(vec![
        ("host", one_of(HOSTS)),
        ("subset", maybe(one_of(SUBSETS))),
        ("port", maybe(only("number", one_of(PORTS)))),
    ])
}

/// One destination with any weight, or several, the first of which has some.
pub(super) fn route() -> Any<Value> {
    let entry = |weight: Any<Value>| {
        map(vec![
            ("destination", target()),
            ("weight", weight),
            ("headers", maybe(headers())),
        ])
    };
    let one = list(entry(maybe(whole(0..=100))), 1..2);
    let first = entry(prop_oneof![whole(1..=100), whole(1..=500_000_000)].boxed());
    let others = prop::collection::vec(
        entry(maybe(prop_oneof![whole(0..=100), whole(0..=500_000_000)].boxed())),
        1..4,
    );
    let several =
        (first, others).prop_map(|(first, others)| Value::from_iter([first].into_iter().chain(others)));
    prop_oneof![2 => one, 3 => several].boxed()
}

/// Values by name of header.
fn values(names: &'static [&'static str]) -> Any<Value> {
    let value = || prop_oneof![words::text(), Just(json!("%REQ(x-a)%")), Just(json!("100%%"))];
    some_of(names, 1)
        .prop_flat_map(move |names| {
            let values = prop::collection::vec(value(), names.len());
            values.prop_map(move |values| {
                Value::from(
                    names
                        .iter()
                        .map(|name| (*name).to_owned())
                        .zip(values)
                        .collect::<Map<_, _>>(),
                )
            })
        })
        .boxed()
}

/// `headers` of a rule or of a destination.
fn headers() -> Any<Value> {
    let operations = || {
        filled(map(vec![
            ("set", maybe(values(&["x-a", "x-b"]))),
            ("add", maybe(values(&["x-a", "x-c"]))),
            ("remove", maybe(texts(&["x-b", "x-d"]))),
        ]))
    };
    filled(map(vec![
        ("request", maybe(operations())),
        ("response", maybe(operations())),
    ]))
}

/// What any rule that sends requests on may have besides its destinations; also one that delegates.
pub(super) fn on_the_way() -> Any<Value> {
    let rarely = |strategy: Any<Value>| prop_oneof![3 => Just(Value::Null), 1 => strategy].boxed();
    let extras = map(vec![
        ("name", rarely(words::text())),
        ("timeout", rarely(words::duration())),
        ("retries", rarely(retries())),
        ("rewrite", rarely(rewrite())),
        ("headers", rarely(headers())),
        ("fault", rarely(fault())),
        ("corsPolicy", rarely(cors())),
    ]);
    united(extras, mirrors())
}

fn retries() -> Any<Value> {
    let on = &[
        "5xx",
        "reset,503",
        "connect-failure,refused-stream,unavailable,cancelled",
        "gateway-error,409,418",
    ];
    let given = map(vec![
        ("attempts", whole(1..=9)),
        ("perTryTimeout", maybe(words::duration())),
        ("retryOn", maybe(one_of(on))),
        ("backoff", maybe(words::duration())),
        ("retryRemoteLocalities", maybe(boolean())),
        ("retryIgnorePreviousHosts", maybe(boolean())),
    ]);
    prop_oneof![Just(json!({})), Just(json!({"attempts": 0})), given].boxed()
}

fn rewrite() -> Any<Value> {
    let regex = json!({"uriRegexRewrite": {"match": "/a/(.*)", "rewrite": "/\\1/on"}});
    let path = prop_oneof![
        only("uri", one_of(&["/", "/new", "off"])),
        Just(regex),
        Just(json!({}))
    ]
    .boxed();
    filled(united(
        path,
        map(vec![("authority", maybe(one_of(&["b", "other.example:81"])))]),
    ))
}

fn fault() -> Any<Value> {
    let delay = map(vec![
        ("fixedDelay", words::duration()),
        ("percentage", maybe(words::percentage())),
    ]);
    let status = prop_oneof![
        only("httpStatus", whole(200..=599)),
        only("grpcStatus", one_of(&["UNAVAILABLE", "OK"]))
    ];
    let abort = united(
        status.boxed(),
        map(vec![("percentage", maybe(words::percentage()))]),
    );
    filled(map(vec![("delay", maybe(delay)), ("abort", maybe(abort))]))
}

fn cors() -> Any<Value> {
    let origin = text_match()
        .prop_filter("no empty origin", |origin| origin["exact"] != "")
        .boxed();
    let names = || texts(&["x-a", "X-B", "*"]);
    map(vec![
        ("allowOrigins", list(origin, 1..3)),
        ("allowMethods", maybe(texts(&["GET", "POST", "*"]))),
        ("allowHeaders", maybe(names())),
        ("exposeHeaders", maybe(names())),
        ("maxAge", maybe(one_of(&["1s", "24h"]))),
        ("allowCredentials", maybe(boolean())),
        (
            "unmatchedPreflights",
            maybe(one_of(&["FORWARD", "IGNORE", "UNSPECIFIED"])),
        ),
    ])
}

fn mirrors() -> Any<Value> {
    let one = map(vec![
        ("mirror", target()),
        ("mirrorPercentage", maybe(words::percentage())),
    ]);
    let entry = map(vec![
        ("destination", target()),
        ("percentage", maybe(words::percentage())),
    ]);
    prop_oneof![4 => Just(json!({})), 1 => one, 1 => only("mirrors", list(entry, 1..3))].boxed()
}

/// A rule that sends the client elsewhere, or answers.
pub(super) fn answers() -> Any<Value> {
    let target = map(vec![
        ("uri", maybe(one_of(&["/new", "/new?q=1"]))),
        ("authority", one_of(&["other.example", "b:81"])),
        ("scheme", maybe(one_of(&["http", "https"]))),
        ("redirectCode", maybe(one_of(&[301, 302, 303, 307, 308]))),
    ]);
    let port = prop_oneof![
        Just(json!({})),
        only("port", one_of(PORTS)),
        only(
            "derivePort",
            one_of(&["FROM_REQUEST_PORT", "FROM_PROTOCOL_DEFAULT"])
        ),
    ];
    let redirect = only("redirect", united(target, port.boxed()));
    let body = prop_oneof![
        only("string", words::free_text()),
        only("bytes", one_of(&["YQ==", "AAEC/w=="]))
    ];
    let direct = map(vec![("status", whole(200..=599)), ("body", maybe(body.boxed()))]);
    let answer = prop_oneof![redirect, only("directResponse", direct)].boxed();
    united(answer, map(vec![("headers", maybe(headers()))]))
}
