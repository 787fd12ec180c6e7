//! Reads manifest files: the only I/O of an expectation.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mesh_config::{Mesh, Problems, Source, parse};

/// Manifests that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Missing, or not readable.
    #[error("cannot read `{}`: {reason}", .path.display())]
    Read {
        /// As given, or inside a folder that was given.
        path: PathBuf,
        /// The system's word.
        reason: io::Error,
    },
    /// A folder without manifests is a mistake more often than an intention.
    #[error("`{}` has no .yaml, .yml or .json file; folders are not searched recursively", .0.display())]
    Empty(PathBuf),
    /// All of them, each with file, line and caret.
    #[error("{0}")]
    Problems(Problems),
}

/// `mesh` with the objects of these files, and of the manifest files directly in these folders, as `kubectl apply -f`
/// takes them. `now` (Unix seconds) is the age of objects that are new.
///
/// # Errors
/// A path cannot be read, or every problem of every file.
pub fn load_manifests(mesh: &Mesh, paths: &[PathBuf], now: i64) -> Result<Mesh, LoadError> {
    let mut sources = Vec::new();
    for path in paths {
        for file in files(path)? {
            let text = fs::read_to_string(&file).map_err(read_error(&file))?;
            sources.push(Source {
                name: file.display().to_string(),
                text,
            });
        }
    }
    let objects = parse(&sources).map_err(LoadError::Problems)?;
    let (mesh, _) = mesh.apply(objects, now).map_err(LoadError::Problems)?;
    Ok(mesh)
}

fn read_error(path: &Path) -> impl FnOnce(io::Error) -> LoadError {
    let path = path.to_owned();
    move |reason| LoadError::Read { path, reason }
}

/// The file itself, or the manifests of the folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !fs::metadata(path).map_err(read_error(path))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(read_error(path))?;
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(read_error(path))?;
    let mut files: Vec<PathBuf> = entries
        .iter()
        .map(fs::DirEntry::path)
        .filter(|path| is_manifest(path))
        .collect();
    if files.is_empty() {
        return Err(LoadError::Empty(path.to_owned()));
    }
    files.sort();
    Ok(files)
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    path.is_file() && matches!(extension, Some("yaml" | "yml" | "json"))
}
