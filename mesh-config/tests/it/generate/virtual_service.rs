//! VirtualServices, and those to which others delegate.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Any, NETWORKING, action, http_match, list, lists, map, maybe, named, only, texts, united, words,
};

/// None overlaps another; the last two are nobody's, but for a ServiceEntry.
const HOSTS: &[&str] = &[
    "a",
    "B",
    "b.bank.svc.cluster.local",
    "b.bank",
    "unknown",
    "alias",
    "*.wild.example",
    "ext.example",
    "*.istio-system.svc.cluster.local",
];

/// Of either sort.
pub(super) fn any() -> Any<Value> {
    prop_oneof![5 => root(), 1 => delegate()].boxed()
}

fn root() -> Any<Value> {
    let gateways = lists(&[&["mesh"], &["door"], &["mesh", "shop/door"]]);
    let hosts = map(vec![("hosts", texts(HOSTS)), ("gateways", maybe(gateways))]);
    let everything = Just(json!({"hosts": ["*"], "gateways": ["shop/door"]}));
    let delegating = map(vec![(
        "delegate",
        Just(json!({"name": "leaf", "namespace": "shop"})).boxed(),
    )]);
    let rule =
        prop_oneof![5 => sends(), 1 => action::answers(), 2 => united(delegating, action::on_the_way())];
    let names = prop_oneof![5 => hosts, 1 => everything].boxed();
    named(
        NETWORKING,
        "VirtualService",
        words::name(),
        united(names, rest(rule.boxed())),
    )
}

pub(super) fn delegate() -> Any<Value> {
    let rule = prop_oneof![5 => sends(), 1 => action::answers()];
    named(
        NETWORKING,
        "VirtualService",
        Just("leaf").boxed(),
        rest(rule.boxed()),
    )
}

fn sends() -> Any<Value> {
    united(only("route", action::route()), action::on_the_way())
}

fn rest(rule: Any<Value>) -> Any<Value> {
    let matched = map(vec![("match", http_match::matches())]);
    map(vec![
        ("exportTo", words::export_to()),
        ("http", list(united(matched, rule), 1..4)),
    ])
}
