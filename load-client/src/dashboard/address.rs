//! Where the page is served, and to whom.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use http::uri::Authority;

/// Where to serve the page: `127.0.0.1:9090`, `localhost:9090`, or `9090` for the same. Other people can look only if an
/// address that they can reach is given as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageAddress(pub SocketAddr);

/// The text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address; write ADDRESS:PORT, such as 127.0.0.1:9090, or PORT alone")]
pub struct InvalidAddress(String);

impl FromStr for PageAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let here = |port: &str| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)));
        let local = || here(text.strip_prefix("localhost:").unwrap_or(text));
        let address = text.parse().ok().or_else(local);
        address
            .map(PageAddress)
            .ok_or_else(|| InvalidAddress(text.to_owned()))
    }
}

/// Whether a request with this Host is meant for a page at `bound`. A name other than `localhost` is not: somebody else's
/// page may have been given that name, and an address of this machine for it later (DNS rebinding).
pub(super) fn is_own(host: &str, bound: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    match name.parse::<IpAddr>() {
        Ok(address) => address == bound || bound.is_unspecified(),
        Err(_name) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_for_this_machine_only() {
        let parsed = |text: &str| text.parse().map(|PageAddress(address)| address.to_string());
        for (text, address) in [
            ("9090", "127.0.0.1:9090"),
            ("localhost:0", "127.0.0.1:0"),
            ("0.0.0.0:9090", "0.0.0.0:9090"),
            ("[::1]:9090", "[::1]:9090"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(address), "{text}");
        }
        for text in ["", ":9090", "127.0.0.1", "example.org:80", "99999"] {
            assert!(text.parse::<PageAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_others_are_refused() {
        let bound = IpAddr::from([127, 0, 0, 1]);
        for own in ["127.0.0.1:9090", "127.0.0.1", "localhost:8000", "LocalHost"] {
            assert!(is_own(own, bound), "{own}");
        }
        for other in [
            "evil.example:9090",
            "localhost.evil.example",
            "10.0.0.1:9090",
            "",
            "a b",
        ] {
            assert!(!is_own(other, bound), "{other}");
        }
        let every = IpAddr::from([0, 0, 0, 0]);
        assert!(is_own("192.0.2.1:9090", every) && !is_own("evil.example", every));
        assert!(is_own("[::1]:9090", IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
    }
}
