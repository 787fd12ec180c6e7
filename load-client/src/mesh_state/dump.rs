//! What a proxy holds, from Envoy's `config_dump`, which `istioctl proxy-config all -o json` passes on as it is.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::matching::RouteMatch;

/// The parts of a proxy's configuration that decide where requests go.
#[derive(Clone, Debug, Default)]
pub struct ProxyConfig {
    /// Route tables.
    pub routes: Vec<RouteConfig>,
    /// Names of the clusters.
    pub clusters: BTreeSet<String>,
    /// Updates that the proxy refused. What it had before stays in force.
    pub refused: Vec<Refused>,
}

/// An update that a proxy refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `listener 0.0.0.0_8080`.
    pub what: String,
    /// Envoy's reason.
    pub reason: String,
}

/// `envoy.config.route.v3.RouteConfiguration`.
#[derive(Clone, Debug, Deserialize)]
pub struct RouteConfig {
    /// The port for a sidecar (`8080`), `http.PORT` for a gateway.
    #[serde(default)]
    pub name: String,
    /// Whether `HOST:PORT` is looked up as `HOST`.
    #[serde(default)]
    pub ignore_port_in_host_matching: bool,
    /// By domain.
    #[serde(default)]
    pub virtual_hosts: Vec<VirtualHost>,
}

/// `envoy.config.route.v3.VirtualHost`.
#[derive(Clone, Debug, Deserialize)]
pub struct VirtualHost {
    /// Exact names, `*.suffix`, `prefix.*` or `*`.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The first that matches decides.
    #[serde(default)]
    pub routes: Vec<Route>,
}

/// `envoy.config.route.v3.Route`: one of the three actions is there.
#[derive(Clone, Debug, Deserialize)]
pub struct Route {
    /// Conditions.
    #[serde(rename = "match")]
    pub matches: RouteMatch,
    /// It is forwarded.
    pub route: Option<Forward>,
    /// The client is told another URL.
    pub redirect: Option<serde::de::IgnoredAny>,
    /// The proxy answers.
    pub direct_response: Option<DirectResponse>,
}

/// `envoy.config.route.v3.RouteAction`, as far as Istio uses it.
#[derive(Clone, Debug, Deserialize)]
pub struct Forward {
    /// The only destination.
    pub cluster: Option<String>,
    /// Several.
    pub weighted_clusters: Option<WeightedClusters>,
}

/// Destinations with weights.
#[derive(Clone, Debug, Deserialize)]
pub struct WeightedClusters {
    /// In order.
    #[serde(default)]
    pub clusters: Vec<WeightedCluster>,
}

/// One of several destinations.
#[derive(Clone, Debug, Deserialize)]
pub struct WeightedCluster {
    /// Of a cluster.
    pub name: String,
    /// Its part of the sum of all.
    #[serde(default)]
    pub weight: u32,
}

/// An answer of the proxy itself.
#[derive(Clone, Debug, Deserialize)]
pub struct DirectResponse {
    /// HTTP status.
    pub status: u16,
}

/// The dump, section by section; others than these say nothing about routing.
#[derive(Deserialize)]
#[serde(tag = "@type")]
enum Section {
    #[serde(rename = "type.googleapis.com/envoy.admin.v3.RoutesConfigDump")]
    Routes {
        #[serde(default)]
        static_route_configs: Vec<RouteEntry>,
        #[serde(default)]
        dynamic_route_configs: Vec<RouteEntry>,
    },
    #[serde(rename = "type.googleapis.com/envoy.admin.v3.ClustersConfigDump")]
    Clusters {
        #[serde(default)]
        static_clusters: Vec<ClusterEntry>,
        #[serde(default)]
        dynamic_active_clusters: Vec<ClusterEntry>,
        #[serde(default)]
        dynamic_warming_clusters: Vec<ClusterEntry>,
    },
    #[serde(rename = "type.googleapis.com/envoy.admin.v3.ListenersConfigDump")]
    Listeners {
        #[serde(default)]
        dynamic_listeners: Vec<ListenerEntry>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct RouteEntry {
    route_config: Option<RouteConfig>,
    error_state: Option<ErrorState>,
}

#[derive(Deserialize)]
struct ClusterEntry {
    cluster: Option<Named>,
    error_state: Option<ErrorState>,
}

#[derive(Deserialize)]
struct ListenerEntry {
    #[serde(default)]
    name: String,
    error_state: Option<ErrorState>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

/// `envoy.admin.v3.UpdateFailureState`.
#[derive(Deserialize)]
struct ErrorState {
    #[serde(default)]
    details: String,
}

#[derive(Deserialize)]
struct Dump {
    configs: Vec<Section>,
}

impl ProxyConfig {
    /// From the JSON text.
    ///
    /// # Errors
    /// It is no config dump.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let dump: Dump = serde_json::from_str(text)?;
        let mut config = ProxyConfig::default();
        for section in dump.configs {
            config.take(section);
        }
        Ok(config)
    }

    fn take(&mut self, section: Section) {
        match section {
            Section::Routes {
                static_route_configs,
                dynamic_route_configs,
            } => {
                for entry in static_route_configs.into_iter().chain(dynamic_route_configs) {
                    let name = entry.route_config.as_ref().map_or("", |config| &config.name);
                    self.refuse("routes", name, entry.error_state);
                    self.routes.extend(entry.route_config);
                }
            }
            Section::Clusters {
                static_clusters,
                dynamic_active_clusters,
                dynamic_warming_clusters,
            } => {
                for entry in static_clusters.into_iter().chain(dynamic_active_clusters) {
                    let name = entry.cluster.map(|cluster| cluster.name).unwrap_or_default();
                    self.refuse("cluster", &name, entry.error_state);
                    self.clusters.insert(name);
                }
                for entry in dynamic_warming_clusters {
                    let name = entry.cluster.map(|cluster| cluster.name).unwrap_or_default();
                    self.refuse("cluster", &name, entry.error_state);
                }
            }
            Section::Listeners { dynamic_listeners } => {
                for entry in dynamic_listeners {
                    self.refuse("listener", &entry.name, entry.error_state);
                }
            }
            Section::Other => {}
        }
    }

    fn refuse(&mut self, kind: &str, name: &str, error: Option<ErrorState>) {
        self.refused.extend(error.map(|error| Refused {
            what: format!("{kind} {name}").trim_end().to_owned(),
            reason: error.details,
        }));
    }
}
