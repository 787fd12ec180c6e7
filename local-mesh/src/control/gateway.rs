//! The ingress gateway: which addresses it opens, and which server port of the Gateway objects each stands for.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use mesh_config::{Client, GatewayServer, Mesh};

use super::client::parse_address;

/// Where the gateway listens when nothing is said.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Stands for the port when a gateway was asked for but no Gateway object says one: everything is answered 404.
const NO_SERVER: u16 = 80;

/// `--gateway`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum GatewaySpec {
    /// Not given: 127.0.0.1:8080, if there is a Gateway object.
    #[default]
    Default,
    /// `ADDR:PORT`: the one server port, here.
    One(SocketAddr),
    /// `ADDR`: every server port.
    Every(IpAddr),
}

/// The text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address; write 127.0.0.1:8080, or 127.0.0.1 for every port that the servers name")]
pub(crate) struct BadGateway(String);

impl FromStr for GatewaySpec {
    type Err = BadGateway;

    fn from_str(text: &str) -> Result<Self, BadGateway> {
        match parse_address(text) {
            Some((address, Some(port))) => Ok(GatewaySpec::One(SocketAddr::new(address, port))),
            Some((address, None)) => Ok(GatewaySpec::Every(address)),
            None => Err(BadGateway(text.to_owned())),
        }
    }
}

/// One address cannot serve several ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Gateway objects have {} plain HTTP server ports ({}), but the gateway at {address} serves one; \
     with `--gateway {}` it serves each at its own port", .servers.len(), list(.servers), .address.ip()
)]
pub(crate) struct TooManyServers {
    address: SocketAddr,
    servers: Vec<GatewayServer>,
}

fn list(servers: &[GatewayServer]) -> String {
    let named = servers
        .iter()
        .map(|server| format!("{} `{}`", server.port, server.name));
    named.collect::<Vec<_>>().join(", ")
}

impl GatewaySpec {
    /// Addresses to listen on, with the server port that a request there has dialled.
    ///
    /// # Errors
    /// When one address would have to serve several ports.
    pub(super) fn doors(self, mesh: &Mesh) -> Result<BTreeMap<SocketAddr, u16>, TooManyServers> {
        let servers = mesh.gateway_servers(&Client::ingress_gateway().labels);
        let one = |address: SocketAddr| match servers.as_slice() {
            [] => Ok(BTreeMap::from([(address, NO_SERVER)])),
            [server] => Ok(BTreeMap::from([(address, server.port)])),
            _ => Err(TooManyServers {
                address,
                servers: servers.clone(),
            }),
        };
        match self {
            GatewaySpec::Default if servers.is_empty() => Ok(BTreeMap::new()),
            GatewaySpec::Default => one(DEFAULT),
            GatewaySpec::One(address) => one(address),
            GatewaySpec::Every(address) => {
                let ports = servers.iter().map(|server| server.port);
                Ok(ports.map(|port| (SocketAddr::new(address, port), port)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mesh_config::{Source, parse};

    use super::*;

    fn mesh(ports: &[u16]) -> Mesh {
        let servers: String = ports
            .iter()
            .map(|port| {
                format!("  - port: {{number: {port}, name: p{port}, protocol: HTTP}}\n    hosts: ['*']\n")
            })
            .collect();
        let mut text = String::new();
        if !ports.is_empty() {
            text = format!(
                "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g}}\n\
                 spec:\n  selector: {{istio: ingressgateway}}\n  servers:\n{servers}"
            );
        }
        let name = "gateway.yaml".to_owned();
        let objects = parse(&[Source { name, text }]).unwrap();
        Mesh::new().apply(objects, 0).unwrap().0
    }

    fn doors(spec: &str, ports: &[u16]) -> Result<Vec<(String, u16)>, TooManyServers> {
        let spec: GatewaySpec = match spec {
            "" => GatewaySpec::Default,
            text => text.parse().unwrap(),
        };
        let doors = spec.doors(&mesh(ports))?;
        Ok(doors
            .into_iter()
            .map(|(address, port)| (address.to_string(), port))
            .collect())
    }

    #[test]
    fn without_a_gateway_object_only_an_address_with_port_opens() {
        assert_eq!(doors("", &[]).unwrap(), []);
        assert_eq!(doors("127.0.0.2", &[]).unwrap(), []);
        assert_eq!(
            doors("127.0.0.1:90", &[]).unwrap(),
            [("127.0.0.1:90".to_owned(), 80)]
        );
    }

    #[test]
    fn one_server_port_is_served_at_one_address() {
        assert_eq!(doors("", &[80]).unwrap(), [("127.0.0.1:8080".to_owned(), 80)]);
        assert_eq!(
            doors("127.0.0.1:90", &[81]).unwrap(),
            [("127.0.0.1:90".to_owned(), 81)]
        );
        assert_eq!(
            doors("127.0.0.2", &[81]).unwrap(),
            [("127.0.0.2:81".to_owned(), 81)]
        );
    }

    #[test]
    fn several_server_ports_need_an_address_without_port() {
        let error = doors("", &[80, 81]).unwrap_err().to_string();
        assert!(
            error.contains("80 `p80`, 81 `p81`") && error.contains("--gateway 127.0.0.1`"),
            "{error}"
        );
        assert!(doors("127.0.0.1:90", &[80, 81]).is_err());
        let both = [("127.0.0.2:80".to_owned(), 80), ("127.0.0.2:81".to_owned(), 81)];
        assert_eq!(doors("127.0.0.2", &[80, 81]).unwrap(), both);
    }
}
