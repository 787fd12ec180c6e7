//! A port for a pod.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use mesh_config::{Container, PortRef};
use rand::Rng;

/// Below Linux's ephemeral ports (32768 and up): no outgoing connection takes a pod's port while it restarts.
const PORTS: Range<u16> = 20_000..32_000;

/// A port on which nobody listens: the one that was used before if it is still free, so that a pod keeps its address
/// as in a cluster. Somebody else may take it before the pod does; the pod then fails and gets another.
pub(crate) fn free_port(before: Option<u16>) -> Option<u16> {
    let drawn = (0..1000).map(|_| rand::rng().random_range(PORTS));
    before.into_iter().chain(drawn).find(|&port| is_free(port))
}

/// Where a port of a container really is: the port that the pod was given stands for the first one that its manifest
/// declares, or for any if it declares none.
pub(crate) fn actual_port(container: &Container, wanted: &PortRef, given: u16) -> u16 {
    let number = match wanted {
        PortRef::Number(number) => Some(*number),
        PortRef::Name(name) => {
            let mut ports = container.ports.iter();
            let named = ports.find(|port| port.name.as_ref() == Some(name));
            named.map(|port| port.container_port)
        }
    };
    let first = container.ports.first().map(|port| port.container_port);
    number
        .filter(|number| first.is_some_and(|first| first != *number))
        .unwrap_or(given)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use mesh_config::ContainerPort;

    use super::*;

    #[test]
    fn the_first_port_of_a_container_is_the_one_given() {
        let port = |name: &str, container_port| ContainerPort {
            name: Some(name.to_owned()),
            container_port,
        };
        let container = Container {
            ports: vec![port("web", 8080), port("metrics", 9090)],
            ..Container::default()
        };
        let name = |name: &str| PortRef::Name(name.to_owned());
        assert_eq!(actual_port(&container, &name("web"), 21_000), 21_000);
        assert_eq!(actual_port(&container, &PortRef::Number(8080), 21_000), 21_000);
        assert_eq!(actual_port(&container, &name("metrics"), 21_000), 9090);
        assert_eq!(
            actual_port(&Container::default(), &PortRef::Number(8080), 21_000),
            21_000
        );
    }

    #[test]
    fn a_port_is_kept_until_somebody_takes_it() {
        let port = free_port(None).unwrap();
        assert_eq!(free_port(Some(port)), Some(port));
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_ne!(free_port(Some(port)), Some(port));
        drop(taken);
    }
}
