//! How far each proxy follows istiod, from `istioctl proxy-status -o json`.

use serde::Deserialize;

/// One proxy that is connected to istiod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyStatus {
    /// `POD.NAMESPACE`.
    pub proxy: String,
    /// Kinds of configuration that istiod sent and the proxy has not confirmed, such as `Cluster`.
    pub behind: Vec<String>,
    /// Kinds that it refused, with Envoy's reason.
    pub refused: Vec<(String, String)>,
}

/// A `DiscoveryResponse` of one istiod; several istiods print one after the other.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    resources: Vec<ClientConfig>,
}

/// `envoy.service.status.v3.ClientConfig`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientConfig {
    node: Node,
    #[serde(default)]
    generic_xds_configs: Vec<XdsConfig>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct XdsConfig {
    #[serde(default)]
    type_url: String,
    #[serde(default)]
    config_status: String,
    error_state: Option<ErrorState>,
}

#[derive(Deserialize)]
struct ErrorState {
    #[serde(default)]
    details: String,
}

/// All proxies that some istiod knows.
///
/// # Errors
/// It is something else than `proxy-status` prints.
pub fn read_statuses(text: &str) -> Result<Vec<ProxyStatus>, serde_json::Error> {
    let mut statuses = Vec::new();
    for response in serde_json::Deserializer::from_str(text).into_iter::<Response>() {
        statuses.extend(response?.resources.into_iter().map(ProxyStatus::new));
    }
    Ok(statuses)
}

impl ProxyStatus {
    fn new(config: ClientConfig) -> Self {
        let mut status = ProxyStatus {
            proxy: config.node.id,
            behind: Vec::new(),
            refused: Vec::new(),
        };
        for xds in config.generic_xds_configs {
            let kind = xds.type_url.rsplit('.').next().unwrap_or_default().to_owned();
            match xds.config_status.as_str() {
                "STALE" => status.behind.push(kind),
                "ERROR" => {
                    let reason = xds.error_state.map(|error| error.details).unwrap_or_default();
                    status.refused.push((kind, reason));
                }
                _ => {}
            }
        }
        status
    }
}
