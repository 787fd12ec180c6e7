//! The last lines that a pod wrote.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Lines kept of each pod.
const LINES: usize = 200;
/// A longer line is cut into pieces.
const LONGEST: usize = 8 * 1024;

/// Standard output and standard error of a pod, in the order in which they arrived, over all its restarts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs(Arc<Mutex<VecDeque<String>>>);

impl Logs {
    /// Takes all lines of a stream, until it ends.
    pub(crate) async fn follow(self, mut stream: impl AsyncRead + Unpin) {
        let mut pending = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            pending.extend_from_slice(&chunk[..read]);
            while let Some(end) = line_end(&pending) {
                let line: Vec<u8> = pending.drain(..end).collect();
                self.push(&line);
            }
        }
        if !pending.is_empty() {
            self.push(&pending);
        }
    }

    /// The last `count` lines.
    pub(crate) fn tail(&self, count: usize) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .skip(lines.len().saturating_sub(count))
            .cloned()
            .collect()
    }

    /// All that is kept.
    pub(crate) fn all(&self) -> Vec<String> {
        self.tail(LINES)
    }

    fn push(&self, line: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
    }
}

/// Where the first line ends, line break included.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let end = bytes
        .iter()
        .position(|&byte| byte == b'\n')
        .map(|index| index + 1);
    end.or((bytes.len() >= LONGEST).then_some(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_whole() {
        let text: String = (0..300).map(|n| format!("line {n}\n")).collect();
        let logs = Logs::default();
        logs.clone().follow(text.as_bytes()).await;
        let kept = logs.all();
        assert_eq!(
            (kept.len(), kept[0].as_str(), kept[199].as_str()),
            (200, "line 100", "line 299")
        );
        assert_eq!(logs.tail(2), ["line 298", "line 299"]);
    }

    #[tokio::test]
    async fn a_line_without_end_does_not_eat_the_memory() {
        let logs = Logs::default();
        logs.clone().follow(vec![b'x'; 3 * LONGEST + 5].as_slice()).await;
        let lengths: Vec<usize> = logs.all().iter().map(String::len).collect();
        assert_eq!(lengths, [LONGEST, LONGEST, LONGEST, 5]);
    }
}
