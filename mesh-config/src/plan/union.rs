//! Objects that are both: one, with what another one alone has.

use serde_json::{Map, Value};

use crate::object::Object;

/// `base` with what only `other` has, and what that is; `None` if there is nothing, or it cannot be in one object.
pub(super) fn united(base: &Object, other: &Object) -> Option<(Value, String)> {
    let mut content = base.content().clone();
    let (spec, others) = (content.get_mut("spec")?, &other.content()["spec"]);
    let mut added = match base.kind.as_str() {
        "DestinationRule" if spec["host"] == others["host"] => entries(spec, others, "subsets", "/name")?,
        "Gateway" if spec["selector"] == others["selector"] => servers(spec, others),
        "Service" => entries(spec, others, "ports", "/port")?,
        "ServiceEntry" if spec["resolution"] == others["resolution"] => {
            let mut added = texts(spec, others, "hosts");
            added.extend(entries(spec, others, "ports", "/number")?);
            added
        }
        "VirtualService" => {
            let mut added = texts(spec, others, "hosts");
            added.extend(gateways(spec, others));
            added
        }
        _ => return None,
    };
    if base.kind != "Service" && wider(spec, others) {
        added.push("exportTo".to_owned());
    }
    (!added.is_empty()).then(|| (content, added.join(", ")))
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

fn set(spec: &mut Value, key: &str, list: Vec<Value>) {
    if let Some(fields) = spec.as_object_mut() {
        fields.insert(key.to_owned(), list.into());
    }
}

/// Adds the entries of a list that have another key; `None` if one of them has the name of one that is there.
fn entries(spec: &mut Value, others: &Value, key: &str, by: &str) -> Option<Vec<String>> {
    let mut all = list(spec, key);
    let mut added = Vec::new();
    for other in list(others, key) {
        if all.iter().any(|one| one.pointer(by) == other.pointer(by)) {
            continue;
        }
        if !other["name"].is_null() && all.iter().any(|one| one["name"] == other["name"]) {
            return None;
        }
        let what = key.trim_end_matches('s');
        let name = other
            .pointer(by)
            .map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned));
        added.push(format!("{what} {}", name.unwrap_or_default()));
        all.push(other);
    }
    if !added.is_empty() {
        set(spec, key, all);
    }
    Some(added)
}

/// Adds the texts of a list.
fn texts(spec: &mut Value, others: &Value, key: &str) -> Vec<String> {
    let mut all = list(spec, key);
    let missing: Vec<Value> = list(others, key)
        .into_iter()
        .filter(|text| !all.contains(text))
        .collect();
    let added = missing
        .iter()
        .filter_map(Value::as_str)
        .map(|text| format!("{} {text}", key.trim_end_matches('s')));
    let added = added.collect();
    if !missing.is_empty() {
        all.extend(missing);
        set(spec, key, all);
    }
    added
}

/// The same of `gateways`, of which none means `mesh`.
fn gateways(spec: &mut Value, others: &Value) -> Vec<String> {
    let or_mesh = |list: Vec<Value>| {
        if list.is_empty() {
            vec![Value::from("mesh")]
        } else {
            list
        }
    };
    let (own, other) = (or_mesh(list(spec, "gateways")), or_mesh(list(others, "gateways")));
    if other.iter().all(|gateway| own.contains(gateway)) {
        return Vec::new();
    }
    set(spec, "gateways", own);
    texts(
        spec,
        &Value::Object(Map::from_iter([("gateways".to_owned(), other.into())])),
        "gateways",
    )
}

/// Adds servers, and the hosts of those that have the same port.
fn servers(spec: &mut Value, others: &Value) -> Vec<String> {
    let mut all = list(spec, "servers");
    let mut added = Vec::new();
    for other in list(others, "servers") {
        let port = &other["port"]["number"];
        match all.iter_mut().find(|one| one["port"]["number"] == *port) {
            Some(one) if one["tls"] == other["tls"] => added.extend(texts(one, &other, "hosts")),
            Some(_) => {}
            None => {
                added.push(format!("server {port}"));
                all.push(other);
            }
        }
    }
    set(spec, "servers", all);
    added
}

/// Widens `exportTo`; whether it had to be.
fn wider(spec: &mut Value, others: &Value) -> bool {
    let public = |list: &[Value]| list.is_empty() || list.contains(&Value::from("*"));
    let (mut own, other) = (list(spec, "exportTo"), list(others, "exportTo"));
    if public(&own) || other.iter().all(|to| own.contains(to)) && !public(&other) {
        return false;
    }
    if public(&other) {
        own = vec!["*".into()];
    } else {
        own.extend(
            other
                .into_iter()
                .filter(|to| !list(spec, "exportTo").contains(to)),
        );
    }
    set(spec, "exportTo", own);
    true
}
