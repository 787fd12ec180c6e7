//! Serves the page: a thread of its own, so that the load does not wait for whoever looks.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::address::is_own;
use super::board::Board;
use super::{page, stream};

/// More are hung up on: nobody opens so many pages.
const MOST_CONNECTIONS: usize = 64;
/// For the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// For the last state to arrive at whoever looks.
const LAST: Duration = Duration::from_secs(1);

/// Nothing is loaded from elsewhere, nothing inline is run, nobody else shows the page as theirs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What a connection needs.
#[derive(Clone)]
struct Hub {
    bound: IpAddr,
    boards: watch::Sender<Arc<Board>>,
    stopped: watch::Receiver<bool>,
}

/// What to run in the thread of the server; it ends when it is `stopped`.
///
/// # Errors
/// Of the system: no more files, say.
pub(super) fn prepare(
    listener: TcpListener,
    boards: watch::Sender<Arc<Board>>,
    stopped: watch::Receiver<bool>,
) -> io::Result<impl FnOnce() + Send> {
    let bound = listener.local_addr()?.ip();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listener = {
        let _entered = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let hub = Hub {
        bound,
        boards,
        stopped,
    };
    Ok(move || runtime.block_on(serve(listener, hub)))
}

async fn serve(listener: tokio::net::TcpListener, hub: Hub) {
    let mut connections = JoinSet::new();
    let mut stopped = hub.stopped.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < MOST_CONNECTIONS => {
                    connections.spawn(connection(stream, hub.clone()));
                }
                Ok(_) => {}
                // No more files, say: others have to end first.
                Err(_error) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_ended) = connections.join_next() => {}
            _ = stopped.wait_for(|stopped| *stopped) => break,
        }
    }
    let all = async { while connections.join_next().await.is_some() {} };
    // Whoever does not take the last state by then does not get it.
    let _ = tokio::time::timeout(LAST, all).await;
}

async fn connection(stream: TcpStream, hub: Hub) {
    let mut stopped = hub.stopped.clone();
    let service = service_fn(move |request| {
        let response = respond(&request, &hub);
        async { Ok::<_, Infallible>(response) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // An error is the end of a connection, which is its viewer's business.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

fn respond(request: &Request<Incoming>, hub: &Hub) -> Response<Body> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(|host| is_own(host, hub.bound)) {
        let text =
            "this page is served to the address it listens on and to localhost only, not to other names\n";
        return text_of(StatusCode::MISDIRECTED_REQUEST, text);
    }
    if request.method() != Method::GET {
        return text_of(
            StatusCode::METHOD_NOT_ALLOWED,
            "there is nothing here but to look\n",
        );
    }
    let board = || Arc::clone(&hub.boards.borrow());
    match request.uri().path() {
        "/" => whole("text/html; charset=utf-8", page::page(&board())),
        "/page.js" => whole("text/javascript; charset=utf-8", include_str!("page.js")),
        "/page.css" => whole("text/css; charset=utf-8", page::STYLE),
        "/icon.svg" => whole("image/svg+xml", include_str!("icon.svg")),
        "/board.json" => match serde_json::to_string(&*board()) {
            Ok(json) => whole("application/json", json),
            Err(error) => text_of(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
        },
        "/events" => {
            let events = stream::events(hub.boards.subscribe(), hub.stopped.clone());
            response(StatusCode::OK, "text/event-stream", events.boxed_unsync())
        }
        _ => text_of(
            StatusCode::NOT_FOUND,
            "there is only /, and /board.json for programs\n",
        ),
    }
}

fn text_of(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::from(text.to_owned()).boxed_unsync();
    response(status, "text/plain; charset=utf-8", body)
}

fn whole(content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    response(
        StatusCode::OK,
        content_type,
        Full::new(body.into()).boxed_unsync(),
    )
}

fn response(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
