//! Reading DestinationRule.

use std::collections::BTreeMap;

use super::destination_rule::{DestinationRule, Subset, TrafficPolicy};
use super::read_virtual_service::read_export_to;
use super::{Metadata, labels, read_tls, read_tunnel};
use crate::check::{schema, warning};
use crate::host;
use crate::policy::{load_balancer, outlier, pool};
use crate::problem::Placed;
use crate::text::{Fields, Value};

/// Of a workload selector.
const MOST_LABELS: usize = 4096;

/// Of a label of a workload selector.
const LONGEST_VALUE: usize = 63;

pub(crate) fn read(value: &Value<'_>, metadata: &Metadata) -> Option<DestinationRule> {
    let namespace = &metadata.namespace;
    value.fields(|fields| {
        let host = fields.required("host").and_then(|v| {
            let name = v.placed_text()?;
            if !host::is_valid(&name.value, false) {
                v.problem(format!("`{}` is not a host name", name.value));
            }
            Some(name)
        });
        let subsets = fields.get("subsets").map(|v| v.list()).unwrap_or_default();
        DestinationRule {
            host: host.unwrap_or_default(),
            export_to: read_export_to(fields, namespace, fields.value().has("workloadSelector")),
            workload_selector: fields.get("workloadSelector").and_then(|v| read_selector(&v)),
            traffic_policy: fields
                .get("trafficPolicy")
                .and_then(|v| read_policy(&v, namespace))
                .map(Box::new),
            subsets: read_subsets(&subsets, namespace),
        }
    })
}

fn read_selector(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    value.fields(|fields| {
        let labels = fields.get("matchLabels");
        if labels.as_ref().is_none_or(Value::is_empty) {
            let advice = "say which with `matchLabels`, or leave the selector out".to_owned();
            fields.value().say(
                &warning::EMPTY_SELECTOR,
                "this selects every workload",
                Some(advice),
            );
        }
        if let Some(labels) = &labels {
            check_selector(labels);
        }
        labels.map(|v| v.text_map()).unwrap_or_default()
    })
}

/// What the schema asks of the labels.
fn check_selector(labels: &Value<'_>) {
    let entries = labels.entries();
    if entries.len() > MOST_LABELS {
        labels.say(&schema::FORMAT, format!("more than {MOST_LABELS} labels"), None);
    }
    for (key, value) in entries {
        let text = value.text().unwrap_or_default();
        let wrong = if key.value.is_empty() {
            "a label has no name".to_owned()
        } else if key.value.contains('*') || text.contains('*') {
            "a selector has no `*`".to_owned()
        } else if text.chars().count() > LONGEST_VALUE {
            format!("the value of a label has at most {LONGEST_VALUE} characters")
        } else {
            continue;
        };
        value.say(&schema::FORMAT, wrong, None);
    }
}

fn read_subsets(list: &[Value<'_>], namespace: &str) -> Vec<Subset> {
    let mut subsets: Vec<Subset> = Vec::new();
    for value in list {
        let read = value.fields(|fields| {
            let name = fields.required("name").and_then(|v| {
                let name = v.placed_text()?;
                if !host::is_label(&name.value) {
                    v.problem(format!("`{}` is not a name for a subset", name.value));
                } else if subsets.iter().any(|other| other.name == name) {
                    v.problem(format!("there is a subset `{}` before", name.value));
                }
                Some(name)
            });
            let labels = fields.get("labels").map(|v| labels::read(&v)).unwrap_or_default();
            let traffic_policy = fields
                .get("trafficPolicy")
                .and_then(|v| read_policy(&v, namespace));
            Some(Subset {
                name: name?,
                labels,
                traffic_policy,
            })
        });
        subsets.extend(read.flatten());
    }
    subsets
}

/// What a policy may consist of, besides settings for ports.
const BLOCKS: [&str; 7] = [
    "loadBalancer",
    "connectionPool",
    "outlierDetection",
    "tls",
    "tunnel",
    "proxyProtocol",
    "retryBudget",
];

fn read_policy(value: &Value<'_>, namespace: &str) -> Option<TrafficPolicy> {
    value.fields(|fields| {
        let ports = fields
            .get("portLevelSettings")
            .map(|v| v.list())
            .unwrap_or_default();
        if ports.is_empty() && !BLOCKS.iter().any(|block| value.has(block)) {
            value.problem_with("an empty policy says nothing", "leave it out");
        }
        read_tunnel::read(fields);
        let mut policy = read_blocks(fields, namespace);
        policy.retry_budget = block(fields, "retryBudget", pool::read_budget);
        policy.ports = ports.iter().filter_map(|v| read_port(v, namespace)).collect();
        policy
    })
}

/// The blocks that a policy and its settings for a port have in common.
fn read_blocks(fields: &mut Fields<'_>, namespace: &str) -> TrafficPolicy {
    let outlier = fields.value().has("outlierDetection");
    TrafficPolicy {
        load_balancer: block(fields, "loadBalancer", |v| load_balancer::read(v, outlier)),
        connection_pool: block(fields, "connectionPool", pool::read),
        outlier_detection: block(fields, "outlierDetection", outlier::read),
        tls: block(fields, "tls", |v| read_tls::read(v, namespace)),
        ..TrafficPolicy::default()
    }
}

fn block<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    read: impl FnOnce(&Value<'_>) -> Option<T>,
) -> Option<Placed<T>> {
    let value = fields.get(name)?;
    let mark = value.mark();
    read(&value).map(|value| Placed { value, mark })
}

/// An entry of `portLevelSettings`.
fn read_port(value: &Value<'_>, namespace: &str) -> Option<(u16, TrafficPolicy)> {
    value.fields(|fields| {
        let port = fields.needed("port").map(|v| {
            let number = v.fields(|fields| fields.get("number").and_then(|v| v.uint32()));
            // A port that no service can have has no effect.
            number
                .flatten()
                .and_then(|number| u16::try_from(number).ok())
                .unwrap_or_default()
        });
        let blocks = ["loadBalancer", "connectionPool", "outlierDetection", "tls"];
        if !blocks.iter().any(|block| value.has(block)) {
            value.problem(format!("needs at least one of {}", blocks.join(", ")));
        }
        (port.unwrap_or_default(), read_blocks(fields, namespace))
    })
}
