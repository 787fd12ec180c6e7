//! The verbs that ask a running mesh.

use std::io::{self, Write};

use anyhow::bail;

use super::args::{Apply, Explain, Get, ListFormat, Logs, Status};
use super::remote;
use super::{NO, files, print};
use crate::admin::wire::{Changes, ExplainRequest, Explained, Listing, Manifests, Query, Status as State};

/// `apply`.
pub(crate) async fn apply(apply: Apply, out: &mut impl Write) -> anyhow::Result<u8> {
    let sources = files::to_send(&apply.files, io::stdin())?;
    let mesh = remote::Mesh(apply.remote.admin);
    let changes: Changes = mesh.post("/apply", &Manifests { sources }).await?;
    report(&changes, out)
}

/// What happened to each object, in kubectl's words.
pub(super) fn report(changes: &Changes, out: &mut impl Write) -> anyhow::Result<u8> {
    let mut code = 0;
    for change in &changes.changes {
        if change.what == "notfound" {
            writeln!(io::stderr(), "{}", change.line)?;
            code = NO;
        } else {
            writeln!(out, "{}", change.line)?;
        }
    }
    for note in &changes.notes {
        writeln!(io::stderr(), "note: {note}")?;
    }
    Ok(code)
}

/// `get`.
pub(crate) async fn get(get: Get, out: &mut impl Write) -> anyhow::Result<u8> {
    let (kind, name) = match (get.kind.split_once('/'), get.name) {
        (Some((kind, name)), None) => (kind.to_owned(), Some(name.to_owned())),
        (None, name) => (get.kind, name),
        (Some(_), Some(_)) => bail!("write KIND NAME or KIND/NAME, not both"),
    };
    // All of them is what one gets without -n, too: the flag is there for kubectl's habits.
    let namespace = get.namespace.filter(|_| !get.all_namespaces);
    let query = Query {
        kind,
        name,
        namespace,
        selector: get.selector,
        from: get.from,
    };
    let listing = listing(remote::Mesh(get.remote.admin), &query).await?;
    let Query { name, namespace, .. } = query;
    let for_people = matches!(get.output, None | Some(ListFormat::Wide));
    if listing.sections.is_empty() && for_people {
        match namespace {
            Some(namespace) => writeln!(io::stderr(), "No resources found in {namespace} namespace.")?,
            None => writeln!(io::stderr(), "No resources found")?,
        }
        return Ok(0);
    }
    print::listing(&listing, get.output, name.is_some(), out)?;
    Ok(0)
}

/// Objects, pods or tables of a running mesh.
pub(super) async fn listing(mesh: remote::Mesh, query: &Query) -> anyhow::Result<Listing> {
    let query = serde_urlencoded::to_string(query)?;
    Ok(mesh.get(&format!("/objects?{query}")).await?)
}

/// `explain`.
pub(crate) async fn explain(explain: Explain, out: &mut impl Write) -> anyhow::Result<u8> {
    let request = ExplainRequest {
        url: explain.url,
        method: explain.method,
        headers: explain.headers,
        from: explain.from,
    };
    let explained: Explained = remote::Mesh(explain.remote.admin)
        .post("/explain", &request)
        .await?;
    if explain.output.is_some() {
        writeln!(out, "{:#}", serde_json::to_value(&explained)?)?;
    } else {
        write!(out, "{}", explained.text)?;
    }
    Ok(0)
}

/// `status`.
pub(crate) async fn status(status: &Status, out: &mut impl Write) -> anyhow::Result<u8> {
    let state: State = remote::Mesh(status.remote.admin).get("/status").await?;
    if status.output.is_some() {
        writeln!(out, "{:#}", serde_json::to_value(&state)?)?;
    } else {
        print::status(&state, out)?;
    }
    Ok(if state.ready { 0 } else { NO })
}

/// `logs`.
pub(crate) async fn logs(logs: Logs, out: &mut impl Write) -> anyhow::Result<u8> {
    let query = serde_urlencoded::to_string(Query {
        name: Some(logs.pod),
        namespace: logs.namespace,
        ..Query::default()
    })?;
    let mesh = remote::Mesh(logs.remote.admin);
    let text = mesh.text(&format!("/logs?{query}")).await?;
    write!(out, "{text}")?;
    Ok(0)
}

/// `1 problem`, `2 problems`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
