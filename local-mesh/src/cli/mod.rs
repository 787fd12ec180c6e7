//! The command line: what each verb does, what it prints, and how it exits.

mod args;
mod check;
mod command;
mod delete;
mod files;
mod plan;
mod port_forward;
mod print;
mod remote;
mod startup;
mod test;
mod up;
mod verbs;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::guard;
use args::{Cli, Verb};
use remote::RemoteError;

/// The exit code of "no" and "not found".
const NO: u8 = 1;
/// The exit code of "bad input" and "could not".
const COULD_NOT: u8 = 2;

/// Does what the command line asks for; 0 yes, 1 no or not found, 2 bad input or could not.
#[must_use]
pub fn run() -> ExitCode {
    let result = match Cli::parse().verb {
        // Guards have no runtime: they are there to be reliable.
        Verb::Guard { lifeline, command } => {
            split(&command).and_then(|(program, arguments)| Ok(guard::watch(&lifeline, program, arguments)?))
        }
        Verb::Guarded { guard, command } => {
            split(&command).map(|(program, arguments)| guard::execute(guard, program, arguments))
        }
        verb => on_a_runtime(verb),
    };
    ExitCode::from(result.unwrap_or_else(|error| fail(&error)))
}

fn split(command: &[OsString]) -> anyhow::Result<(&OsString, &[OsString])> {
    command.split_first().ok_or_else(|| anyhow::anyhow!("no program"))
}

/// One thread is enough: the data plane has its own.
fn on_a_runtime(verb: Verb) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut out = io::stdout();
    let code = runtime.block_on(async {
        match verb {
            Verb::Up(up) => up::up(up).await,
            Verb::Check(check) => check::run(check, &mut out),
            Verb::Test(test) => test::run(&test, &mut out),
            Verb::Plan(plan) => plan::run(plan, &mut out).await,
            Verb::Apply(apply) => verbs::apply(apply, &mut out).await,
            Verb::Delete(delete) => delete::delete(delete, &mut out).await,
            Verb::Get(get) => verbs::get(get, &mut out).await,
            Verb::Explain(explain) => verbs::explain(explain, &mut out).await,
            Verb::Status(status) => verbs::status(&status, &mut out).await,
            Verb::PortForward(args) => port_forward::port_forward(args, &mut out).await,
            Verb::Logs(logs) => verbs::logs(logs, &mut out).await,
            Verb::Guard { .. } | Verb::Guarded { .. } => Ok(COULD_NOT),
        }
    });
    // Not to wait for blocking reads that nobody needs any more.
    runtime.shutdown_background();
    code
}

fn fail(error: &anyhow::Error) -> u8 {
    // `local-mesh get all | head` is not a failure.
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if error.downcast_ref().is_some_and(closed) {
        return 0;
    }
    let text = format!("{error:#}");
    // kubectl's own words, and problems with their places, need no heading.
    let heading = if text.starts_with("Error") || text.starts_with("error") {
        ""
    } else {
        "error: "
    };
    let _ = writeln!(io::stderr(), "{heading}{text}");
    match error.downcast_ref() {
        Some(RemoteError::NotFound(_)) => NO,
        _ => COULD_NOT,
    }
}
