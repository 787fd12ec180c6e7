//! WebSockets: a request that turns its connection into a tunnel to the endpoint.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy};

use super::cluster::Lease;
use super::headers;
use super::record::Record;
use super::response::{ResponseBody, server_name};
use super::tries::Answer;

/// What a request wants its connection to become.
pub(super) enum Upgrade {
    /// Nothing; what says otherwise is left out on the way (`h2c`).
    No,
    /// A tunnel.
    WebSocket(Tunnel),
    /// Something that is not allowed here.
    Refused,
}

/// The client's end of a tunnel that is to be.
pub(super) struct Tunnel {
    client: OnUpgrade,
    connection: HeaderValue,
    upgrade: HeaderValue,
}

impl Upgrade {
    /// Reads it from the headers, before those of this hop are removed.
    pub(super) fn of(request: &mut Request<Incoming>) -> Self {
        let headers = request.headers();
        let (Some(upgrade), Some(connection)) = (headers.get(UPGRADE), headers.get(CONNECTION)) else {
            return Self::No;
        };
        let (upgrade, connection) = (upgrade.clone(), connection.clone());
        let mut words = connection
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii);
        if !words.any(|word| word.eq_ignore_ascii_case(b"upgrade"))
            || upgrade.as_bytes().eq_ignore_ascii_case(b"h2c")
        {
            Self::No
        } else if upgrade.as_bytes().eq_ignore_ascii_case(b"websocket") {
            Self::WebSocket(Tunnel {
                client: hyper::upgrade::on(request),
                connection,
                upgrade,
            })
        } else {
            Self::Refused
        }
    }
}

impl Tunnel {
    /// The endpoint is asked as the client asked.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, self.connection.clone());
        headers.insert(UPGRADE, self.upgrade.clone());
    }

    /// Passes bytes both ways once the client has its 101. `answer` is the endpoint's 101.
    pub(super) fn open(
        self,
        mut record: Record,
        role: mesh_config::Role,
        answer: Answer,
        rules: impl FnOnce(&Record, &mut HeaderMap),
    ) -> Response<ResponseBody> {
        let Answer { response, lease, .. } = answer;
        record.status = StatusCode::SWITCHING_PROTOCOLS.as_u16();
        record.details = "via_upstream".into();
        let mut opened = Response::new(ResponseBody::Local(None));
        *opened.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *opened.version_mut() = Version::HTTP_11;
        let headers = opened.headers_mut();
        headers.clone_from(response.headers());
        let upgrade = headers.get(UPGRADE).cloned().unwrap_or(self.upgrade);
        rules(&record, headers);
        headers::prepare_response(headers, server_name(role));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, upgrade);
        tokio::task::spawn_local(carry(self.client, hyper::upgrade::on(response), record, lease));
        opened
    }
}

/// Until both sides have ended. The record says `DC` when the client was the first.
async fn carry(client: OnUpgrade, endpoint: OnUpgrade, mut record: Record, lease: Lease) {
    let (Ok(client), Ok(endpoint)) = (client.await, endpoint.await) else {
        return;
    };
    let (client_reads, client_writes) = tokio::io::split(TokioIo::new(client));
    let (endpoint_reads, endpoint_writes) = tokio::io::split(TokioIo::new(endpoint));
    let up = pass(client_reads, endpoint_writes);
    let down = pass(endpoint_reads, client_writes);
    tokio::pin!(up, down);
    tokio::select! {
        biased;
        sent = &mut down => {
            record.sent += sent;
            record.complete();
            up.await;
        }
        _ = &mut up => record.sent += down.await,
    }
    drop(lease);
}

/// Copies until the end, and passes that on; how many bytes.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> u64 {
    let copied = copy(&mut from, &mut to).await.unwrap_or_default();
    // The other side may be gone already.
    let _ = to.shutdown().await;
    copied
}
