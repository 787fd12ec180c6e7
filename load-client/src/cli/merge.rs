//! `load-client merge`.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use load_client::run::RunReport;
use load_client::run::merge::{Source, merge, read};

use super::Output;
use super::run::{exit_code, print};

const EXAMPLES: &str = "\
Examples:
  load-client merge a.json b.json c.json
  kubectl logs -l job-name=load-client-run -c load-client --tail=-1 --max-log-requests=20 | load-client merge -

Exit codes: those of `load-client run`; 2 if the results do not belong together";

/// Add up what the clients of a run counted, and judge the sum
///
/// The verdict is the one that a single client would give that had seen all answers: it rests on counts, and so do
/// percentiles. Results of different runs, one twice, and a sum without one are refused.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct MergeArgs {
    /// Results of `load-client run --shard ... -o json`, one or more in each; `-` is stdin. Lines around them, as in logs,
    /// are passed over
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub(super) fn execute(args: &MergeArgs) -> anyhow::Result<u8> {
    let mut sources: Vec<Source> = Vec::new();
    for file in &args.files {
        let (name, text) = if file.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("stdin")?;
            ("stdin".to_owned(), text)
        } else {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{name}`"))?;
            (name, text)
        };
        sources.extend(read(&name, &text)?);
    }
    let report = RunReport::merged(merge(sources)?)?;
    print(&report, args.output)?;
    Ok(exit_code(&report))
}
