//! Conditions of rules.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::words::{self, PORTS};
use super::{Any, boolean, filled, list, lists, map, maybe, one_of, only, some_of};

const REGEXES: &[&str] = &[
    "/.*",
    ".*",
    "a|b",
    "v[0-9]+",
    "(?i)A",
    "[a-c/]+x?",
    "\\d{1,3}",
    "/a(/b)?",
];

/// `exact`, `prefix` or `regex`.
pub(super) fn text_match() -> Any<Value> {
    prop_oneof![
        only("exact", words::text()),
        only("prefix", one_of(&["a", "tr", "/", "/a", "ht", "1"])),
        only("regex", one_of(REGEXES)),
    ]
    .boxed()
}

/// As [`text_match`], with an empty prefix, too, or nothing at all.
fn uri() -> Any<Value> {
    prop_oneof![4 => text_match(), 1 => Just(json!({"prefix": ""})), 1 => Just(json!({}))].boxed()
}

/// Conditions by name; `{}` is that it is there.
fn by_name(names: &'static [&'static str], condition: Any<Value>) -> Any<Value> {
    some_of(names, 1)
        .prop_flat_map(move |names| {
            let conditions = prop::collection::vec(
                prop_oneof![3 => condition.clone(), 1 => Just(json!({}))],
                names.len(),
            );
            conditions.prop_map(move |conditions| {
                let names = names.iter().map(|name| (*name).to_owned());
                Value::from(names.zip(conditions).collect::<Map<_, _>>())
            })
        })
        .boxed()
}

/// A block of `match`.
fn block(uri: Any<Value>) -> Any<Value> {
    let gateways = lists(&[&["mesh"], &["shop/door"], &["mesh", "shop/door"], &["door"]]);
    let without = prop_oneof![4 => text_match(), 1 => Just(json!({"regex": "*"}))].boxed();
    let rarely = |strategy: Any<Value>| prop_oneof![4 => Just(Value::Null), 1 => strategy].boxed();
    filled(map(vec![
        ("name", rarely(words::text())),
        ("uri", maybe(uri)),
        ("ignoreUriCase", rarely(boolean())),
        (
            "method",
            rarely(prop_oneof![text_match(), Just(json!({"exact": "GET"}))].boxed()),
        ),
        ("scheme", rarely(text_match())),
        ("authority", rarely(text_match())),
        (
            "headers",
            rarely(by_name(&["x-a", "X-B", ":path", "host"], text_match())),
        ),
        (
            "withoutHeaders",
            rarely(by_name(&["x-a", "x-b", ":method"], without)),
        ),
        ("queryParams", rarely(by_name(&["q", "Q", "a b"], text_match()))),
        ("port", rarely(one_of(PORTS))),
        ("gateways", rarely(gateways)),
        ("sourceLabels", rarely(words::labels())),
        (
            "sourceNamespace",
            rarely(words::namespace().prop_map(Value::from).boxed()),
        ),
        ("statPrefix", rarely(one_of(&["stat"]))),
    ]))
}

/// Null, or some blocks.
pub(super) fn matches() -> Any<Value> {
    maybe(list(block(uri()), 1..4))
}
