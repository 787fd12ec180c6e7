//! What the demo asks of a machine, as far as the configuration of its cluster says it.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The cluster that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its name; the node is the container `NAME-control-plane`.
    pub cluster: String,
    /// The node image; `None`: the one that kind brings.
    pub image: Option<String>,
    /// What it listens on.
    pub ports: Vec<HostPort>,
}

/// An address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// `127.0.0.1`; as kind does, `0.0.0.0` where none is written.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WantedError {
    /// No such file, say.
    #[error(
        "cannot read `{}`: {reason}; run this in the project's folder, or name the configuration of the cluster with \
         --config", .path.display()
    )]
    Read {
        /// As given.
        path: PathBuf,
        /// Of the system.
        reason: io::Error,
    },
    /// Not a kind configuration.
    #[error("`{}` is not a configuration of kind: {reason}", .path.display())]
    Parse {
        /// As given.
        path: PathBuf,
        /// With line and column.
        reason: String,
    },
}

/// `kind.x-k8s.io/v1alpha4`, the part that matters here.
#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    image: Option<String>,
    #[serde(default)]
    extra_port_mappings: Vec<PortMapping>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PortMapping {
    listen_address: Option<String>,
    host_port: u16,
}

impl Wanted {
    /// From the configuration file of kind; `image` replaces the one in it, as `kind create cluster --image` does.
    ///
    /// # Errors
    /// The file cannot be read, or is something else.
    pub fn read(path: &Path, cluster: String, image: Option<String>) -> Result<Self, WantedError> {
        let text = std::fs::read_to_string(path).map_err(|reason| WantedError::Read {
            path: path.to_owned(),
            reason,
        })?;
        let configuration: Configuration =
            serde_saphyr::from_str(&text).map_err(|reason| WantedError::Parse {
                path: path.to_owned(),
                reason: reason.to_string(),
            })?;
        let in_file = configuration.nodes.iter().find_map(|node| node.image.clone());
        let mappings = configuration
            .nodes
            .into_iter()
            .flat_map(|node| node.extra_port_mappings);
        let ports = mappings.map(|mapping| HostPort {
            address: mapping.listen_address.unwrap_or_else(|| "0.0.0.0".to_owned()),
            port: mapping.host_port,
        });
        Ok(Wanted {
            cluster,
            image: image.or(in_file),
            ports: ports.collect(),
        })
    }

    /// Name of the container that is the cluster's node.
    #[must_use]
    pub fn node(&self) -> String {
        format!("{}-control-plane", self.cluster)
    }
}
