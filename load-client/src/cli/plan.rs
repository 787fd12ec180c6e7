//! `load-client plan`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use http::Method;
use load_client::expect::{Call, Claim, Expected, claims, variants};
use load_client::forecast::Forecast;
use load_client::load::Header;

use super::judge::{ChainArgs, GateArgs, mesh};
use super::{DONE, Output, values, write_json};

const EXAMPLES: &str = "\
Examples:
  load-client plan --expect v1=90,v2=10 --tolerance 2pp --rate 200
  load-client plan --expect v1=90,v2=10 --budget 5000
  load-client plan --manifests manifests/base manifests/stages/30-canary-10 -X POST \\
      --url http://127.0.0.1:8080/payments --then 'POST http://auth-service:8080/verify'";

/// How many requests a verdict will take, and how long; sends nothing
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct PlanArgs {
    /// Manifests that declare the split: files, or folders (not recursive)
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present = "expect", requires = "url", help_heading = "Expectation")]
    manifests: Vec<PathBuf>,
    /// The split itself, when there are no manifests: v1=90,v2=10
    #[arg(long, value_name = "SPLIT", conflicts_with_all = ["manifests", "then"], help_heading = "Expectation")]
    expect: Option<Expected>,
    #[command(flatten)]
    chain: ChainArgs,
    /// The request that the manifests are asked about
    #[arg(long, value_name = "URL", help_heading = "Request")]
    url: Option<String>,
    /// Its method
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET", value_parser = values::method, help_heading = "Request")]
    method: Method,
    /// A header of it, may repeat
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = values::header, help_heading = "Request")]
    headers: Vec<Header>,
    /// Requests per second, to tell how long it takes
    #[arg(long, value_name = "R", value_parser = values::rate, help_heading = "Load")]
    rate: Option<f64>,
    #[command(flatten)]
    gate: GateArgs,
    /// Also tell how small a tolerance so many requests can show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Verdict")]
    budget: Option<u64>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub(super) fn execute(args: &PlanArgs) -> anyhow::Result<u8> {
    let claims = match &args.expect {
        Some(expected) => vec![Claim::stated("service", expected.clone())],
        None => declared(args)?,
    };
    let forecast = Forecast::new(
        claims,
        &args.gate.terms("header:x-served-by", args.budget),
        args.rate,
    )?;
    match args.output {
        Output::Table => forecast.write_table(&mut std::io::stdout().lock())?,
        Output::Json => write_json(&forecast)?,
    }
    Ok(DONE)
}

fn declared(args: &PlanArgs) -> anyhow::Result<Vec<Claim>> {
    let url = args.url.as_deref().context("--url: which request is it about?")?;
    let mesh = mesh(&args.manifests)?;
    let chain = args.chain.of(Call::new(args.method.clone(), url, &args.headers)?);
    Ok(claims(&mesh, &chain, &variants(&mesh, &chain)?)?)
}
