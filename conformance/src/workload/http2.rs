//! A workload's HTTP/2 side, for ports that Istio takes for gRPC or HTTP/2.

use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::connection::End;
use super::{Answer, Reaction, Received, Workload};
use crate::wire::{bytes_of, latin1};

/// What a connection starts with.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// As many as the recorded workloads took at once.
const STREAMS: u32 = 100;

/// Answers until the peer closes or a request ends the connection.
pub(super) async fn serve<T>(
    io: T,
    workload: &std::sync::Arc<Workload>,
    connection: usize,
) -> Result<End, h2::Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = Builder::new();
    let mut streams: Connection<T, Bytes> = builder.max_concurrent_streams(STREAMS).handshake(io).await?;
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            next = streams.accept() => match next {
                Some(next) => {
                    let (request, respond) = next?;
                    let workload = workload.clone();
                    tasks.spawn(async move { stream(request, respond, &workload, connection).await });
                }
                None => return Ok(End::Close),
            },
            // A stream that failed concerns its own client only.
            ended = tasks.join_next(), if !tasks.is_empty() => if let Some(Ok(Ok(Some((end, respond))))) = ended {
                // In this order: a stream that is given up is reset while there is a connection.
                drop(streams);
                drop(respond);
                return Ok(end);
            },
        }
    }
}

/// One request. Says whether the connection ends with it, which the stream has to outlive.
async fn stream(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    workload: &Workload,
    connection: usize,
) -> Result<Option<(End, SendResponse<Bytes>)>, h2::Error> {
    let (head, mut body) = request.into_parts();
    let mut body_bytes = 0;
    while let Some(data) = body.data().await {
        let length = data?.len();
        body_bytes += length;
        body.flow_control().release_capacity(length)?;
    }
    let mut headers = Vec::new();
    if let Some(authority) = head.uri.authority() {
        headers.push(("host".to_owned(), authority.to_string()));
    }
    headers.extend(plain(&head.headers));
    let request = Received {
        workload: workload.name.clone(),
        method: head.method.to_string(),
        path: head
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        headers,
        body_bytes,
    };
    match workload.receive(request, connection, true).await {
        Reaction::Answer(answer) => write(respond, answer).await.map(|()| None),
        Reaction::Hang => std::future::pending().await,
        Reaction::RefuseStream => {
            respond.send_reset(Reason::REFUSED_STREAM);
            Ok(None)
        }
        Reaction::Close(_) => Ok(Some((End::Close, respond))),
        Reaction::Reset => Ok(Some((End::Reset, respond))),
    }
}

/// Lines of `cookie` are one in the end, as HTTP/2 wants it.
fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| latin1(value.as_bytes());
    let others = headers.iter().filter(|(name, _)| *name != COOKIE);
    let mut lines: Vec<_> = others
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    let cookies: Vec<String> = headers.get_all(COOKIE).iter().map(text).collect();
    if !cookies.is_empty() {
        lines.push((COOKIE.to_string(), cookies.join("; ")));
    }
    lines
}

async fn write(mut respond: SendResponse<Bytes>, answer: Answer) -> Result<(), h2::Error> {
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    *response.headers_mut() = fields(&answer.headers);
    if !answer.body.is_empty() && !answer.chunked {
        response
            .headers_mut()
            .insert(http::header::CONTENT_LENGTH, answer.body.len().into());
    }
    let empty = answer.head_only || answer.body.is_empty();
    let mut stream = respond.send_response(response, empty)?;
    if empty {
        return Ok(());
    }
    if let Some(seconds) = answer.body_delay {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
    stream.send_data(answer.body.into(), answer.trailers.is_empty())?;
    if answer.trailers.is_empty() {
        return Ok(());
    }
    stream.send_trailers(fields(&answer.trailers))
}

/// Those that HTTP/2 can carry.
fn fields(lines: &[(String, String)]) -> HeaderMap {
    let parsed = lines.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(&bytes_of(value)).ok()?))
    });
    let mut map = HeaderMap::new();
    parsed.for_each(|(name, value)| {
        map.append(name, value);
    });
    map
}
