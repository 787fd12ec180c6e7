//! Drives load: virtual users with a connection each, in a closed loop or at a given rate, for one [`Sink`].
//!
//! Everything runs in one thread, inside a tokio `LocalSet`: a second thread would save nothing on the machine that
//! also runs what is measured, and counts would need locks.

mod connection;
mod deadline;
mod keys;
mod line;
mod pace;
mod request;
mod target;
mod template;
mod user;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

use http::HeaderName;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

pub use self::request::{Header, InvalidHeader, RequestSpec};
pub use self::target::{InvalidTarget, Target, Unresolved};
use crate::outcome::{Dispatch, Sink};
use crate::shard::Shard;
use crate::version::{VersionReader, VersionSource};
use connection::Connection;
use keys::Keys;
use line::Line;
use pace::Pace;
use request::PreparedRequest;
use template::Template;
use user::{Shared, User};

/// What to send, where, and how fast.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where to.
    pub target: Target,
    /// By variant (`Dispatch::variant`); 0 is the plain request.
    pub requests: Vec<RequestSpec>,
    /// Virtual users, each with a connection of its own.
    pub connections: usize,
    /// Requests per second of an open loop; `None`: each user sends as soon as it has its answer.
    pub rate: Option<f64>,
    /// For one request, connecting included.
    pub timeout: Duration,
    /// Where an answer says which version it is from.
    pub version_source: VersionSource,
    /// Of the `{uuid}`s.
    pub seed: u64,
    /// Which of several clients this is: `{n}` counts the requests of all of them.
    pub shard: Shard,
    /// Requests in a row with one `{unit}`, each over a connection of its own; `None`: connections are kept, and each
    /// request is a unit.
    pub per_unit: Option<NonZeroU64>,
}

/// Load could not be started, or not be carried on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The host has no address.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// The first connection failed.
    #[error(
        "nobody listens at {address} ({reason}); start what should answer there, or correct --url or --proxy"
    )]
    Unreachable {
        /// `host:port`.
        address: String,
        /// Of the system.
        reason: io::Error,
    },
    /// A request of the mix cannot be sent.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// The timer of the open loop failed.
    #[error("the timer of the open loop failed: {0}")]
    Timer(io::Error),
    /// A defect of load-client.
    #[error("a virtual user ended unexpectedly: {0}")]
    User(tokio::task::JoinError),
}

impl Load {
    /// Sends until `sink` has no more requests and all that were sent are resolved. Runs inside a `LocalSet`. The
    /// users end when the returned future is dropped.
    ///
    /// # Errors
    /// Before anything is sent: no address, or nobody listens. Once load runs, failures are outcomes.
    pub async fn drive<S: Sink + 'static>(&self, sink: Rc<RefCell<S>>) -> Result<(), LoadError> {
        let requests: Result<Vec<_>, _> = self
            .requests
            .iter()
            .map(|spec| PreparedRequest::new(spec, &self.target))
            .collect();
        let addresses: Rc<[SocketAddr]> = self.target.resolve().await?.into();
        let mut first = Some(self.first_connection(&addresses).await?);
        let pace = self.rate.map(Pace::new).transpose().map_err(LoadError::Timer)?;
        let shared = Rc::new(Shared {
            sink,
            requests: requests?,
            reader: RefCell::new(VersionReader::new(self.version_source.clone())),
            pace: pace.map(Mutex::new),
            finished: Cell::new(false),
            opened: Rc::new(Cell::new(0)),
            keys: self.keys(),
            per_unit: self.per_unit,
        });
        let mut users = JoinSet::new();
        for _ in 0..self.connections {
            let opened = Rc::clone(&shared.opened);
            let line = Line::new(Rc::clone(&addresses), first.take(), opened, self.rate.is_some());
            let user = User::new(Rc::clone(&shared), line, self.timeout);
            users.spawn_local(user.run());
        }
        while let Some(ended) = users.join_next().await {
            ended.map_err(LoadError::User)?.map_err(LoadError::Timer)?;
        }
        Ok(())
    }

    /// The value that a header had in a request, placeholders and all; `None`: it has no such header.
    pub fn header_of(&self, dispatch: Dispatch, name: &HeaderName) -> Option<String> {
        let headers = &self.requests.get(dispatch.variant)?.headers;
        let (_, text) = headers.iter().find(|(other, _)| other == name)?;
        let value = Template::new(text.as_bytes()).render(&self.keys().values(dispatch.sequence));
        String::from_utf8(value).ok()
    }

    fn keys(&self) -> Keys {
        Keys {
            seed: self.seed,
            shard: self.shard,
            per_unit: self.per_unit,
        }
    }

    /// Opened before anything is counted, so that a wrong address is told at once and not as a row of failures.
    async fn first_connection(&self, addresses: &[SocketAddr]) -> Result<Connection, LoadError> {
        let opened = tokio::time::timeout(self.timeout, Connection::open(addresses)).await;
        let opened = opened.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()));
        opened.map_err(|reason| LoadError::Unreachable {
            address: self.target.address(),
            reason,
        })
    }
}
