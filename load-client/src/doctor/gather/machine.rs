//! Ports, limits of the kernel, memory, disk.

use std::fs;
use std::io;
use std::net::TcpListener;

use regex::Regex;

use super::LIMIT;
use crate::ask::ask;
use crate::doctor::facts::{Holder, Inotify, PortFact};
use crate::doctor::wanted::HostPort;

/// Who holds a port is found out by trying to listen on it.
pub(super) async fn port_fact(port: &HostPort) -> PortFact {
    let taken = match TcpListener::bind((port.address.as_str(), port.port)) {
        Err(error) => error.kind() == io::ErrorKind::AddrInUse,
        Ok(_) => false,
    };
    let holder = if taken {
        Some(holder(port.port).await)
    } else {
        None
    };
    PortFact {
        port: port.clone(),
        holder,
    }
}

/// `ss` knows; processes of other users it shows to root only.
async fn holder(port: u16) -> Holder {
    let filter = format!("sport = :{port}");
    let shown = ask(&["ss", "-Hltnp", &filter], LIMIT).await.unwrap_or_default();
    let process = Regex::new(r#"\(\("([^"]+)",pid=(\d+)"#).ok();
    let found = process.as_ref().and_then(|process| process.captures(&shown));
    match found.and_then(|found| Some((found[1].to_owned(), found[2].parse().ok()?))) {
        Some((name, id)) => Holder::Process(name, id),
        None => Holder::Unknown,
    }
}

/// Limits of the kernel.
pub(super) fn inotify() -> Option<Inotify> {
    let limit = |name: &str| {
        let text = fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
        text.trim().parse().ok()
    };
    Some(Inotify {
        watches: limit("max_user_watches")?,
        instances: limit("max_user_instances")?,
    })
}

/// As the kernel estimates it.
pub(super) fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// POSIX `df`: 1024-byte blocks, a header, one line.
pub(super) async fn free_disk(folder: &str) -> Option<u64> {
    let text = ask(&["df", "-Pk", folder], LIMIT).await.ok()?;
    let kib: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib * 1024)
}
