//! `port-forward`: a local port that leads to a pod's process, past the mesh, as kubectl's does.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::args::PortForward;
use super::remote::{self, RemoteError};
use super::verbs::listing;
use crate::admin::wire::Query;

/// `[LOCAL]:REMOTE`, or one number for both. LOCAL 0 is any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    local: u16,
    remote: u16,
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let number = text.parse::<u16>();
            number.map_err(|_| format!("`{text}` is no port; write [LOCAL]:REMOTE, such as :8080"))
        };
        let (local, remote) = match text.split_once(':') {
            Some(("", remote)) => (0, number(remote)?),
            Some((local, remote)) => (number(local)?, number(remote)?),
            None => (number(text)?, number(text)?),
        };
        if remote == 0 {
            return Err("the pod's port cannot be 0".to_owned());
        }
        Ok(Ports { local, remote })
    }
}

/// The pod at the far end, asked for anew for each connection: it may have been restarted at another port.
#[derive(Clone)]
struct Pod {
    mesh: remote::Mesh,
    query: Query,
}

impl Pod {
    /// Where the process listens that stands for a port of the pod.
    async fn address(&self, port: u16) -> anyhow::Result<SocketAddr> {
        let listing = listing(self.mesh, &self.query).await?;
        let pods: Vec<Value> = listing
            .sections
            .into_iter()
            .flat_map(|section| section.items)
            .collect();
        let [pod] = pods.as_slice() else {
            bail!("there are several pods of that name; say which with -n NAMESPACE");
        };
        let ports = pod["status"]["ports"].as_array();
        let Some(ports) = ports else {
            bail!(
                "unable to forward port because pod is not running. Current status={}",
                text(&pod["status"]["phase"])
            );
        };
        let at = ports.iter().find(|entry| entry["containerPort"] == port);
        match at.and_then(|entry| entry["hostPort"].as_u64()) {
            Some(host) => Ok((Ipv4Addr::LOCALHOST, u16::try_from(host)?).into()),
            None => {
                let known: Vec<String> = ports
                    .iter()
                    .map(|entry| entry["containerPort"].to_string())
                    .collect();
                bail!("the pod has no port {port}; it has {}", known.join(", "))
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("unknown")
}

/// Forwards until Ctrl-C or SIGTERM, or until the pod is gone.
pub(crate) async fn port_forward(args: PortForward, out: &mut impl Write) -> anyhow::Result<u8> {
    let name = match args.pod.split_once('/') {
        Some(("pod" | "pods" | "po", name)) => name,
        Some((kind, _)) => bail!("cannot forward to a {kind}; write pod/NAME"),
        None => &args.pod,
    };
    let pod = Pod {
        mesh: remote::Mesh(args.remote.admin),
        query: Query {
            kind: "pod".to_owned(),
            name: Some(name.to_owned()),
            namespace: args.namespace,
            ..Query::default()
        },
    };
    let (lines, mut said) = mpsc::unbounded_channel();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut doors = JoinSet::new();
    for ports in args.ports {
        pod.address(ports.remote).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.local)).await;
        let listener = listener.with_context(|| format!("unable to listen on port {}", ports.local))?;
        let local = listener.local_addr()?.port();
        writeln!(out, "Forwarding from 127.0.0.1:{local} -> {}", ports.remote)?;
        doors.spawn(accept(listener, pod.clone(), ports.remote, lines.clone()));
    }
    out.flush()?;
    loop {
        tokio::select! {
            Some(line) = said.recv() => writeln!(out, "{line}")?,
            Some(end) = doors.join_next() => end??,
            _ = interrupt.recv() => return Ok(0),
            _ = terminate.recv() => return Ok(0),
        }
    }
}

/// Until the pod is gone.
async fn accept(
    listener: TcpListener,
    pod: Pod,
    remote: u16,
    lines: mpsc::UnboundedSender<String>,
) -> anyhow::Result<()> {
    let local = listener.local_addr()?.port();
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            Some(_) = connections.join_next() => continue,
        };
        // Nobody reads them any more only when everything ends.
        let _ = lines.send(format!("Handling connection for {local}"));
        match pod.address(remote).await {
            Ok(address) => connections.spawn(carry(client, address)),
            Err(error) if error.downcast_ref().is_some_and(RemoteError::is_not_found) => {
                bail!("error: lost connection to pod")
            }
            Err(error) => {
                writeln!(io::stderr(), "error: {error:#}")?;
                continue;
            }
        };
    }
}

async fn carry(mut client: TcpStream, address: SocketAddr) {
    match TcpStream::connect(address).await {
        // A side that breaks off ends the connection: the other one sees that.
        Ok(mut process) => drop(copy_bidirectional(&mut client, &mut process).await),
        Err(error) => {
            let _ = writeln!(
                io::stderr(),
                "error: cannot connect to the pod's process at {address}: {error}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_for_kubectl() {
        for (text, local, remote) in [
            ("8888:5000", 8888, 5000),
            (":5000", 0, 5000),
            ("5000", 5000, 5000),
        ] {
            assert_eq!(text.parse(), Ok(Ports { local, remote }), "{text}");
        }
        for text in ["", ":", "a:80", "80:0", "70000"] {
            assert!(text.parse::<Ports>().is_err(), "{text}");
        }
    }
}
