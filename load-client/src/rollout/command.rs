//! Commands that are given as one flag: `--apply 'kubectl apply -f'`.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::process::Command;

/// The words of a command, to which further arguments are appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    program: String,
    arguments: Vec<String>,
}

/// The text is not a command.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCommand {
    /// An open quote.
    #[error("`{0}`: {1}")]
    Quoting(String, shell_words::ParseError),
    /// No words.
    #[error("it is empty; give a command, such as 'local-mesh apply -f'")]
    Empty,
}

impl CommandLine {
    /// Splits the text into words as a shell does; nothing is expanded.
    ///
    /// # Errors
    /// An open quote, or nothing but space.
    pub fn new(text: &str) -> Result<Self, InvalidCommand> {
        let words =
            shell_words::split(text).map_err(|error| InvalidCommand::Quoting(text.to_owned(), error))?;
        let mut words = words.into_iter();
        Ok(CommandLine {
            program: words.next().ok_or(InvalidCommand::Empty)?,
            arguments: words.collect(),
        })
    }

    /// The command with these arguments after its own, without standard input.
    pub(super) fn with<S: AsRef<OsStr>>(&self, more: &[S]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(more).stdin(Stdio::null());
        command
    }

    /// The same as text that a shell takes.
    pub(super) fn shown<S: AsRef<OsStr>>(&self, more: &[S]) -> String {
        let own = [&self.program].into_iter().chain(&self.arguments);
        let more = more
            .iter()
            .map(|word| word.as_ref().to_string_lossy().into_owned());
        shell_words::join(own.cloned().chain(more))
    }
}
