//! The words that manifests and requests share, and texts that are hard to write down.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{Any, lists, one_of, some_of};

/// `istio-system` is the root namespace.
pub(super) fn namespace() -> Any<&'static str> {
    prop_oneof![4 => Just("shop"), 2 => Just("bank"), 1 => Just("istio-system")].boxed()
}

/// Names of objects.
pub(super) fn name() -> Any<&'static str> {
    prop::sample::select(&["a", "b", "c-1", "d.e"][..]).boxed()
}

/// Hosts of destinations and DestinationRules: services that may exist, one that does not, names in full and short.
pub(super) const HOSTS: &[&str] = &[
    "a",
    "b",
    "a.shop.svc.cluster.local",
    "b.bank.svc.cluster.local",
    "ext.example",
    "api.wild.example",
    "alias",
    "A.shop.svc.cluster.local",
    "nobody",
];

/// Names of subsets.
pub(super) const SUBSETS: &[&str] = &["v1", "v2", "v3"];

/// Ports of services; the last is not HTTP.
pub(super) const PORTS: &[i64] = &[80, 8080, 9000];

/// Texts that YAML could take for something else, or lose a part of.
const AWKWARD: &[&str] = &[
    "",
    " ",
    "on",
    "off",
    "yes",
    "No",
    "y",
    "N",
    "true",
    "null",
    "~",
    "Null",
    "1",
    "-1",
    "0x1F",
    "0o17",
    "017",
    "1e3",
    "1_000",
    ".5",
    "1.",
    "+1",
    ".inf",
    ".nan",
    "2001-01-01",
    "12:30:45",
    "- a",
    "a: b",
    "a #b",
    "#",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "@a",
    "`a",
    "'",
    "\"",
    "[a]",
    "{a}",
    "a\\b",
    "a\tb",
    " a ",
    "---",
    "...",
    "=",
    "<<",
    "?",
    ":",
    "a:",
    "-",
];

/// Any text of printable signs that no format takes for a command.
pub(super) fn text() -> Any<Value> {
    let awkward = prop::sample::select(AWKWARD).prop_map(str::to_owned);
    let any = "[ -$&-~]{0,12}";
    prop_oneof![4 => prop::sample::select(&["a", "b", "/a", "true"][..]).prop_map(str::to_owned), 2 => awkward, 1 => any]
        .prop_map(Value::from)
        .boxed()
}

/// Texts with signs that need not be printable or ASCII.
pub(super) fn free_text() -> Any<Value> {
    prop_oneof![text(), "[\\PC\n\t]{0,20}".prop_map(Value::from)].boxed()
}

/// Durations of whole milliseconds.
pub(super) fn duration() -> Any<Value> {
    prop_oneof![
        one_of(&["1ms", "250ms", "1.5s", "2s", "1m30s", "1h", "0.25s", "+3s"]),
        (1..100_000_u32).prop_map(|ms| Value::from(format!("{ms}ms"))),
    ]
    .boxed()
}

/// Null, or annotations of any text.
pub(super) fn annotations() -> Any<Value> {
    let exported = one_of(&["*", ".", "bank", "shop, bank"])
        .prop_map(|to| Value::from_iter([("networking.istio.io/exportTo", to)]))
        .boxed();
    let any = free_text()
        .prop_map(|text| Value::from_iter([("example.com/note", text)]))
        .boxed();
    prop_oneof![6 => Just(Value::Null), 1 => exported, 2 => any].boxed()
}

/// Labels of workloads and of clients, some of them.
pub(super) fn labels() -> Any<Value> {
    let value = || prop::sample::select(&["a", "b", "v1", "v2", "true"][..]);
    let labels = some_of(&["app", "version"], 1).prop_flat_map(move |names| {
        let values = prop::collection::vec(value(), names.len());
        values.prop_map(move |values| {
            let pairs = names.iter().zip(values);
            Value::from(
                pairs
                    .map(|(name, value)| ((*name).to_owned(), value.into()))
                    .collect::<Map<_, _>>(),
            )
        })
    });
    labels.boxed()
}

/// Null, or namespaces.
pub(super) fn export_to() -> Any<Value> {
    let names = lists(&[&["."], &["*"], &["bank"], &["shop", "bank"], &[".", "other"]]);
    prop_oneof![3 => Just(Value::Null), 2 => names].boxed()
}

/// A share in percent, none and all included.
pub(super) fn percentage() -> Any<Value> {
    let percent = prop_oneof![
        Just(0.0),
        Just(100.0),
        Just(12.5),
        (1..1_000_000_u32).prop_map(|n| f64::from(n) / 1e4)
    ];
    percent
        .prop_map(|value| Value::from_iter([("value", value)]))
        .boxed()
}
