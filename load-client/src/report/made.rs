//! Who made a report, when, and how to make it again.

use serde::{Deserialize, Serialize};

/// Written in place of what is not for everybody's eyes.
pub(super) const HIDDEN: &str = "HIDDEN";
/// Words in the name of a header whose value is not for everybody's eyes.
const SECRET: [&str; 8] = [
    "auth",
    "cookie",
    "token",
    "secret",
    "password",
    "api-key",
    "session",
    "credential",
];

/// The origin of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// `load-client 0.1.0`.
    pub by: String,
    /// When the load began: RFC 3339, UTC.
    pub began: String,
    /// From then until the report, in seconds.
    pub seconds: f64,
    /// The command line, as a shell takes it. Header values and tokens that are secret are not in it, nor is where the
    /// report was written to.
    pub command: String,
}

impl Made {
    /// By a program called with these arguments (its own name first) at this time.
    pub fn new(arguments: &[String], began: String, seconds: f64) -> Self {
        Self {
            by: format!("load-client {}", env!("CARGO_PKG_VERSION")),
            began,
            seconds,
            command: command(arguments),
        }
    }

    /// The same for one stage of a rollout.
    pub(super) fn command_for(&self, stage: &str) -> String {
        if self.command.contains(" --only") {
            return self.command.clone();
        }
        format!("{} --only {}", self.command, shell_words::quote(stage))
    }
}

/// A command in lines of one flag each, as a shell takes it: for people, who read more than one line.
pub(super) fn in_lines(command: &str) -> String {
    let Ok(words) = shell_words::split(command) else {
        return command.to_owned();
    };
    let mut lines: Vec<Vec<String>> = vec![Vec::new()];
    for word in words {
        match lines.last_mut() {
            Some(line) if !word.starts_with('-') => line.push(word),
            _ => lines.push(vec![word]),
        }
    }
    let lines: Vec<String> = lines.into_iter().map(shell_words::join).collect();
    lines.join(" \\\n    ")
}

/// Without where the report goes, and with secrets hidden.
fn command(arguments: &[String]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (flag, attached) = split(argument);
        let takes_value = matches!(
            flag,
            "-o" | "--output" | "--report" | "-H" | "--header" | "--token-body"
        );
        if !takes_value {
            words.push(argument.clone());
            continue;
        }
        let value = attached.or_else(|| rest.next().map(String::as_str));
        match (flag, value) {
            ("-H" | "--header", Some(value)) => words.extend(["-H".to_owned(), header(value)]),
            ("--token-body", Some(_)) => words.extend([flag.to_owned(), HIDDEN.to_owned()]),
            _ => {}
        }
    }
    shell_words::join(words)
}

/// `--flag=value`, `-Hvalue`: the flag and the value that is attached to it.
fn split(argument: &str) -> (&str, Option<&str>) {
    match argument.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
        _ if argument.starts_with("-H") || argument.starts_with("-o") => {
            let (flag, value) = argument.split_at(2);
            let value = value.strip_prefix('=').unwrap_or(value);
            (flag, Some(value).filter(|value| !value.is_empty()))
        }
        _ => (argument, None),
    }
}

/// A placeholder is made up for each request and no secret.
fn header(text: &str) -> String {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let lower = name.to_ascii_lowercase();
    if SECRET.iter().any(|word| lower.contains(word)) && value.trim() != "{uuid}" {
        return format!("{name}: {HIDDEN}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(words: &[&str]) -> Made {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Made::new(&words, String::new(), 0.0)
    }

    #[test]
    fn the_command_is_for_a_shell_and_does_not_say_where_the_report_goes() {
        let words = [
            "load-client",
            "rollout",
            "--apply",
            "kubectl apply -f",
            "-o",
            "json",
        ];
        let more = [
            "--output=html",
            "-omarkdown",
            "--report",
            "a.html",
            "--report=b.md",
        ];
        let made = made(&[&words[..], &more].concat());
        assert_eq!(made.command, "load-client rollout --apply 'kubectl apply -f'");
        assert_eq!(
            made.command_for("30-canary 10"),
            "load-client rollout --apply 'kubectl apply -f' --only '30-canary 10'"
        );
    }

    #[test]
    fn a_command_in_lines_is_the_same_command() {
        let command = "load-client rollout --apply 'kubectl apply -f' --manifests a b --return-to-first";
        let lines = in_lines(command);
        assert_eq!(
            lines,
            "load-client rollout \\\n    --apply 'kubectl apply -f' \\\n    --manifests a b \\\n    --return-to-first"
        );
        let joined = lines.replace("\\\n", "");
        assert_eq!(shell_words::split(&joined), shell_words::split(command));
    }

    #[test]
    fn secrets_are_not_in_the_command() {
        let secrets = ["-H", "authorization: Bearer s3cret", "--header=Cookie: id=s3cret"];
        let more = [
            "-HX-Api-Key:s3cret",
            "--token-body",
            "s3cret",
            "--token-body={\"s3cret\":1}",
        ];
        let shown = ["-H", "idempotency-key: {uuid}", "-H", "x-session: {uuid}"];
        let command = made(&[&["load-client"], &secrets[..], &more, &shown].concat()).command;
        assert!(!command.contains("s3cret"), "{command}");
        assert_eq!(command.matches("HIDDEN").count(), 5, "{command}");
        assert!(
            command.ends_with("-H 'idempotency-key: {uuid}' -H 'x-session: {uuid}'"),
            "{command}"
        );
    }
}
