//! Which program on this machine a container stands for.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mesh_config::Container;

/// A program with those arguments that the manifest gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// References `$(NAME)` not yet replaced.
    pub(crate) arguments: Vec<String>,
}

/// There is no such program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum NoProgram {
    #[error(
        "no program {path} for the image `{image}`: build it (`make build`), or name its folder with --bin-dir"
    )]
    Image { image: String, path: PathBuf },
    #[error("the command `{command}` is neither in {folder} (--bin-dir) nor in PATH")]
    Name { command: String, folder: PathBuf },
    #[error(
        "the command `{command}` is not an executable file here; a name without `/` is looked up in --bin-dir and PATH"
    )]
    Path { command: String },
}

/// Looks for programs, as a container runtime looks into images.
#[derive(Clone, Debug)]
pub(crate) struct ProgramFinder {
    /// `--bin-dir`.
    pub(crate) folder: PathBuf,
    /// The variable `PATH`.
    pub(crate) path: OsString,
}

impl ProgramFinder {
    /// `command` and `args` replace entry point and arguments of the image, as in Kubernetes; without `command` the
    /// image `registry/auth-service:v1` is `<folder>/auth-service-v1`, and without a tag `<folder>/auth-service`.
    pub(crate) fn find(&self, container: &Container) -> Result<Program, NoProgram> {
        let (path, own) = match container.command.split_first() {
            None => (self.of_image(&container.image)?, &[][..]),
            Some((command, rest)) => (self.of_command(command)?, rest),
        };
        Ok(Program {
            path,
            arguments: own.iter().chain(&container.args).cloned().collect(),
        })
    }

    fn of_image(&self, image: &str) -> Result<PathBuf, NoProgram> {
        let path = self.folder.join(binary_name(image));
        if is_program(&path) {
            return Ok(path);
        }
        let image = image.to_owned();
        Err(NoProgram::Image { image, path })
    }

    fn of_command(&self, command: &str) -> Result<PathBuf, NoProgram> {
        if command.contains('/') {
            let path = PathBuf::from(command);
            return if is_program(&path) {
                Ok(path)
            } else {
                Err(NoProgram::Path {
                    command: command.to_owned(),
                })
            };
        }
        let folders = std::iter::once(self.folder.clone()).chain(std::env::split_paths(&self.path));
        folders
            .map(|folder| folder.join(command))
            .find(|path| is_program(path))
            .ok_or_else(|| NoProgram::Name {
                command: command.to_owned(),
                folder: self.folder.clone(),
            })
    }
}

/// `istio-traffic-lab/auth-service:v1` is `auth-service-v1`.
fn binary_name(image: &str) -> String {
    let without_digest = image.split('@').next().unwrap_or_default();
    let last = without_digest.rsplit('/').next().unwrap_or_default();
    last.replacen(':', "-", 1)
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_names_a_binary() {
        for (image, name) in [
            ("istio-traffic-lab/auth-service:v1", "auth-service-v1"),
            ("localhost:5000/lab/auth-service:v1", "auth-service-v1"),
            ("auth-service", "auth-service"),
            ("ghcr.io/a/b:1.2@sha256:abc", "b-1.2"),
        ] {
            assert_eq!(binary_name(image), name, "{image}");
        }
    }

    #[test]
    fn a_command_is_found_in_the_folder_first_then_in_path() {
        let finder = ProgramFinder {
            folder: "/nowhere".into(),
            path: "/usr/bin:/bin".into(),
        };
        let container = |command: &[&str]| Container {
            command: command.iter().map(ToString::to_string).collect(),
            args: vec!["x".to_owned()],
            image: "a/b:v1".to_owned(),
            ..Container::default()
        };
        let found = finder.find(&container(&["sh", "-c"])).unwrap();
        assert!(found.path.ends_with("sh") && found.arguments == ["-c", "x"]);
        let missing = finder.find(&container(&[])).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/b-v1") && missing.contains("--bin-dir"));
        assert!(finder.find(&container(&["no-such-program-anywhere"])).is_err());
        assert!(finder.find(&container(&["/no/such/file"])).is_err());
    }
}
