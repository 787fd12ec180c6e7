//! The command that `up` runs inside the mesh.

use std::ffi::OsString;
use std::time::Duration;

use tokio::time::timeout;

use crate::admin::wire::{Query, Status};
use crate::control::Control;
use crate::guard::{Guarded, Launch, LaunchError, Streams};

/// Lines shown of each pod that is not ready.
const TAIL: usize = 20;

/// The command was not started.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotStarted {
    #[error("COMMAND was not started: not ready after {0:?} (--ready-timeout)\n{1}")]
    NotReady(Duration, String),
    #[error("COMMAND was not started: {0}")]
    Launch(#[from] LaunchError),
}

/// Waits until all is ready, then starts the command, with our standard streams.
pub(super) async fn start(
    words: &[OsString],
    control: &Control,
    patience: Duration,
    own_group: bool,
) -> Result<Guarded, NotStarted> {
    let mut states = control.status();
    let ready = timeout(patience, states.wait_for(|state| state.ready)).await;
    let status = match ready {
        Ok(Ok(status)) => status.clone(),
        _ => return Err(NotStarted::NotReady(patience, reasons(control).await)),
    };
    let environment = environment(&status);
    let (program, arguments) = words.split_at(1);
    let launch = Launch {
        program: &program[0],
        arguments,
        environment: &environment,
        streams: Streams::Inherited,
        own_group,
    };
    Ok(Guarded::start(&launch).await?)
}

/// Where the mesh is. The gateway's variable is empty if it is closed.
fn environment(status: &Status) -> Vec<(OsString, OsString)> {
    let gateway = status.gateway.first();
    let gateway = gateway.map(|door| door.address.to_string()).unwrap_or_default();
    vec![
        ("LOCAL_MESH_ADMIN".into(), status.admin.to_string().into()),
        ("LOCAL_MESH_GATEWAY".into(), gateway.into()),
    ]
}

/// What is missing, and what the pods in question wrote.
async fn reasons(control: &Control) -> String {
    let mut lines = control.status().borrow().missing.clone();
    let query = Query {
        kind: "pods".to_owned(),
        ..Query::default()
    };
    let pods = control.list(query).await.map(|listing| listing.sections);
    for pod in pods.into_iter().flatten().flat_map(|section| section.items) {
        if pod["status"]["ready"] == true {
            continue;
        }
        let metadata = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (metadata("namespace"), metadata("name"));
        let query = Query {
            name: Some(format!("{namespace}/{name}")),
            ..Query::default()
        };
        let text = control.logs(query).await.unwrap_or_default();
        let written: Vec<&str> = text.lines().collect();
        lines.push(format!("last lines of {namespace}/{name}:"));
        let tail = &written[written.len().saturating_sub(TAIL)..];
        lines.extend(tail.iter().map(|line| format!("  | {line}")));
    }
    lines.join("\n")
}
