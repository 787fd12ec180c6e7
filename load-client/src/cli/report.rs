//! `load-client report`.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use load_client::report::SavedReport;

use super::DONE;
use super::output::{Form, write};

const EXAMPLES: &str = "\
Examples:
  load-client report result.json
  load-client report result.json -o html > result.html
  load-client verify ... -o json | load-client report - -o markdown

Exit codes: 0 shown, whatever the verdict in it is; 2 it could not be read";

/// Show a saved result again, in any form
///
/// Takes what `verify -o json` and `rollout -o json` print, and what `--report FILE.json` writes: it has everything that
/// the other forms show.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReportAgainArgs {
    /// The result as JSON; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to show it
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

pub(super) fn execute(args: &ReportAgainArgs) -> anyhow::Result<u8> {
    let shown = args.file.display();
    let text = read(&args.file).with_context(|| format!("cannot read `{shown}`"))?;
    let report = SavedReport::read(&text).with_context(|| shown.to_string())?;
    write(&report, args.output, &mut std::io::stdout().lock())?;
    Ok(DONE)
}

fn read(file: &Path) -> std::io::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
}
