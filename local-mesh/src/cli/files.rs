//! `-f`: from paths to texts.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mesh_config::Source;

use super::args::FileArgs;
use crate::admin::wire::Manifest;

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadFile {
    #[error("{0}: there is no such file or folder")]
    Missing(PathBuf),
    #[error("{0}: no *.yaml, *.yml or *.json in this folder{1}")]
    Empty(PathBuf, &'static str),
    #[error("{0}: {1}")]
    Unreadable(PathBuf, io::Error),
    #[error("standard input (-) can be read once only")]
    Twice,
}

/// All of them.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub(crate) struct BadFiles(pub(crate) Vec<BadFile>);

/// Reads everything that was named, for a running mesh.
///
/// # Errors
/// As [`read`].
pub(crate) fn to_send(files: &FileArgs, stdin: impl Read) -> Result<Vec<Manifest>, BadFiles> {
    let sources = read(files, stdin)?.into_iter();
    Ok(sources
        .map(|Source { name, text }| Manifest { name, text })
        .collect())
}

/// Reads everything that was named, in that order; files of a folder in the order of their names, as kubectl does.
///
/// # Errors
/// Everything that cannot be read.
pub(crate) fn read(files: &FileArgs, mut stdin: impl Read) -> Result<Vec<Source>, BadFiles> {
    let mut sources = Vec::new();
    let mut bad = Vec::new();
    let mut used = false;
    for path in &files.paths {
        if path.as_os_str() == "-" {
            if std::mem::replace(&mut used, true) {
                bad.push(BadFile::Twice);
                continue;
            }
            let mut bytes = Vec::new();
            match stdin.read_to_end(&mut bytes) {
                Ok(_) => sources.push(Source::from_bytes("-", bytes)),
                Err(error) => bad.push(BadFile::Unreadable(path.clone(), error)),
            }
            continue;
        }
        match manifests(path, files.recursive) {
            Ok(found) => {
                for path in found {
                    match fs::read(&path) {
                        Ok(bytes) => sources.push(Source::from_bytes(&path.to_string_lossy(), bytes)),
                        Err(error) => bad.push(BadFile::Unreadable(path, error)),
                    }
                }
            }
            Err(error) => bad.push(error),
        }
    }
    if bad.is_empty() {
        Ok(sources)
    } else {
        Err(BadFiles(bad))
    }
}

fn manifests(path: &Path, recursive: bool) -> Result<Vec<PathBuf>, BadFile> {
    if !path.exists() {
        return Err(BadFile::Missing(path.to_owned()));
    }
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let skipped =
        collect(path, recursive, &mut found).map_err(|error| BadFile::Unreadable(path.to_owned(), error))?;
    if found.is_empty() {
        let advice = if skipped {
            "; it has folders: add -R to look into them"
        } else {
            ""
        };
        return Err(BadFile::Empty(path.to_owned(), advice));
    }
    Ok(found)
}

/// True if there were folders that were not looked into.
fn collect(folder: &Path, recursive: bool, found: &mut Vec<PathBuf>) -> io::Result<bool> {
    let entries: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let mut entries = entries?;
    entries.sort();
    let mut skipped = false;
    for path in entries {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            // Like kubectl, which does not follow links to folders: they may lead back here.
            if recursive && !path.is_symlink() {
                collect(&path, true, found)?;
            }
            skipped |= !recursive;
        } else if matches!(extension, Some("yaml" | "yml" | "json")) {
            found.push(path);
        }
    }
    Ok(skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&Path], recursive: bool, stdin: &str) -> Result<Vec<String>, String> {
        let files = FileArgs {
            paths: paths.iter().map(|path| path.to_path_buf()).collect(),
            recursive,
        };
        let sources = read(&files, stdin.as_bytes()).map_err(|error| error.to_string())?;
        Ok(sources
            .into_iter()
            .map(|source| {
                let path = PathBuf::from(&source.name);
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                format!("{}={}", name.unwrap_or_default(), source.text)
            })
            .collect())
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for (name, text) in [
            ("b.yaml", "2"),
            ("a.yml", "1"),
            ("c.json", "3"),
            ("README.md", "x"),
            ("sub/d.yaml", "4"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_gives_its_manifests_in_order_and_without_its_folders() {
        let folder = folder();
        let flat = names(&[folder.path()], false, "").unwrap();
        assert_eq!(flat, ["a.yml=1", "b.yaml=2", "c.json=3"]);
        let deep = names(&[folder.path()], true, "").unwrap();
        assert_eq!(deep, ["a.yml=1", "b.yaml=2", "c.json=3", "d.yaml=4"]);
    }

    #[test]
    fn a_dash_is_standard_input_and_a_file_may_have_any_name() {
        let folder = folder();
        let file = folder.path().join("README.md");
        let read = names(&[Path::new("-"), &file], false, "in").unwrap();
        assert_eq!(read, ["-=in", "README.md=x"]);
        assert!(
            names(&[Path::new("-"), Path::new("-")], false, "")
                .unwrap_err()
                .contains("once")
        );
    }

    #[test]
    fn links_to_folders_are_not_followed() {
        let folder = folder();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/back")).unwrap();
        assert_eq!(names(&[folder.path()], true, "").unwrap().len(), 4);
    }

    #[test]
    fn a_file_that_is_no_text_is_read_and_left_to_be_refused() {
        let folder = folder();
        fs::write(folder.path().join("a.yml"), b"a: \xff\xfe\n").unwrap();
        assert_eq!(names(&[folder.path()], false, "").unwrap()[0], "a.yml=a: \0\0\n");
    }

    #[test]
    fn everything_that_cannot_be_read_is_named() {
        let folder = folder();
        fs::remove_file(folder.path().join("sub/d.yaml")).unwrap();
        let (missing, empty) = (folder.path().join("none"), folder.path().join("sub"));
        let error = names(&[&missing, &empty], false, "").unwrap_err();
        assert_eq!(error.lines().count(), 2, "{error}");
        assert!(
            error.contains("no such file") && error.contains("no *.yaml"),
            "{error}"
        );
        fs::create_dir(empty.join("deeper")).unwrap();
        assert!(names(&[&empty], false, "").unwrap_err().contains("-R"));
    }
}
