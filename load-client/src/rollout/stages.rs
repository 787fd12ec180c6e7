//! The stages of a rollout: the sub-folders of a folder, in the order of their names.

use std::io;
use std::path::{Path, PathBuf};

/// One state of the VirtualServices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Name of the folder, such as `30-canary-10`.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
}

/// There is nothing to walk.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStages {
    /// The folder cannot be read.
    #[error("--stages: cannot read `{path}`: {reason}")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Of the system.
        reason: io::Error,
    },
    /// A folder without folders.
    #[error(
        "--stages: `{path}` has no sub-folders; each stage is a folder of manifests, such as {path}/10-stable"
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// No such stage.
    #[error("--only: `{path}` has no stage `{name}`; it has {known}")]
    Unknown {
        /// The folder.
        path: PathBuf,
        /// As asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// Reads the stages below `path`; with `only`, that one.
///
/// # Errors
/// No such folder, nothing in it, or not the one asked for.
pub fn stages(path: &Path, only: Option<&str>) -> Result<Vec<Stage>, InvalidStages> {
    let mut stages = sub_folders(path).map_err(|reason| InvalidStages::Unreadable {
        path: path.to_owned(),
        reason,
    })?;
    if stages.is_empty() {
        return Err(InvalidStages::Empty {
            path: path.to_owned(),
        });
    }
    if let Some(name) = only {
        let known: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        stages.retain(|stage| stage.name == name);
        if stages.is_empty() {
            return Err(InvalidStages::Unknown {
                path: path.to_owned(),
                name: name.to_owned(),
                known: known.join(", "),
            });
        }
    }
    Ok(stages)
}

fn sub_folders(path: &Path) -> io::Result<Vec<Stage>> {
    let mut stages = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if path.is_dir() && !name.starts_with('.') {
            stages.push(Stage { name, path });
        }
    }
    stages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(stages)
}
