//! A port for a pod.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use rand::Rng;

/// Below Linux's ephemeral ports (32768 and up): no outgoing connection takes a pod's port while it restarts.
const PORTS: Range<u16> = 20_000..32_000;

/// A port on which nobody listens: the one that was used before if it is still free, so that a pod keeps its address
/// as in a cluster. Somebody else may take it before the pod does; the pod then fails and gets another.
pub(crate) fn free_port(before: Option<u16>) -> Option<u16> {
    let drawn = (0..1000).map(|_| rand::rng().random_range(PORTS));
    before.into_iter().chain(drawn).find(|&port| is_free(port))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_until_somebody_takes_it() {
        let port = free_port(None).unwrap();
        assert_eq!(free_port(Some(port)), Some(port));
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_ne!(free_port(Some(port)), Some(port));
        drop(taken);
    }
}
