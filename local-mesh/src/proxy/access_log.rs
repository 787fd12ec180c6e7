//! The access log: one line of JSON per request, with the names of Istio's default format.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;

/// Lines are handed to the writer together at this pace, so that a busy proxy does not wake it for each.
const PACE: Duration = Duration::from_millis(10);

/// What is said of a request. Istio writes `null` or `-` for what there is not.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    pub(super) start_time: String,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) protocol: &'a str,
    pub(super) response_code: u16,
    pub(super) response_flags: String,
    pub(super) response_code_details: &'a str,
    pub(super) bytes_received: u64,
    pub(super) bytes_sent: u64,
    /// Milliseconds.
    pub(super) duration: u64,
    /// Milliseconds until the response headers.
    pub(super) upstream_service_time: Option<String>,
    pub(super) x_forwarded_for: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) request_id: Option<&'a str>,
    pub(super) authority: &'a str,
    pub(super) upstream_host: Option<String>,
    pub(super) upstream_cluster: Option<&'a str>,
    pub(super) upstream_request_attempt_count: u32,
    pub(super) downstream_local_address: String,
    pub(super) downstream_remote_address: String,
    pub(super) route_name: Option<&'a str>,
}

/// Collects lines and hands them to the thread that writes them.
pub(super) struct AccessLog {
    lines: RefCell<Vec<u8>>,
    some: Notify,
    writer: RefCell<Option<Writer>>,
}

struct Writer {
    blocks: mpsc::Sender<Vec<u8>>,
    thread: JoinHandle<()>,
}

impl AccessLog {
    /// Starts the writer and, on the current data plane, the task that feeds it.
    pub(super) fn start(target: Box<dyn Write + Send>) -> io::Result<Rc<Self>> {
        let (blocks, received) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_blocks(target, &received))?;
        let log = Rc::new(AccessLog {
            lines: RefCell::default(),
            some: Notify::new(),
            writer: RefCell::new(Some(Writer { blocks, thread })),
        });
        let feeder = Rc::clone(&log);
        tokio::task::spawn_local(async move {
            loop {
                feeder.some.notified().await;
                tokio::time::sleep(PACE).await;
                feeder.hand_over();
            }
        });
        Ok(log)
    }

    pub(super) fn write(&self, entry: &Entry<'_>) {
        let mut lines = self.lines.borrow_mut();
        if lines.is_empty() {
            self.some.notify_one();
        }
        // Writing to memory cannot fail, and the entry has nothing that JSON cannot say.
        let _ = serde_json::to_writer(&mut *lines, entry);
        lines.push(b'\n');
    }

    fn hand_over(&self) {
        let lines = std::mem::take(&mut *self.lines.borrow_mut());
        if let (Some(writer), false) = (&*self.writer.borrow(), lines.is_empty()) {
            // The writer ends only with the log.
            let _ = writer.blocks.send(lines);
        }
    }

    /// Everything is written when this returns.
    pub(super) fn close(&self) {
        self.hand_over();
        if let Some(Writer { blocks, thread }) = self.writer.borrow_mut().take() {
            drop(blocks);
            let _ = thread.join();
        }
    }
}

/// A log that cannot be written is no reason to stop serving; it is said once.
fn write_blocks(mut target: Box<dyn Write + Send>, blocks: &mpsc::Receiver<Vec<u8>>) {
    let mut complained = false;
    for block in blocks {
        if let Err(error) = target.write_all(&block).and_then(|()| target.flush())
            && !std::mem::replace(&mut complained, true)
        {
            tracing::error!("the access log cannot be written: {error}");
        }
    }
}
