//! Reading DestinationRule.

use std::collections::BTreeMap;

use super::destination_rule::{DestinationRule, Subset, TlsMode, TrafficPolicy};
use super::read_virtual_service::read_export_to;
use crate::host;
use crate::policy::{load_balancer, outlier, pool};
use crate::problem::Placed;
use crate::text::{Fields, Value};

pub(crate) fn read(value: &Value<'_>) -> Option<DestinationRule> {
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
            export_to: read_export_to(fields),
            workload_selector: fields.get("workloadSelector").and_then(|v| read_selector(&v)),
            traffic_policy: fields
                .get("trafficPolicy")
                .and_then(|v| read_policy(&v))
                .map(Box::new),
            subsets: read_subsets(&subsets),
        }
    })
}

fn read_selector(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    value.fields(|fields| {
        let labels = fields.get("matchLabels");
        labels.map(|v| v.text_map()).unwrap_or_default()
    })
}

fn read_subsets(list: &[Value<'_>]) -> Vec<Subset> {
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
            let labels = fields.get("labels").map(|v| v.text_map()).unwrap_or_default();
            let traffic_policy = fields.get("trafficPolicy").and_then(|v| read_policy(&v));
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

fn read_policy(value: &Value<'_>) -> Option<TrafficPolicy> {
    let blocks = [
        "loadBalancer",
        "connectionPool",
        "outlierDetection",
        "tls",
        "tunnel",
        "proxyProtocol",
        "retryBudget",
    ];
    value.fields(|fields| {
        fields.not_supported(&["tunnel", "proxyProtocol"]);
        let ports = fields
            .get("portLevelSettings")
            .map(|v| v.list())
            .unwrap_or_default();
        if ports.is_empty() && !blocks.iter().any(|block| value.has(block)) {
            value.problem("an empty policy says nothing");
        }
        let mut policy = read_blocks(fields);
        policy.retry_budget = block(fields, "retryBudget", pool::read_budget);
        policy.ports = ports.iter().filter_map(read_port).collect();
        policy
    })
}

/// The blocks that a policy and its settings for a port have in common.
fn read_blocks(fields: &mut Fields<'_>) -> TrafficPolicy {
    TrafficPolicy {
        load_balancer: block(fields, "loadBalancer", load_balancer::read),
        connection_pool: block(fields, "connectionPool", pool::read),
        outlier_detection: block(fields, "outlierDetection", outlier::read),
        tls: block(fields, "tls", read_tls),
        ..TrafficPolicy::default()
    }
}

fn block<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    read: fn(&Value<'_>) -> Option<T>,
) -> Option<Placed<T>> {
    let value = fields.get(name)?;
    let mark = value.mark();
    read(&value).map(|value| Placed { value, mark })
}

/// An entry of `portLevelSettings`.
fn read_port(value: &Value<'_>) -> Option<(u16, TrafficPolicy)> {
    value.fields(|fields| {
        let port = fields.required("port").map(|v| {
            let number = v.fields(|fields| fields.get("number").and_then(|v| v.whole(0..=u32::MAX.into())));
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
        (port.unwrap_or_default(), read_blocks(fields))
    })
}

/// Accepted as Istio accepts it; on loopback everything stays plain text.
fn read_tls(value: &Value<'_>) -> Option<TlsMode> {
    value.fields(|fields| {
        let modes = [
            ("DISABLE", TlsMode::Disable),
            ("ISTIO_MUTUAL", TlsMode::IstioMutual),
            ("SIMPLE", TlsMode::Simple),
            ("MUTUAL", TlsMode::Mutual),
        ];
        let mode = fields
            .get("mode")
            .and_then(|v| v.choice(&modes))
            .unwrap_or_default();
        let mut given = |name| {
            fields
                .get(name)
                .and_then(|v: Value<'_>| v.text())
                .is_some_and(|text| !text.is_empty())
        };
        let (certificate, key) = (given("clientCertificate"), given("privateKey"));
        let (authorities, credential) = (given("caCertificates"), given("credentialName"));
        let _ = (given("sni"), given("caCrl"));
        let names = fields
            .get("subjectAltNames")
            .map(|v| v.texts())
            .unwrap_or_default();
        let unverified = fields.get("insecureSkipVerify").and_then(|v| v.boolean()) == Some(true);
        let from_files = certificate || key || authorities;
        let problem = |message: &str| value.problem(message);
        match mode {
            TlsMode::Mutual | TlsMode::Simple if credential && from_files => {
                problem("credentialName and certificates from files exclude each other");
            }
            TlsMode::Mutual if !credential && !certificate => problem("MUTUAL needs a clientCertificate"),
            TlsMode::Mutual if !credential && !key => problem("MUTUAL needs a privateKey"),
            _ => {}
        }
        let verified = authorities || !names.is_empty() || (credential && mode == TlsMode::Simple);
        if unverified && verified {
            problem("insecureSkipVerify excludes what would be verified");
        }
        mode
    })
}
