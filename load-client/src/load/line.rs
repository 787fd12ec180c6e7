//! What a virtual user sends over: a connection that is made again whenever it has ended.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use http::Request;
use http::response::Parts;
use http_body_util::Full;

use super::connection::{Connection, Interrupted};
use crate::outcome::Failure;

pub(super) struct Line {
    addresses: Rc<[SocketAddr]>,
    connection: Option<Connection>,
    /// Connections that all lines together have opened, and the number of this line's latest one.
    opened: Rc<Cell<u64>>,
    number: u64,
    /// May time pass between two requests, in which the server can close?
    rests: bool,
}

impl Line {
    pub(super) fn new(
        addresses: Rc<[SocketAddr]>,
        connection: Option<Connection>,
        opened: Rc<Cell<u64>>,
        rests: bool,
    ) -> Self {
        let mut line = Line {
            addresses,
            connection: None,
            opened,
            number: 0,
            rests,
        };
        if let Some(connection) = connection {
            line.take(connection);
        }
        line
    }

    fn take(&mut self, connection: Connection) -> &mut Connection {
        self.number = self.opened.replace(self.opened.get() + 1);
        self.connection.insert(connection)
    }

    /// The number of the latest connection, in the order in which they were opened.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Sends, connecting first if need be. A server that closes between two requests does what keep-alive allows:
    /// the request, of which it has seen nothing, goes over a new connection and nobody has failed.
    pub(super) async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
        mut kept: Option<&mut Vec<u8>>,
    ) -> Result<Parts, Failure> {
        if let Some(connection) = &mut self.connection
            && connection.is_usable(self.rests).await
        {
            match connection.exchange(request, kept.as_deref_mut()).await {
                Ok(head) => return Ok(head),
                Err(Interrupted::Failed(failure)) => return Err(failure),
                Err(Interrupted::Unsent(back)) => request = *back,
            }
        }
        let opened = Connection::open(&self.addresses).await;
        let connection = self.take(opened.map_err(|_refused| Failure::Connect)?);
        let sent = connection.exchange(request, kept).await;
        sent.map_err(|interrupted| match interrupted {
            Interrupted::Failed(failure) => failure,
            Interrupted::Unsent(_) => Failure::Closed,
        })
    }

    /// The next request goes over a new connection. After a failure the old one is in no state to be used again.
    pub(super) fn hang_up(&mut self) {
        self.connection = None;
    }
}
