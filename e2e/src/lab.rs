//! Where the programs and the manifests are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::process::Command;

/// What has to be built before anything here can run.
const PROGRAMS: [&str; 6] = [
    "local-mesh",
    "load-client",
    "auth-service-v1",
    "auth-service-v2",
    "payment-service-v1",
    "payment-service-v2",
];

/// The repository and its binaries.
#[derive(Clone, Debug)]
pub struct Lab {
    root: PathBuf,
    bin: PathBuf,
}

impl Lab {
    /// Looks beside the running program, or test: `target/release/deps/it-...` finds `target/release`.
    ///
    /// # Errors
    /// A program is missing: `cargo test` of one crate does not build the binaries of the others.
    pub fn find() -> Result<Self> {
        let program = std::env::current_exe().context("where this program runs from is not known")?;
        let bin = program
            .ancestors()
            .skip(1)
            .find(|folder| !folder.ends_with("deps"))
            .context("this program does not run from a target directory")?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("this crate has no parent folder")?;
        let missing: Vec<&str> = PROGRAMS
            .into_iter()
            .filter(|name| !bin.join(name).is_file())
            .collect();
        if !missing.is_empty() {
            let (missing, bin) = (missing.join(", "), bin.display());
            bail!("{bin} lacks {missing}: run `make build` first, or run the tests with `make test`");
        }
        Ok(Lab {
            root: root.to_owned(),
            bin: bin.to_owned(),
        })
    }

    /// The repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the binaries.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// One of the binaries, to be run in the repository, without the variables that say where a mesh is.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command
            .current_dir(&self.root)
            .env_remove("LOCAL_MESH_ADMIN")
            .env_remove("LOCAL_MESH_GATEWAY");
        command
    }

    /// What is deployed.
    pub fn base(&self) -> PathBuf {
        self.root.join("manifests/base")
    }

    /// The folder of all stages.
    pub fn stages(&self) -> PathBuf {
        self.root.join("manifests/stages")
    }

    /// The folder of one stage, such as `10-stable`.
    pub fn stage(&self, name: &str) -> PathBuf {
        self.stages().join(name)
    }

    /// The folder of one scenario, such as `retries`.
    pub fn scenario(&self, name: &str) -> PathBuf {
        self.root.join("manifests/scenarios").join(name)
    }

    /// A copy of a stage in which every `from` has become `to`.
    ///
    /// # Errors
    /// The stage cannot be read, or does not contain what is to be edited: the test would then show nothing.
    pub fn edited_stage(&self, name: &str, edits: &[(&str, &str)]) -> Result<TempDir> {
        let file = self.stage(name).join("virtual-services.yaml");
        let mut text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        for (from, to) in edits {
            ensure!(
                text.contains(from),
                "{} does not contain `{from}`",
                file.display()
            );
            text = text.replace(from, to);
        }
        folder_with("virtual-services.yaml", &text)
    }

    /// The objects of a stage, as texts that end with their line, in the order of its file.
    ///
    /// # Errors
    /// The stage cannot be read.
    pub fn objects_of_stage(&self, name: &str) -> Result<Vec<String>> {
        let file = self.stage(name).join("virtual-services.yaml");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let objects = text.trim_end().split("\n---\n");
        Ok(objects.map(|object| format!("{object}\n")).collect())
    }
}

/// A folder with one file, gone when it is dropped.
///
/// # Errors
/// Of the file system.
pub fn folder_with(file: &str, text: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join(file), text)?;
    Ok(folder)
}
