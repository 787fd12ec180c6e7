//! kubectl, for one cluster.

use anyhow::Result;
use serde_json::Value;
use tokio::process::Command;

use crate::run::run;

/// The context in use: never the current one, which may be somebody's real cluster.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    context: String,
}

impl Kubectl {
    /// For the kind cluster of this name.
    pub(crate) fn of(cluster: &str) -> Self {
        Kubectl {
            context: format!("kind-{cluster}"),
        }
    }

    /// `kind-NAME`.
    pub(crate) fn context(&self) -> &str {
        &self.context
    }

    /// A command with these words.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.args(["--context", &self.context]).args(words);
        command
    }

    /// What a command prints.
    ///
    /// # Errors
    /// It ends with another exit code than 0; the error has what it said.
    pub(crate) async fn text(&self, words: &[&str]) -> Result<String> {
        Ok(run(&mut self.command(words)).await?.expect(0)?.stdout)
    }

    /// The items of a list.
    ///
    /// # Errors
    /// It cannot be had.
    pub(crate) async fn list(&self, words: &[&str]) -> Result<Vec<Value>> {
        let listed = run(self.command(words).args(["-o", "json"]))
            .await?
            .expect(0)?
            .json()?;
        Ok(listed["items"].as_array().cloned().unwrap_or_default())
    }
}
