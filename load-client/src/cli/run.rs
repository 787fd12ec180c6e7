//! `load-client run`.

use std::time::Duration;

use clap::Args;
use load_client::progress::Progress;
use load_client::run::{Asked, Limits, run};

use super::request::RequestArgs;
use super::{DONE, Output, UNKNOWN, values};

const EXAMPLES: &str = "\
Examples:
  load-client run --url http://127.0.0.1:8080/version --duration 5s
  load-client run --url http://127.0.0.1:8080/version --rate 500 --duration 30s -o json
  load-client run --url http://127.0.0.1:8080/payments -H 'content-type: application/json' \\
      -H 'idempotency-key: {uuid}' --body '{\"amount_cents\":1250,\"currency\":\"EUR\",\"to\":\"shop\"}' \\
      --token-url http://127.0.0.1:8080/tokens --token-body '{\"user\":\"demo\"}' --requests 1000";

/// How long a run takes when no limit is given.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// Drive load and count: statuses, versions, latencies
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Stop after this many requests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Load")]
    requests: Option<u64>,
    /// Stop after this time [default: 10s, unless --requests is given]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Load")]
    duration: Option<Duration>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Exit 2 if no answer came at all or the run was interrupted.
pub(super) async fn execute(args: &RunArgs) -> anyhow::Result<u8> {
    let load = args.request.load().await?;
    let limits = Limits {
        requests: args.requests,
        duration: args
            .duration
            .or(args.requests.is_none().then_some(DEFAULT_DURATION)),
    };
    let asked = Asked {
        url: args.request.url.clone(),
        connections: load.connections,
        intended_rate: load.rate,
    };
    let report = run(&load, asked, limits, &Progress::new(1000)).await?;
    match args.output {
        Output::Table => report.write_table(&mut std::io::stdout().lock())?,
        Output::Json => super::write_json(&report)?,
    }
    let measured = report.requests > 0 && !report.interrupted;
    Ok(if measured { DONE } else { UNKNOWN })
}
