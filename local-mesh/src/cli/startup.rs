//! What `up` finds out before it starts anything.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use mesh_config::Mesh;
use tokio::net::TcpListener;

use super::args::Up;
use super::{files, remote};
use crate::admin;
use crate::admin::wire::Status;
use crate::control::{Options, notes};
use crate::kubelet::ProgramFinder;
use crate::notice::note;

/// The mesh of the manifests. Every problem of every file is in the error.
pub(super) fn mesh(up: &Up) -> anyhow::Result<Mesh> {
    let sources = files::read(&up.files, io::stdin())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (mesh, _) = Mesh::new().apply_sources(&sources, i64::try_from(now)?)?;
    notes(&mesh, &Mesh::new()).into_iter().for_each(note);
    Ok(mesh)
}

/// Options of the control plane.
pub(super) fn options(up: &Up, admin: SocketAddr) -> anyhow::Result<Options> {
    let mut names = BTreeSet::new();
    if let Some(twice) = up.clients.iter().find(|client| !names.insert(client.full_name())) {
        bail!(
            "--client {} is given twice; every client needs a name of its own",
            twice.full_name()
        );
    }
    let folder = match &up.bin_dir {
        Some(folder) if !folder.is_dir() => bail!("--bin-dir {}: there is no such folder", folder.display()),
        Some(folder) => folder.canonicalize()?,
        None => {
            let program =
                std::env::current_exe().context("the folder of local-mesh is not known; give --bin-dir")?;
            program.parent().unwrap_or(Path::new(".")).to_owned()
        }
    };
    Ok(Options {
        gateway: up.gateway.unwrap_or_default(),
        clients: up.clients.clone(),
        locality: up.client_locality.clone(),
        programs: ProgramFinder {
            folder,
            path: std::env::var_os("PATH").unwrap_or_default(),
        },
        admin,
        seed: up.seed,
    })
}

/// Where the access log goes.
pub(super) fn access_log(path: Option<&Path>) -> anyhow::Result<Option<Box<dyn Write + Send>>> {
    let Some(path) = path else {
        return Ok(None);
    };
    if path.as_os_str() == "-" {
        return Ok(Some(Box::new(io::stdout())));
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.with_context(|| format!("--access-log {}", path.display()))?;
    Ok(Some(Box::new(file)))
}

/// The admin API's socket.
pub(super) async fn admin(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if !address.ip().is_loopback() {
        bail!(
            "--admin {address}: whoever reaches this address can start programs here; give a loopback address"
        );
    }
    match admin::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let who = match remote::Mesh(address).get::<Status>("/status").await {
                Ok(status) => format!(
                    "local-mesh with pid {} (`kill {}` ends it)",
                    status.pid, status.pid
                ),
                Err(_) => "another program".to_owned(),
            };
            bail!(
                "cannot listen on {address} for the admin API: {who} listens there; choose another address with --admin"
            )
        }
        Err(error) => bail!(
            "cannot listen on {address} for the admin API: {error}; choose another address with --admin"
        ),
    }
}
