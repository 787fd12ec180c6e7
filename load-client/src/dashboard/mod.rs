//! `--dashboard`: a page of the traffic as it happens.
//!
//! A [`Board`] is folded from what the load and its judge tell it ([`Live`]), in the thread of the load and for next to
//! nothing. Ten times a second a copy is put where everybody who looks can see it, in the place of the copy before; a
//! second thread serves it (`server`). So nobody who looks can slow the load, whoever is slow misses some copies and
//! nothing else, and a page that is opened late shows the whole state. The page is rendered here (`page`), without and
//! with JavaScript alike: the script only puts in what has changed.

mod address;
mod answers;
mod board;
mod chart;
mod curve;
mod edge;
mod event;
mod facts;
mod field;
mod live;
mod page;
mod server;
mod squares;
mod stages;
mod stream;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

pub use address::{InvalidAddress, PageAddress};
pub use answers::Answers;
pub use board::{Board, EdgeRow, Latest};
pub use curve::{Curve, Point};
pub use edge::{EdgeNow, VersionNow};
pub use event::{Event, Judged};
pub use live::{Live, Tap};
pub use squares::{Square, Squares};
pub use stages::{StageRow, StageState};

/// The page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The address is taken, say.
    #[error(
        "--dashboard: cannot listen on {address}: {reason}; nothing was sent. Give another port, or port 0 for a free one"
    )]
    Listen {
        /// As asked for.
        address: SocketAddr,
        /// Of the system.
        reason: io::Error,
    },
    /// No thread, say.
    #[error("--dashboard: cannot serve the page: {0}")]
    Serve(io::Error),
}

/// A page that is being served.
pub struct Dashboard {
    address: SocketAddr,
    live: Live,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Dashboard {
    /// Serves `board` at `address`; port 0 is a free one. `seed` is that of the sample of answers.
    ///
    /// # Errors
    /// Somebody else listens there, or the address is not this machine's.
    pub fn open(address: SocketAddr, board: Board, seed: u64) -> Result<Self, DashboardError> {
        let listen = |reason| DashboardError::Listen { address, reason };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (boards, _) = watch::channel(Arc::new(board.clone()));
        let (stop, stopped) = watch::channel(false);
        let live = Live::new(board, boards.clone(), seed);
        let serve = server::prepare(listener, boards, stopped).map_err(DashboardError::Serve)?;
        let server = std::thread::Builder::new()
            .name("dashboard".to_owned())
            .spawn(serve);
        Ok(Dashboard {
            address,
            live,
            stop,
            server: server.map_err(DashboardError::Serve)?,
        })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to tell.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Ends it: whoever looks gets the last state first, but has no more than a second for it.
    pub fn close(self) {
        self.stop.send_replace(true);
        // A panic over there has been reported by then.
        let _ = self.server.join();
    }
}
