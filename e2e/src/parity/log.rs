//! The access log of a sidecar while it is written.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use conformance::mesh::Entry;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::kubectl::Kubectl;

/// `kubectl logs -f`, from now on.
#[derive(Debug)]
pub(super) struct Log {
    entries: Arc<Mutex<Vec<Entry>>>,
    /// Killed when this is dropped.
    _child: Child,
}

impl Log {
    /// Of the sidecar of this pod.
    ///
    /// # Errors
    /// kubectl does not run.
    pub(super) fn follow(kubectl: &Kubectl, namespace: &str, pod: &str) -> Result<Self> {
        let words = [
            "logs",
            "-f",
            "--tail=0",
            "-n",
            namespace,
            pod,
            "-c",
            "istio-proxy",
        ];
        let mut command = kubectl.command(&words);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let entries = Arc::new(Mutex::new(Vec::new()));
        let written = entries.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // Envoy's own messages are between the lines.
                if let Ok(entry) = serde_json::from_str(&line) {
                    written.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
                }
            }
        });
        Ok(Log {
            entries,
            _child: child,
        })
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The lines after the first `before`.
    pub(super) fn since(&self, before: usize) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(before..).unwrap_or_default().to_vec()
    }
}
