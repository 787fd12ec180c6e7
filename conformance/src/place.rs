//! Where the parts of a case are: everything has an address of its own, so that cases run side by side.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::case::{Case, Proxy, Workload};

/// The addresses of a case: 127.X.Y.* with X and Y from its name, as in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    prefix: [u8; 3],
    proxy: Proxy,
}

/// Hosts of the prefix; workloads count from 1, and no case has so many.
const CLIENT: u8 = 251;
const GATEWAY: u8 = 252;
const ADMIN: u8 = 253;
const LOCK: u8 = 254;

const ADMIN_PORT: u16 = 15000;
const LOCK_PORT: u16 = 15099;

/// Cases that share an address are few and short.
const POLL: Duration = Duration::from_millis(20);

/// Addresses that no other case uses meanwhile, not even one of another process.
#[derive(Debug)]
pub struct Held {
    _locks: Vec<UdpSocket>,
}

// === impl Place ===

impl Place {
    /// Of this case.
    pub fn of(case: &Case) -> Place {
        let digest = Sha256::digest(case.name.as_bytes());
        Place {
            prefix: [127, 16 + digest[0] % 200, 1 + digest[1] % 250],
            proxy: case.proxy,
        }
    }

    fn host(&self, host: u8) -> Ipv4Addr {
        let [a, b, c] = self.prefix;
        Ipv4Addr::new(a, b, c, host)
    }

    /// Of the n-th workload, counted from 0.
    pub fn workload(&self, index: usize, workload: &Workload) -> SocketAddrV4 {
        let own = self.host(u8::try_from(index + 1).unwrap_or(u8::MAX));
        SocketAddrV4::new(workload.address.unwrap_or(own), workload.port)
    }

    /// Where the client's proxy listens.
    pub fn client(&self) -> Ipv4Addr {
        self.host(CLIENT)
    }

    /// Where the gateway listens.
    pub fn gateway(&self) -> Ipv4Addr {
        self.host(GATEWAY)
    }

    /// Where requests go.
    pub fn target(&self) -> Ipv4Addr {
        match self.proxy {
            Proxy::Sidecar => self.client(),
            Proxy::Gateway => self.gateway(),
        }
    }

    /// Where local-mesh is told what to do.
    pub fn admin(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.host(ADMIN), ADMIN_PORT)
    }

    /// In the recording client and proxy had the address 127.0.0.1; this undoes the difference in what was seen.
    pub fn as_recorded(&self, text: &str) -> String {
        text.replace(&self.target().to_string(), "127.0.0.1")
    }

    /// Waits until no other case uses any address of this one, and keeps them.
    ///
    /// A prefix is kept by a socket on it, which other processes see, too, and which does not outlive its owner. The
    /// prefixes are taken in order, so that nobody waits in a circle.
    pub async fn hold(&self, case: &Case) -> io::Result<Held> {
        let fixed = case.workloads.iter().filter_map(|w| w.address).map(|address| {
            let [a, b, c, _] = address.octets();
            [a, b, c]
        });
        let prefixes: BTreeSet<[u8; 3]> = fixed.chain([self.prefix]).collect();
        let mut locks = Vec::new();
        for [a, b, c] in prefixes {
            locks.push(lock(Ipv4Addr::new(a, b, c, LOCK)).await?);
        }
        Ok(Held { _locks: locks })
    }
}

/// UDP, where nobody else wants to be; only one socket at a time can be bound.
async fn lock(address: Ipv4Addr) -> io::Result<UdpSocket> {
    loop {
        match UdpSocket::bind((address, LOCK_PORT)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => tokio::time::sleep(POLL).await,
            bound => return bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, rest: &str) -> Case {
        Case::parse(&format!("case: {name}\ntitle: t\n{rest}")).unwrap()
    }

    #[test]
    fn addresses_follow_from_the_name_as_in_the_recording() {
        // SHA-256 of `options-star` begins with 25 c7: 16 + 0x25, 1 + 0xc7.
        let case = case(
            "options-star",
            "workloads: [{name: a}, {name: b, port: 9090, address: 127.30.2.7}]",
        );
        let place = Place::of(&case);
        assert_eq!(
            place.workload(0, &case.workloads[0]).to_string(),
            "127.53.200.1:8080"
        );
        assert_eq!(
            place.workload(1, &case.workloads[1]).to_string(),
            "127.30.2.7:9090"
        );
    }

    #[test]
    fn the_address_of_the_proxy_is_read_as_127_0_0_1() {
        let place = Place::of(&case("options-star", "proxy: gateway"));
        assert_eq!(place.as_recorded("1.2.3.4,127.53.200.252"), "1.2.3.4,127.0.0.1");
        assert_eq!(place.as_recorded("127.53.200.1:8080"), "127.53.200.1:8080");
    }

    #[tokio::test]
    async fn cases_that_share_an_address_take_turns() {
        let one = case("one", "workloads: [{name: a, address: 127.30.2.1}]");
        let two = case("two", "workloads: [{name: a, address: 127.30.2.9}]");
        let held = Place::of(&one).hold(&one).await.unwrap();
        let waiting = tokio::spawn(async move { Place::of(&two).hold(&two).await });
        tokio::time::sleep(3 * POLL).await;
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.unwrap().unwrap();
    }
}
