//! Reading DestinationRule.

use std::collections::BTreeMap;

use super::destination_rule::{DestinationRule, Subset, TrafficPolicy};
use super::read_virtual_service::read_export_to;
use crate::host;
use crate::text::Value;
use crate::view::cluster::{ConnectionPool, LoadBalancer, OutlierDetection};

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
            traffic_policy: fields.get("trafficPolicy").and_then(|v| read_policy(&v)),
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
    if value.is_empty() {
        value.problem("an empty policy says nothing");
    }
    value.fields(|fields| {
        fields.not_supported(&["portLevelSettings", "tunnel", "proxyProtocol", "retryBudget"]);
        if let Some(tls) = fields.get("tls") {
            read_tls(&tls);
        }
        TrafficPolicy {
            load_balancer: fields.get("loadBalancer").and_then(|v| read_load_balancer(&v)),
            connection_pool: fields.get("connectionPool").and_then(|v| read_pool(&v)),
            outlier_detection: fields.get("outlierDetection").and_then(|v| read_outlier(&v)),
        }
    })
}

/// Between the mesh's own workloads these two modes make no difference on loopback; others would.
fn read_tls(value: &Value<'_>) {
    value.fields(|fields| {
        fields.not_supported(&[
            "clientCertificate",
            "privateKey",
            "caCertificates",
            "credentialName",
            "subjectAltNames",
            "sni",
            "insecureSkipVerify",
            "caCrl",
        ]);
        let Some(mode) = fields.get("mode") else { return };
        let modes = [
            ("DISABLE", true),
            ("ISTIO_MUTUAL", true),
            ("SIMPLE", false),
            ("MUTUAL", false),
        ];
        if mode.choice(&modes) == Some(false) {
            mode.not_supported();
        }
    });
}

fn read_load_balancer(value: &Value<'_>) -> Option<LoadBalancer> {
    value.fields(|fields| {
        fields.not_supported(&[
            "consistentHash",
            "localityLbSetting",
            "zoneAwareLbSetting",
            "warmup",
            "warmupDurationSecs",
        ]);
        let simple = fields.get("simple").and_then(|v| {
            let chosen = v.choice(&[
                ("LEAST_REQUEST", Some(LoadBalancer::LeastRequest)),
                ("ROUND_ROBIN", Some(LoadBalancer::RoundRobin)),
                ("RANDOM", Some(LoadBalancer::Random)),
                ("LEAST_CONN", Some(LoadBalancer::LeastRequest)),
                ("UNSPECIFIED", Some(LoadBalancer::LeastRequest)),
                ("PASSTHROUGH", None),
            ])?;
            if chosen.is_none() {
                v.not_supported();
            }
            chosen
        });
        simple.unwrap_or_default()
    })
}

fn read_pool(value: &Value<'_>) -> Option<ConnectionPool> {
    value.fields(|fields| {
        let mut pool = ConnectionPool::default();
        let (tcp, http) = (fields.get("tcp"), fields.get("http"));
        if tcp.is_none() && http.is_none() {
            fields.value().problem("needs `tcp` or `http`");
        }
        // The idle time of http wins over that of tcp, so tcp is read first.
        tcp.and_then(|v| read_tcp_pool(&v, &mut pool));
        http.and_then(|v| read_http_pool(&v, &mut pool));
        pool
    })
}

fn read_tcp_pool(value: &Value<'_>, pool: &mut ConnectionPool) -> Option<()> {
    value.fields(|fields| {
        fields.not_supported(&["tcpKeepalive", "maxConnectionDuration"]);
        pool.max_connections = fields.get("maxConnections").and_then(|v| limit(&v));
        if let Some(timeout) = fields.get("connectTimeout").and_then(|v| v.duration()) {
            pool.connect_timeout = timeout;
        }
        if let Some(timeout) = fields.get("idleTimeout").and_then(|v| v.duration()) {
            pool.idle_timeout = timeout;
        }
    })
}

fn read_http_pool(value: &Value<'_>, pool: &mut ConnectionPool) -> Option<()> {
    value.fields(|fields| {
        fields.not_supported(&[
            "h2UpgradePolicy",
            "useClientProtocol",
            "maxConcurrentStreams",
            "http2KeepAlive",
        ]);
        pool.max_pending = fields.get("http1MaxPendingRequests").and_then(|v| limit(&v));
        pool.max_requests = fields.get("http2MaxRequests").and_then(|v| limit(&v));
        pool.max_retries = fields.get("maxRetries").and_then(|v| limit(&v));
        pool.max_requests_per_connection = fields.get("maxRequestsPerConnection").and_then(|v| limit(&v));
        if let Some(timeout) = fields.get("idleTimeout").and_then(|v| v.duration()) {
            pool.idle_timeout = timeout;
        }
    })
}

/// 0 counts as absent: unlimited.
fn limit(value: &Value<'_>) -> Option<u32> {
    value.count().filter(|number| *number > 0)
}

fn read_outlier(value: &Value<'_>) -> Option<OutlierDetection> {
    value.fields(|fields| {
        // Istio ignores it, with a warning.
        fields.accept(&["consecutiveErrors"]);
        fields.not_supported(&["consecutiveLocalOriginFailures", "outlierDetectionHttpErrorCodes"]);
        if let Some(split) = fields.get("splitExternalLocalOriginErrors")
            && split.boolean() == Some(true)
        {
            split.not_supported();
        }
        let default = OutlierDetection::default();
        let mut number = |name, highest| {
            let value = fields.get(name).and_then(|v: Value<'_>| v.whole(0..=highest))?;
            u32::try_from(value).ok()
        };
        let consecutive_5xx = number("consecutive5xxErrors", u32::MAX.into());
        let consecutive_gateway = number("consecutiveGatewayErrors", u32::MAX.into());
        // As istiod: 0 means absent.
        let max_ejection = number("maxEjectionPercent", 100).filter(|percent| *percent > 0);
        let min_health = number("minHealthPercent", 100);
        let interval = fields.get("interval").and_then(|v| v.duration());
        let base = fields.get("baseEjectionTime").and_then(|v| v.duration());
        OutlierDetection {
            consecutive_5xx: consecutive_5xx.unwrap_or(default.consecutive_5xx),
            consecutive_gateway: consecutive_gateway.unwrap_or(default.consecutive_gateway),
            interval: interval.unwrap_or(default.interval),
            base_ejection_time: base.unwrap_or(default.base_ejection_time),
            max_ejection_percent: max_ejection.unwrap_or(default.max_ejection_percent),
            min_health_percent: min_health.unwrap_or(default.min_health_percent),
        }
    })
}
