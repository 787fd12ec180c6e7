//! Where a workload is reached: accepting, or a place where no SYN is answered.

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::{Workload, connection};

/// Connections that wait to be accepted; a burst of a case must not overflow.
const BACKLOG: u32 = 1024;

/// A connection to loopback that takes longer than this is not made any more.
const SILENCE: Duration = Duration::from_millis(50);

/// An address in use. Once this is dropped, it is free again soon, and its connections are closed.
#[derive(Debug)]
pub(super) enum Listening {
    /// Somebody accepts, until the sender is dropped.
    Server(watch::Sender<()>, JoinHandle<()>),
    /// Nobody accepts, and the queue is full.
    Hole(TcpListener, Vec<TcpStream>),
}

// === impl Listening ===

impl Listening {
    /// Serves this workload here.
    pub(super) fn serve(address: SocketAddrV4, workload: Arc<Workload>) -> io::Result<Listening> {
        let listener = bind(address)?.listen(BACKLOG)?;
        let (open, closed) = watch::channel(());
        Ok(Listening::Server(
            open,
            tokio::spawn(accept(listener, workload, closed)),
        ))
    }

    /// The kernel drops a SYN when the queue is full, so it is filled until a connection is not made.
    pub(super) async fn hole(address: SocketAddrV4) -> io::Result<Listening> {
        let listener = bind(address)?.listen(0)?;
        let mut fillers = Vec::new();
        while let Ok(filler) = tokio::time::timeout(SILENCE, TcpStream::connect(address)).await {
            fillers.push(filler?);
        }
        Ok(Listening::Hole(listener, fillers))
    }

    /// Closes all connections and frees the address; waits until that is done.
    pub(super) async fn close(self) {
        match self {
            Listening::Server(open, task) => {
                drop(open);
                // A panic of the task would be reported by itself; there is nothing to add.
                let _ = task.await;
            }
            Listening::Hole(listener, fillers) => drop((fillers, listener)),
        }
    }
}

fn bind(address: SocketAddrV4) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.into())?;
    Ok(socket)
}

async fn accept(listener: TcpListener, workload: Arc<Workload>, mut closed: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The sender is gone.
            _ = closed.changed() => break,
        };
        let Ok((stream, _)) = accepted else { continue };
        let ordinal = workload.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        connections.spawn(connection::run(stream, workload.clone(), ordinal, closed.clone()));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
