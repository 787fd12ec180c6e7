//! Listening sockets: those that are wanted, and how the ones that exist are kept.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use mesh_config::Mesh;
use tokio::net::TcpSocket;

use super::client::ClientSpec;
use super::gateway::GatewaySpec;
use super::refusal::{CannotListen, Refusal};
use crate::proxy::Dialled;

/// Connections that wait to be accepted; a burst of new clients should not be turned away.
const BACKLOG: u32 = 1024;

/// Whose a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Gateway,
    /// Index in the list of clients.
    Client(usize),
}

/// A listening socket.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) socket: Arc<TcpListener>,
    /// With the real port, where 0 was asked for.
    pub(crate) address: SocketAddr,
    pub(crate) dialled: Dialled,
}

/// All sockets by owner and by the address that was asked for.
pub(crate) type Sockets = BTreeMap<(Owner, SocketAddr), Open>;

/// The sockets that a mesh needs: kept from `old` or newly bound.
///
/// # Errors
/// All that cannot be had; the new ones are closed again.
pub(super) fn open(
    mesh: &Mesh,
    gateway: GatewaySpec,
    clients: &[ClientSpec],
    old: &Sockets,
) -> Result<Sockets, Refusal> {
    let mut sockets = Sockets::new();
    let mut failures = Vec::new();
    for (key, dialled) in wanted(mesh, gateway, clients)? {
        let known = old.get(&key).map(|open| (Arc::clone(&open.socket), open.address));
        match known.map_or_else(|| listen(key.1), Ok) {
            Ok((socket, address)) => {
                let open = Open {
                    socket,
                    address,
                    dialled,
                };
                sockets.insert(key, open);
            }
            Err(why) => {
                let (who, flag) = match key.0 {
                    Owner::Gateway => ("the gateway".to_owned(), "--gateway"),
                    Owner::Client(index) => (format!("client {}", clients[index].full_name()), "--client"),
                };
                failures.push(CannotListen::new(key.1, &who, Some(flag), why));
            }
        }
    }
    if failures.is_empty() {
        Ok(sockets)
    } else {
        Err(Refusal::Sockets(failures))
    }
}

type Wanted = Vec<((Owner, SocketAddr), Dialled)>;

fn wanted(mesh: &Mesh, gateway: GatewaySpec, clients: &[ClientSpec]) -> Result<Wanted, Refusal> {
    let doors = gateway.doors(mesh)?.into_iter();
    let mut wanted: Wanted = doors
        .map(|(address, port)| ((Owner::Gateway, address), Dialled::Port(port)))
        .collect();
    for (index, client) in clients.iter().enumerate() {
        let at = |port| (Owner::Client(index), SocketAddr::new(client.address, port));
        match client.port {
            Some(port) => wanted.push((at(port), Dialled::OfRequest)),
            None => wanted.extend(
                mesh.client_ports(&client.client(None))
                    .into_keys()
                    .map(|port| (at(port), Dialled::Port(port))),
            ),
        }
    }
    Ok(wanted)
}

/// Binds and listens; must be called on a runtime.
pub(super) fn listen(address: SocketAddr) -> io::Result<(Arc<TcpListener>, SocketAddr)> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // An address that was served a moment ago can be served again.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let address = listener.local_addr()?;
    Ok((Arc::new(listener), address))
}

#[cfg(test)]
mod tests {
    use mesh_config::{Source, parse};

    use super::*;

    fn mesh(ports: &[u16]) -> Mesh {
        let text: String = ports
            .iter()
            .map(|port| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{port}}}\n\
                     spec: {{ports: [{{name: http, port: {port}}}]}}\n"
                )
            })
            .collect();
        let name = "services.yaml".to_owned();
        let objects = parse(&[Source { name, text }]).unwrap();
        Mesh::new().apply(objects, 0).unwrap().0
    }

    fn client(address: &str) -> ClientSpec {
        format!("default/c@{address}").parse().unwrap()
    }

    #[tokio::test]
    async fn a_transparent_client_listens_at_every_service_port() {
        let clients = [client("127.8.0.1")];
        let first = open(
            &mesh(&[21001, 21002]),
            GatewaySpec::Default,
            &clients,
            &Sockets::new(),
        )
        .unwrap();
        let ports: Vec<u16> = first.values().map(|open| open.address.port()).collect();
        assert_eq!(ports, [21001, 21002]);
        let second = open(&mesh(&[21002, 21003]), GatewaySpec::Default, &clients, &first).unwrap();
        let kept = (Owner::Client(0), "127.8.0.1:21002".parse().unwrap());
        assert!(Arc::ptr_eq(&first[&kept].socket, &second[&kept].socket));
        assert_eq!(second[&kept].dialled, Dialled::Port(21002));
        assert_eq!(second.len(), 2);
    }

    #[tokio::test]
    async fn every_address_that_cannot_be_had_is_named() {
        let taken = TcpListener::bind("127.8.0.2:21004").unwrap();
        let clients = [client("127.8.0.2"), client("127.8.0.2:21004")];
        let error = open(
            &mesh(&[21004, 21005]),
            GatewaySpec::Default,
            &clients,
            &Sockets::new(),
        )
        .unwrap_err();
        let text = error.to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.contains("127.8.0.2:21004 for client default/c") && text.contains("--client"),
            "{text}"
        );
        drop(taken);
    }
}
