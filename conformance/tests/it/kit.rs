//! A fleet of one and what it takes to ask it.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU16, Ordering};

use conformance::case::{Behaviour, Send};
use conformance::client::{Connection, Request, Response};
use conformance::workload::Fleet;

/// An address that no other test of this run has.
pub(crate) fn address() -> SocketAddrV4 {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    // Different from those of another run at the same time, which has another process id.
    let run = u8::try_from(std::process::id() % 250).unwrap();
    SocketAddrV4::new(Ipv4Addr::new(127, 220 + high, 1 + run, low), 8080)
}

pub(crate) fn behaviour(yaml: &str) -> Behaviour {
    serde_saphyr::from_str(yaml).unwrap()
}

/// A workload `w` that behaves like this.
pub(crate) async fn workload(yaml: &str) -> (Fleet, SocketAddrV4) {
    let (mut fleet, address) = (Fleet::default(), address());
    fleet.start("w", address, behaviour(yaml)).await.unwrap();
    (fleet, address)
}

/// A request; the URL's host does not matter, the connection says where it goes.
pub(crate) fn request(yaml: &str) -> Request {
    let send: Send = serde_saphyr::from_str(yaml).unwrap();
    Request::new(&send, "lab-1").unwrap()
}

pub(crate) fn get() -> Request {
    request("{url: 'http://w:8080/p?q'}")
}

/// What a workload of this behaviour answers.
pub(crate) async fn answer(yaml: &str, request: &Request) -> Response {
    let (_fleet, address) = workload(yaml).await;
    Connection::new(*address.ip()).send(request).await
}

pub(crate) fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    let found = response.headers.iter().find(|(one, _)| one == name);
    found.map(|(_, value)| value.as_str())
}
