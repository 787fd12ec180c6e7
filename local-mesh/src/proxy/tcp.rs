//! Connections that are not HTTP: their bytes are passed on to an endpoint as they are.

use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Dialled;
use super::cluster::{Cluster, Wish};
use super::plane::Proxy;
use super::response::DELAYED_CLOSE;

/// The cluster behind a port on which no service has HTTP; `None` for a port with routes.
pub(super) fn cluster(proxy: &Proxy, dialled: Dialled) -> Option<Rc<Cluster>> {
    let Dialled::Port(port) = dialled else { return None };
    let config = proxy.config();
    let id = config.view.tcp.get(&port)?;
    Some(Rc::clone(&config.clusters[id.0]))
}

/// Until one side has closed. Without an endpoint, or above the limit on connections, the client's is closed at once.
pub(super) async fn pass_on(mut client: TcpStream, proxy: &Proxy, cluster: &Rc<Cluster>) {
    let host = cluster.pick(&mut Wish::new(None, false), &mut *proxy.shared.rng());
    let (Some(host), Some(_permit)) = (host, cluster.connections.enter()) else {
        return close(client).await;
    };
    let _active = host.begin();
    let result = async {
        let mut endpoint = host.connect().await?;
        copy_bidirectional(&mut client, &mut endpoint).await
    };
    if let Err(error) = result.await {
        tracing::debug!("connection to {}: {error}", host.address());
    }
}

/// Says goodbye, and reads what still comes: a socket that is closed with bytes unread tells the client of a reset.
async fn close(mut client: TcpStream) {
    let goodbye = async {
        client.shutdown().await?;
        while client.read(&mut [0; 4096]).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    // However that went, there is nothing more to say.
    let _ = timeout(DELAYED_CLOSE, goodbye).await;
}
