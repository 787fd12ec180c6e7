//! Server-sent events: what has changed since the last one, the whole page at first.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::unfold;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use tokio::sync::watch;

use super::board::Board;
use super::page::{Part, parts};

/// Somebody who looks.
struct Viewer {
    boards: watch::Receiver<Arc<Board>>,
    stopped: watch::Receiver<bool>,
    /// What they have.
    seen: Vec<Part>,
    /// They have got the last state.
    ended: bool,
}

/// An event for each board; a viewer who takes no more of them for a while gets the latest one then. Ends when
/// `stopped`, with the last state.
pub(super) fn events(
    boards: watch::Receiver<Arc<Board>>,
    stopped: watch::Receiver<bool>,
) -> impl Body<Data = Bytes, Error = Infallible> + Send {
    let viewer = Viewer {
        boards,
        stopped,
        seen: Vec::new(),
        ended: false,
    };
    StreamBody::new(unfold(viewer, |mut viewer| async move {
        let event = viewer.next().await?;
        Some((Ok(Frame::data(event)), viewer))
    }))
}

impl Viewer {
    async fn next(&mut self) -> Option<Bytes> {
        // The first one at once, and with how long to wait before coming back.
        if self.seen.is_empty() {
            let first = self.changed();
            return Some(event("retry: 1000\n", &first));
        }
        while !self.ended {
            tokio::select! {
                changed = self.boards.changed() => self.ended = changed.is_err(),
                _ = self.stopped.wait_for(|stopped| *stopped) => self.ended = true,
            }
            let changed = self.changed();
            if !changed.is_empty() {
                return Some(event("", &changed));
            }
        }
        None
    }

    /// The parts that look otherwise than at the last time.
    fn changed(&mut self) -> Vec<Part> {
        let board = Arc::clone(&self.boards.borrow_and_update());
        let now = parts(&board);
        let changed = now
            .iter()
            .filter(|part| !self.seen.contains(part))
            .cloned()
            .collect();
        self.seen = now;
        changed
    }
}

/// JSON has no line breaks of its own: one line of data.
fn event(fields: &str, parts: &[Part]) -> Bytes {
    let by_id: serde_json::Map<String, serde_json::Value> = parts
        .iter()
        .map(|part| (part.id.to_owned(), part.html.as_str().into()))
        .collect();
    let json = serde_json::Value::Object(by_id);
    Bytes::from(format!("{fields}data: {json}\n\n"))
}
