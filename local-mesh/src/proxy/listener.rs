//! Accepting connections and serving requests on them.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};

use super::Dialled;
use super::codec::Watched;
use super::exchange;
use super::plane::Proxy;
use super::record::Record;
use super::tcp;

/// A client's connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) dialled: Dialled,
}

/// Accepts until it is aborted. Connections go on after that.
pub(super) async fn accept(listener: TcpListener, proxy: Rc<Proxy>, dialled: Dialled) {
    let Ok(local) = listener.local_addr() else { return };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let connection = Connection { peer, local, dialled };
                tokio::task::spawn_local(serve(stream, Rc::clone(&proxy), connection));
            }
            // Out of file descriptors, most likely: some may be free in a moment.
            Err(error) => {
                tracing::warn!("cannot accept on {local}: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, proxy: Rc<Proxy>, connection: Connection) {
    // A socket that refuses works all the same, only slower.
    let _ = stream.set_nodelay(true);
    if let Some(cluster) = tcp::cluster(&proxy, connection.dialled) {
        return tcp::pass_on(stream, &proxy, &cluster).await;
    }
    let (stream, seen) = Watched::new(stream);
    let service = {
        let (proxy, seen) = (Rc::clone(&proxy), seen.clone());
        service_fn(move |request| exchange::answer(Rc::clone(&proxy), connection, seen.clone(), request))
    };
    // hyper's own limit on headers is Envoy's, 100.
    let served = http1::Builder::new()
        .serve_connection(stream, service)
        .with_upgrades()
        .await;
    if let Some(reply) = seen.refused() {
        Record::refused(&proxy, connection, &reply);
    }
    if let Err(error) = served {
        tracing::debug!("connection from {}: {error}", connection.peer);
    }
}
