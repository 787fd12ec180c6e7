//! The hash of a request for consistent hashing, and the cookies that are made for it.

use std::net::IpAddr;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use mesh_config::{Forward, HashInput, HashKey, Role, hash_of};

use super::headers::FORWARDED_FOR;
use super::listener::Connection;

/// What hashing makes of a request.
#[derive(Default)]
pub(super) struct Hashing {
    /// `None`: the request has nothing that is hashed.
    pub(super) hash: Option<u64>,
    /// `set-cookie` headers for the client, so that it is known next time.
    cookies: Vec<HeaderValue>,
}

impl Hashing {
    /// By the keys of the route, as the request arrived. A cookie that is missing is made if the rule says how long it lives.
    pub(super) fn of(
        forward: &Forward,
        headers: &HeaderMap,
        path: &str,
        connection: Connection,
        role: Role,
    ) -> Self {
        let mut hashing = Hashing::default();
        let input = HashInput {
            headers,
            path,
            source: source(headers, connection, role),
        };
        for key in &forward.hash {
            if let Some(hash) = key.hash(&input).or_else(|| hashing.made(key, connection)) {
                hashing.hash = Some(HashKey::combine(hashing.hash, hash));
            }
        }
        hashing
    }

    /// The hash of a cookie that was made for the client: 16 hexadecimal digits from the addresses of its connection.
    fn made(&mut self, key: &HashKey, connection: Connection) -> Option<u64> {
        let HashKey::Cookie(cookie) = key else { return None };
        cookie.ttl?;
        let addresses = format!("{}{}", connection.peer, connection.local);
        let value = format!("{:016x}", hash_of(addresses.as_bytes()));
        self.cookies
            .extend(HeaderValue::from_str(&cookie.set_cookie(&value)).ok());
        Some(hash_of(value.as_bytes()))
    }

    /// Tells the client its new cookies.
    pub(super) fn set_cookies(self, headers: &mut HeaderMap) {
        for cookie in self.cookies {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

/// The client's address. A sidecar believes the last one in `x-forwarded-for`.
fn source(headers: &HeaderMap, connection: Connection, role: Role) -> IpAddr {
    let forwarded = headers.get(FORWARDED_FOR).filter(|_| role == Role::Sidecar);
    let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next());
    let address = last.and_then(|text| text.trim().parse().ok());
    address.unwrap_or(connection.peer.ip())
}
