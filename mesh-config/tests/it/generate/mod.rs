//! Manifests of every kind that is acted on, as random as they may be and still good.
//!
//! The words are few and shared by all kinds, so that in a mesh of such objects rules meet services, subsets and
//! requests. What may be any text is sometimes an awkward one.

mod action;
mod destination_rule;
mod http_match;
mod kubernetes;
mod mesh;
mod policy;
mod sidecar;
mod virtual_service;
mod words;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

pub(crate) use mesh::{Question, clients, objects, question, workloads};

/// A strategy whose type does not matter.
type Any<T> = BoxedStrategy<T>;

/// An object of any kind.
pub(crate) fn object() -> Any<Value> {
    prop_oneof![
        8 => virtual_service::any(),
        4 => destination_rule::any(),
        2 => kubernetes::service(),
        1 => kubernetes::deployment(),
        1 => kubernetes::plain(),
        2 => kubernetes::workload_entry(),
        2 => sidecar::service_entry(),
        1 => sidecar::sidecar(),
        1 => sidecar::gateway(),
    ]
    .boxed()
}

/// An object of a group, with a name and namespace out of few.
fn named(
    api_version: &'static str,
    kind: &'static str,
    name: Any<&'static str>,
    spec: Any<Value>,
) -> Any<Value> {
    (words::namespace(), name, words::annotations(), spec)
        .prop_map(move |(namespace, name, annotations, spec)| {
            let metadata = json!({"name": name, "namespace": namespace, "annotations": annotations});
            json!({"apiVersion": api_version, "kind": kind, "metadata": without_nulls(metadata), "spec": spec})
        })
        .boxed()
}

const NETWORKING: &str = "networking.istio.io/v1";

/// A mapping of fields; one whose value is null is left out.
fn map(fields: Vec<(&'static str, Any<Value>)>) -> Any<Value> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    values
        .prop_map(move |values| {
            let fields = names.iter().map(|name| (*name).to_owned()).zip(values);
            without_nulls(fields.collect())
        })
        .boxed()
}

fn without_nulls(map: Value) -> Value {
    match map {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

/// Sometimes null.
fn maybe(strategy: Any<Value>) -> Any<Value> {
    prop_oneof![Just(Value::Null), strategy].boxed()
}

/// The fields of two mappings.
fn united(one: Any<Value>, other: Any<Value>) -> Any<Value> {
    let fields = |value: Value| match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    (one, other)
        .prop_map(move |(one, other)| fields(one).into_iter().chain(fields(other)).collect())
        .boxed()
}

/// A mapping that has at least one field.
fn filled(strategy: Any<Value>) -> Any<Value> {
    strategy
        .prop_filter("says something", |value| {
            value.as_object().is_some_and(|map| !map.is_empty())
        })
        .boxed()
}

/// A list of so many.
fn list(strategy: Any<Value>, length: std::ops::Range<usize>) -> Any<Value> {
    prop::collection::vec(strategy, length)
        .prop_map(Value::from)
        .boxed()
}

/// One of these.
fn one_of<T: Clone + std::fmt::Debug + Into<Value> + 'static>(values: &'static [T]) -> Any<Value> {
    prop::sample::select(values).prop_map(Into::into).boxed()
}

/// Some of these, in their order, at least `least`.
fn some_of(values: &'static [&'static str], least: usize) -> Any<Vec<&'static str>> {
    prop::sample::subsequence(values.to_vec(), least..=values.len()).boxed()
}

/// The same as a list.
fn texts(values: &'static [&'static str]) -> Any<Value> {
    some_of(values, 1).prop_map(Value::from).boxed()
}

/// One of these lists.
fn lists(values: &'static [&'static [&'static str]]) -> Any<Value> {
    prop::sample::select(values).prop_map(Value::from).boxed()
}

fn boolean() -> Any<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

/// A whole number of a range.
fn whole(range: std::ops::RangeInclusive<i64>) -> Any<Value> {
    range.prop_map(Value::from).boxed()
}

/// `{name: value}`.
fn only(name: &'static str, strategy: Any<Value>) -> Any<Value> {
    strategy.prop_map(move |value| json!({name: value})).boxed()
}
