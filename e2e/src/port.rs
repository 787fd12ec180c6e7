//! Ports for listeners.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below Linux's ephemeral ports (32768 and up): otherwise an outgoing connection of another test could take a port
/// between the moment it is found free and the moment it is used. Pods of local-mesh are above 20000.
const PORTS: std::ops::Range<u16> = 10_000..20_000;

/// As many different ports of 127.0.0.1 on which nobody listens. No two calls in this process give the same one;
/// where the process starts to look depends on its id, so that two test runs do not meet either.
///
/// # Errors
/// All ports are taken.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
    static DRAWN: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    let offset = u16::try_from(u64::from(std::process::id()) * 101 % u64::from(span))?;
    let mut found = Vec::new();
    for _ in PORTS {
        let drawn = DRAWN.fetch_add(1, Ordering::Relaxed) % span;
        let port = PORTS.start + (offset + drawn) % span;
        if is_free(port) {
            found.push(port);
            if found.len() == count {
                return Ok(found);
            }
        }
    }
    bail!("of the ports {PORTS:?} not even {count} are free")
}

/// Nobody accepts there. Asked by connecting and not by binding: a process that another thread starts at this moment
/// would inherit the bound socket and hold the port until it runs its program.
fn is_free(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_never_given_twice() {
        let mut ports = [free_ports(20).unwrap(), free_ports(20).unwrap()].concat();
        assert!(ports.iter().all(|port| PORTS.contains(port) && is_free(*port)));
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 40);
    }
}
