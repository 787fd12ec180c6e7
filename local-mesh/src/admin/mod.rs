//! The admin API: HTTP and JSON on a loopback address.
//!
//! | request | answer |
//! |---|---|
//! | `GET /ready` | 200 when all pods are ready, else 503 |
//! | `GET /status` | how everything is |
//! | `POST /apply`, `POST /delete` | `{"sources": [{"name", "text"}]}`; what happened to each object; in force |
//! | `GET /objects?kind=vs[&name=..][&namespace=..][&selector=..]` | tables and objects |
//! | `POST /explain` | `{"url", "method", "headers", "from"}`; the decision with its reasons |
//! | `GET /logs?name=POD[&namespace=..]` | the last lines of a pod, as text |
//! | `GET /stats/prometheus` | metrics, as text |
//!
//! What is refused is answered 422, what does not exist 404, both with `{"error": ...}` as shown to people.

mod routes;
pub(crate) mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::control::Control;

/// Where the API is unless told otherwise.
pub(crate) const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 15000);

/// Binds the API's address, so that what keeps it from working is known before anything is started.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves the API for as long as the runtime lives.
pub(crate) async fn serve(listener: TcpListener, control: Control) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors: let those who have some finish.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let control = control.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| routes::answer(control.clone(), request));
            // A connection that breaks concerns its client alone.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
