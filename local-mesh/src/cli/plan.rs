//! `plan`: from one mesh to another without errors.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use mesh_config::plan::{Phase, Plan as Phases, Step, plan};
use mesh_config::{Mesh, Source, parse};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::args::{FileArgs, Remote};
use super::verbs::{listing, report};
use super::{NO, files, remote};
use crate::admin::wire::{Changes, Manifest, Manifests, Query, Status};

/// The word for the running mesh.
const MESH: &str = "mesh";

/// Between two looks at whether pods are ready.
const PAUSE: Duration = Duration::from_millis(50);

/// Plan a change: in which order to apply it so that no request fails
///
/// Phases, each of which can be applied as a whole: what routes will need comes before them, and what they needed goes after
/// them. Each state on the way is compiled and looked at; what cannot be done without errors is refused, with a way out.
/// What changes for whom is told with exact shares.
///
/// Exits with 0 if there is a plan (or nothing to do), 1 if it is refused, 2 if manifests are not right.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  local-mesh plan -f new --from old
  local-mesh plan -f new --from old --out phases   # then kubectl apply -f phases/01-workloads.yaml, ...
  local-mesh plan -f manifests/base manifests/stages/50-promoted --from mesh --apply")]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// What is there now: files or folders, or `mesh` for the running local-mesh
    #[arg(long, value_name = "PATH|mesh", required = true, num_args = 1..)]
    pub(crate) from: Vec<PathBuf>,
    /// For programs; yaml has the objects of all phases, in order
    #[arg(short, long)]
    pub(crate) output: Option<PlanFormat>,
    /// Write a file per phase into this folder, numbered; those that end with `-delete.yaml` are for kubectl delete
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Do it, on the running local-mesh: one phase after the other, each when the pods of the one before are ready
    #[arg(long)]
    pub(crate) apply: bool,
    /// With --apply: how long pods may take to get ready
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = super::args::seconds)]
    pub(crate) ready_timeout: Duration,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    Json,
    Yaml,
}

/// Plans, prints, writes and applies.
pub(crate) async fn run(args: Plan, out: &mut impl Write) -> anyhow::Result<u8> {
    let running = args.from == [Path::new(MESH)];
    if args.apply && !running {
        bail!("--apply changes the running mesh: say --from mesh");
    }
    let mesh = remote::Mesh(args.remote.admin);
    let old = if running {
        in_force(mesh).await?
    } else {
        let (paths, recursive) = (args.from.clone(), args.files.recursive);
        files::read(&FileArgs { paths, recursive }, io::stdin())?
    };
    let new = read(&files::read(&args.files, io::stdin())?)?;
    let phases = plan(&read(&old)?, &new);
    match args.output {
        Some(PlanFormat::Json) => writeln!(out, "{:#}", phases.to_json())?,
        Some(PlanFormat::Yaml) => write!(out, "{}", whole(&phases)?)?,
        None => write!(out, "{phases}")?,
    }
    if !phases.is_possible() {
        return Ok(NO);
    }
    if let Some(folder) = &args.out {
        write_files(&phases, folder)?;
    }
    if args.apply {
        for phase in &phases.phases {
            enact(phase, mesh, args.ready_timeout, out).await?;
        }
    }
    Ok(0)
}

fn read(sources: &[Source]) -> anyhow::Result<Mesh> {
    Ok(Mesh::new().apply(parse(sources)?, 0)?.0)
}

/// The objects of the running mesh; their places are what they are called there.
async fn in_force(mesh: remote::Mesh) -> anyhow::Result<Vec<Source>> {
    let query = Query {
        kind: "ns,sa,svc,deploy,we,se,sidecar,gw,vs,dr".to_owned(),
        ..Query::default()
    };
    let sections = listing(mesh, &query).await?.sections.into_iter();
    let items = sections.flat_map(|section| section.items);
    let source = |item: Value| Source {
        name: format!(
            "{MESH}, {} {}",
            item["kind"].as_str().unwrap_or_default(),
            item["metadata"]["name"].as_str().unwrap_or_default()
        ),
        text: item.to_string(),
    };
    Ok(items.map(source).collect())
}

/// What of a phase is applied, and what is deleted, as documents.
fn documents(phase: &Phase) -> anyhow::Result<(String, String)> {
    let (mut applied, mut deleted) = (String::new(), String::new());
    for step in &phase.steps {
        let (into, value) = match &step.manifest {
            Some(manifest) => (&mut applied, manifest.clone()),
            None => (&mut deleted, named(step)),
        };
        into.push_str("---\n");
        if let Some(note) = &step.note {
            into.push_str(&format!("# {note}\n"));
        }
        into.push_str(&serde_saphyr::to_string(&value)?);
    }
    Ok((applied, deleted))
}

/// Enough of an object to delete it.
fn named(step: &Step) -> Value {
    let mut metadata = json!({"name": step.object.name});
    if !step.object.namespace.is_empty() {
        metadata["namespace"] = step.object.namespace.clone().into();
    }
    json!({"apiVersion": step.api_version, "kind": step.object.kind, "metadata": metadata})
}

/// One document after the other, with comments that say where a phase begins.
fn whole(plan: &Phases) -> anyhow::Result<String> {
    let mut text = String::new();
    for (number, phase) in plan.phases.iter().enumerate() {
        let (applied, deleted) = documents(phase)?;
        let number = number + 1;
        if !applied.is_empty() {
            text.push_str(&format!("# phase {number}, to apply: {}\n{applied}", phase.stage));
        }
        if !deleted.is_empty() {
            text.push_str(&format!(
                "# phase {number}, to delete: {}\n{deleted}",
                phase.stage
            ));
        }
    }
    Ok(text)
}

fn write_files(plan: &Phases, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for (number, phase) in plan.phases.iter().enumerate() {
        let (applied, deleted) = documents(phase)?;
        let name = format!("{:02}-{}", number + 1, phase.stage.word());
        for (text, name) in [
            (applied, format!("{name}.yaml")),
            (deleted, format!("{name}-delete.yaml")),
        ] {
            let path = folder.join(name);
            if !text.is_empty() {
                fs::write(&path, text).with_context(|| path.display().to_string())?;
            }
        }
    }
    Ok(())
}

/// Does a phase, and waits until all pods are ready.
async fn enact(
    phase: &Phase,
    mesh: remote::Mesh,
    patience: Duration,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (applied, deleted) = documents(phase)?;
    for (path, text) in [("/apply", applied), ("/delete", deleted)] {
        if text.is_empty() {
            continue;
        }
        let name = format!("phase {}", phase.stage.word());
        let sources = vec![Manifest { name, text }];
        let changes: Changes = mesh.post(path, &Manifests { sources }).await?;
        report(&changes, out)?;
    }
    let ready = async {
        loop {
            let status: Status = mesh.get("/status").await?;
            if status.ready {
                return Ok::<_, anyhow::Error>(());
            }
            sleep(PAUSE).await;
        }
    };
    let in_time = timeout(patience, ready).await;
    in_time
        .with_context(|| format!("pods are not ready after {patience:?}; `local-mesh status` says which"))?
}
