//! Why a change is refused.

use std::io;
use std::net::SocketAddr;

use mesh_config::Problems;

use super::gateway::TooManyServers;

/// A change that is refused as a whole; everything stays as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The manifests themselves, or what they refer to.
    #[error("{0}")]
    Problems(#[from] Problems),
    /// Deployments whose processes cannot run here.
    #[error("{}", lines(.0))]
    Deployments(Vec<CannotRun>),
    /// One gateway address for several ports.
    #[error("{0}")]
    Gateway(#[from] TooManyServers),
    /// Sockets that cannot be had.
    #[error("{}", lines(.0))]
    Sockets(Vec<CannotListen>),
}

/// A Deployment that cannot run here.
#[derive(Debug, thiserror::Error)]
#[error("Deployment {name} ({place}): {why}")]
pub(crate) struct CannotRun {
    /// `namespace/name`.
    pub(super) name: String,
    /// `file:line`.
    pub(super) place: String,
    pub(super) why: String,
}

/// A socket that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {who}: {why}{}", .flag.map(|flag| advice(.why, .address, flag)).unwrap_or_default())]
pub(crate) struct CannotListen {
    pub(super) address: SocketAddr,
    /// `the gateway`, `client default/curl`, ...
    pub(super) who: String,
    /// The option that chooses the address, if one does.
    pub(super) flag: Option<&'static str>,
    pub(super) why: io::Error,
}

impl CannotListen {
    pub(crate) fn new(address: SocketAddr, who: &str, flag: Option<&'static str>, why: io::Error) -> Self {
        CannotListen {
            address,
            who: who.to_owned(),
            flag,
            why,
        }
    }
}

fn advice(why: &io::Error, address: &SocketAddr, flag: &str) -> String {
    match why.kind() {
        io::ErrorKind::AddrInUse => format!(
            "; another program listens there (`ss -ltnp 'sport = :{}'` names it): stop it, or choose another address with {flag}",
            address.port()
        ),
        io::ErrorKind::PermissionDenied => {
            format!("; ports below 1024 need a privilege on most systems: choose another one with {flag}")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("; this machine does not have that address: choose another one with {flag}")
        }
        _ => format!("; {flag} chooses the address"),
    }
}

fn lines<T: ToString>(items: &[T]) -> String {
    let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
