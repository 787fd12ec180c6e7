//! The case files.

use std::io;
use std::path::{Path, PathBuf};

use crate::case::Case;

/// A case and where it is.
#[derive(Clone, Debug)]
pub struct Found {
    /// `topic/case`.
    pub id: String,
    /// Its content.
    pub case: Case,
}

/// Why the cases cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Its content.
    #[error("{}: {message}", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A wish that nothing fulfils.
    #[error("`{0}` is neither a topic, a case, a file nor a folder; topics are the folders of {folder}", folder = .1.display())]
    Unknown(String, PathBuf),
}

/// The folder of the cases that are part of the project.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// All cases of a folder, in order of their names.
pub fn all(folder: &Path) -> Result<Vec<Found>, CorpusError> {
    files(folder)?.iter().map(|path| read(path)).collect()
}

/// The cases that are wished for: a topic, `topic/case`, the name of a case, a file or a folder. None: all.
pub fn wished(folder: &Path, wishes: &[String]) -> Result<Vec<Found>, CorpusError> {
    if wishes.is_empty() {
        return all(folder);
    }
    let known = files(folder)?;
    let mut chosen = Vec::new();
    for wish in wishes {
        let matching = |path: &&PathBuf| {
            let (topic, case) = names(path);
            *wish == topic || *wish == case || *wish == format!("{topic}/{case}")
        };
        let mut found: Vec<PathBuf> = known.iter().filter(matching).cloned().collect();
        if found.is_empty() {
            let path = Path::new(wish);
            found = match path.exists() {
                true => files(path)?,
                false => return Err(CorpusError::Unknown(wish.clone(), folder.to_owned())),
            };
        }
        chosen.extend(found);
    }
    chosen.sort();
    chosen.dedup();
    chosen.iter().map(|path| read(path)).collect()
}

/// The YAML files at or below a path, sorted.
fn files(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let failed = |source| CorpusError::Io {
        path: path.to_owned(),
        source,
    };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Found, CorpusError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| CorpusError::Io {
        path: path.to_owned(),
        source,
    })?;
    let failed = |message: String| CorpusError::Parse {
        path: path.to_owned(),
        message,
    };
    let case = Case::parse(&text).map_err(|error| failed(error.to_string()))?;
    let (topic, name) = names(path);
    if case.name != name {
        return Err(failed(format!(
            "case: `{}` is not the name of the file",
            case.name
        )));
    }
    Ok(Found {
        id: format!("{topic}/{name}"),
        case,
    })
}

/// Topic and case.
fn names(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    (
        text(path.parent().and_then(Path::file_name)),
        text(path.file_stem()),
    )
}
