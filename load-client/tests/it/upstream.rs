//! A server to send load to: in a thread of its own, on a port that the system picks, gone when dropped.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use load_client::outcome::Outcome;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Counts requests in order of arrival, from 0.
    pub(crate) number: usize,
    /// Counts connections, from 0.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    After(Duration, Box<Reply>),
    /// Close the connection instead of answering.
    Close,
    Never,
}

/// 200 with this header.
pub(crate) fn served_by(value: &str) -> Reply {
    Reply::Answer(200, vec![("x-served-by", value.to_owned())], String::new())
}

/// An answer that was drawn.
pub(crate) fn reply_of(outcome: &Outcome) -> Reply {
    let answer = outcome.result.as_ref().unwrap();
    let hops = answer.served_by.iter().flat_map(|hops| hops.iter());
    let hops: Vec<String> = hops
        .map(|hop| format!("{}/{}/{}", hop.service, hop.version, hop.instance))
        .collect();
    Reply::Answer(
        answer.status,
        vec![("x-served-by", hops.join(", "))],
        String::new(),
    )
}

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Dropping it ends the server.
    _stop: oneshot::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

type Respond = dyn Fn(&Seen) -> Reply + Send + Sync;

impl Upstream {
    pub(crate) fn start(respond: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let respond: Arc<Respond> = Arc::new(respond);
        let connections = AtomicUsize::new(0);
        Self::serve(seen, move |stream| {
            let connection = connections.fetch_add(1, Ordering::Relaxed);
            let (log, respond) = (Arc::clone(&log), Arc::clone(&respond));
            async move {
                let service = service_fn(move |request| {
                    let (log, respond) = (Arc::clone(&log), Arc::clone(&respond));
                    async move { answer(request, connection, &log, &*respond).await }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        })
    }

    /// A server that says `bytes` to whoever connects and asks something, whatever that is.
    pub(crate) fn saying(bytes: &'static [u8]) -> Self {
        Self::serve(Arc::default(), move |mut stream| async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut question = [0; 1024];
            while matches!(stream.read(&mut question).await, Ok(1..)) {
                let _ = stream.write_all(bytes).await;
            }
        })
    }

    fn serve<F: Future<Output = ()> + Send + 'static>(
        seen: Arc<Mutex<Vec<Seen>>>,
        connection: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accepting = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        let _ = stream.set_nodelay(true);
                        tokio::spawn(connection(stream));
                    }
                };
                tokio::select! {
                    () = accepting => {}
                    _ = stopped => {}
                }
            });
        });
        Upstream {
            address,
            seen,
            _stop: stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Ends the server and every connection; returns when its port is free.
    pub(crate) fn stop(mut self) {
        let (unused, _) = oneshot::channel();
        drop(std::mem::replace(&mut self._stop, unused));
        self.thread.take().unwrap().join().unwrap();
    }
}

async fn answer(
    request: Request<Incoming>,
    connection: usize,
    log: &Mutex<Vec<Seen>>,
    respond: &Respond,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let seen = {
        let mut log = log.lock().unwrap();
        let number = log.len();
        log.push(Seen {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            number,
            connection,
        });
        log.last().unwrap().clone()
    };
    let mut reply = respond(&seen);
    loop {
        match reply {
            Reply::Answer(status, headers, body) => {
                let mut response = Response::new(Full::new(Bytes::from(body)));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                for (name, value) in headers {
                    response.headers_mut().append(name, value.parse().unwrap());
                }
                return Ok(response);
            }
            Reply::After(time, then) => {
                tokio::time::sleep(time).await;
                reply = *then;
            }
            Reply::Close => return Err(std::io::Error::other("closed on purpose")),
            Reply::Never => std::future::pending().await,
        }
    }
}
