//! The stages beside the one that is judged: what may be in force instead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mesh_config::{Mesh, ObjectKey};

use super::manifests::load_manifests;

/// The folders beside the last one of `paths` that state the same objects, with the mesh as it is when one of them is in
/// force instead; in the order of their names.
///
/// A folder that cannot be read or holds other objects is no stage, and nobody asked for it: it is left out.
pub fn siblings(paths: &[PathBuf], mesh: &Mesh, now: i64) -> Vec<(String, Mesh)> {
    let Some((own, folder)) = paths
        .last()
        .and_then(|path| Some((path.canonicalize().ok()?, path)))
    else {
        return Vec::new();
    };
    let Some(keys) = keys(folder, now).filter(|_| own.is_dir()) else {
        return Vec::new();
    };
    let entries = own.parent().and_then(|parent| fs::read_dir(parent).ok());
    let mut folders: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    let stages = folders.into_iter().filter(|path| path.is_dir() && *path != own);
    let stages = stages.filter(|path| self::keys(path, now).as_ref() == Some(&keys));
    let stage = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, load_manifests(mesh, std::slice::from_ref(&path), now).ok()?))
    };
    stages.filter_map(stage).collect()
}

/// The objects of a folder.
fn keys(folder: &Path, now: i64) -> Option<BTreeSet<ObjectKey>> {
    let alone = load_manifests(&Mesh::default(), &[folder.to_owned()], now).ok()?;
    Some(alone.objects().map(mesh_config::Object::key).collect())
}
