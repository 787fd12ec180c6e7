//! The command that puts a stage into force: `local-mesh apply -f` or `kubectl apply -f`, and the folder of the stage.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

/// The words of the command, without the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyCommand {
    program: String,
    arguments: Vec<String>,
}

/// The text is not a command.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCommand {
    /// An open quote.
    #[error("--apply `{0}`: {1}")]
    Quoting(String, shell_words::ParseError),
    /// No words.
    #[error("--apply is empty; give the command that applies a folder, such as 'local-mesh apply -f'")]
    Empty,
}

/// A stage was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No such program, say.
    #[error("cannot run `{command}`: {reason}; give the path of the program in --apply")]
    Start {
        /// With the folder.
        command: String,
        /// Of the system.
        reason: std::io::Error,
    },
    /// It ran and failed.
    #[error("`{command}` failed ({status}):\n{output}")]
    Failed {
        /// With the folder.
        command: String,
        /// Exit code or signal.
        status: std::process::ExitStatus,
        /// What it printed, both streams.
        output: String,
    },
}

impl ApplyCommand {
    /// Splits the text into words as a shell does; nothing is expanded.
    ///
    /// # Errors
    /// An open quote, or nothing but space.
    pub fn new(text: &str) -> Result<Self, InvalidCommand> {
        let words =
            shell_words::split(text).map_err(|error| InvalidCommand::Quoting(text.to_owned(), error))?;
        let mut words = words.into_iter();
        Ok(ApplyCommand {
            program: words.next().ok_or(InvalidCommand::Empty)?,
            arguments: words.collect(),
        })
    }

    /// Runs the command on a folder and waits for its end. It is killed if the returned future is dropped.
    ///
    /// # Errors
    /// It could not be started, or did not exit with 0.
    pub async fn run(&self, folder: &Path) -> Result<(), ApplyError> {
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = child.await.map_err(|reason| ApplyError::Start {
            command: self.shown(folder),
            reason,
        })?;
        if output.status.success() {
            return Ok(());
        }
        Err(ApplyError::Failed {
            command: self.shown(folder),
            status: output.status,
            output: both_streams(&output),
        })
    }

    fn shown(&self, folder: &Path) -> String {
        let folder = folder.to_string_lossy();
        let words = [self.program.as_str()].into_iter();
        shell_words::join(
            words
                .chain(self.arguments.iter().map(String::as_str))
                .chain([&*folder]),
        )
    }
}

fn both_streams(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    let text: String = streams.map(|stream| String::from_utf8_lossy(stream)).concat();
    text.trim_end().to_owned()
}
