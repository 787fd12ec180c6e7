//! `kubectl port-forward` for as long as somebody holds it.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::kubectl::Kubectl;
use crate::way::Way;

/// kubectl on a machine that does much else.
const START: Duration = Duration::from_secs(30);

/// Ports that lead to pods, kept because kubectl takes its time to open one.
#[derive(Debug)]
pub(crate) struct Forwards {
    kubectl: Kubectl,
    /// By namespace, pod and port.
    open: Mutex<BTreeMap<String, Arc<Forward>>>,
}

impl Forwards {
    /// None yet.
    pub(crate) fn new(kubectl: Kubectl) -> Self {
        Forwards {
            kubectl,
            open: Mutex::default(),
        }
    }

    /// The one to this port of `pod/NAME` or `deployment/NAME`.
    ///
    /// # Errors
    /// There is no such pod, or it does not run.
    pub(crate) async fn to(&self, namespace: &str, name: &str, port: u16) -> Result<Arc<Forward>> {
        let key = format!("{namespace}/{name}:{port}");
        let known = self
            .open
            .lock()
            .await
            .get(&key)
            .filter(|known| known.is_open())
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let port = format!(":{port}");
        let words = ["port-forward", "-n", namespace, name, &port];
        let forward = Arc::new(Forward::start(self.kubectl.command(&words)).await?);
        self.open.lock().await.insert(key, forward.clone());
        Ok(forward)
    }
}

/// A port of this machine that leads to a pod, past its sidecar.
#[derive(Debug)]
pub(crate) struct Forward {
    /// Killed when this is dropped.
    _child: Child,
    open: Arc<AtomicBool>,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Forward {
    /// Runs this command, a `kubectl port-forward` to one port, and waits until it listens.
    ///
    /// # Errors
    /// It ends or says nothing; the error has what it said.
    pub(crate) async fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run kubectl")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut errors = child.stderr.take().context("its errors")?;
        let first = tokio::time::timeout(START, lines.next_line()).await;
        let first = first.context("kubectl port-forward says nothing")??;
        let Some(address) = first.as_deref().and_then(address) else {
            let mut said = String::new();
            errors.read_to_string(&mut said).await?;
            bail!("kubectl port-forward: {}", said.trim());
        };
        let open = Arc::new(AtomicBool::new(true));
        let seen = open.clone();
        tokio::spawn(async move {
            // It writes a line per connection, and would wait for somebody to read it.
            while let Ok(Some(_)) = lines.next_line().await {}
            seen.store(false, Ordering::Relaxed);
        });
        tokio::spawn(async move { tokio::io::copy(&mut errors, &mut tokio::io::sink()).await });
        Ok(Forward {
            _child: child,
            open,
            address,
        })
    }

    /// Whether it still forwards; it ends when the pod does.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

impl From<Arc<Forward>> for Way {
    fn from(forward: Arc<Forward>) -> Self {
        Way::from(&*forward.address).keeping(forward)
    }
}

/// `Forwarding from 127.0.0.1:41234 -> 8080`.
fn address(line: &str) -> Option<String> {
    let (address, _) = line.strip_prefix("Forwarding from ")?.split_once(" ->")?;
    Some(address.to_owned())
}
