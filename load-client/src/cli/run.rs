//! `load-client run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use load_client::cause::Knowledge;
use load_client::expect::Expected;
use load_client::judge::Judge;
use load_client::load::{Load, RequestSpec};
use load_client::progress::Progress;
use load_client::reconcile::LedgerSource;
use load_client::run::{Asked, IDEMPOTENCY_KEY, Limits, Orders, RunReport, run};
use load_client::shard::Shard;
use mesh_config::Mesh;

use super::expectation::Expectation;
use super::judge::{ChainArgs, GateArgs, mesh};
use super::page::PageArgs;
use super::request::RequestArgs;
use super::{DONE, Output, UNKNOWN, WRONG, values};

const EXAMPLES: &str = "\
Examples:
  load-client run --url http://127.0.0.1:8080/version --duration 5s
  load-client run --url http://127.0.0.1:8080/version --rate 500 --duration 30s -o json
  load-client run --url http://127.0.0.1:8080/payments -H 'content-type: application/json' \\
      -H 'idempotency-key: {uuid}' --body '{\"amount_cents\":1250,\"currency\":\"EUR\",\"to\":\"shop\"}' \\
      --token-url http://127.0.0.1:8080/tokens --token-body '{\"user\":\"demo\"}' --requests 1000
  load-client run --url http://127.0.0.1:8080/version --expect v1=90,v2=10 --requests 40000 --shard 0/2 -o json

Exit codes: 0 done, or CONFIRMED; 1 VIOLATION or LEAK, or a payment lost or charged twice (--ledger); 2 UNDECIDED, no answer at all, or interrupted";

/// How long a run takes when no limit is given.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// Drive load and count: statuses, versions, latencies; with an expectation, judge the split once at the end
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
    /// Be one of several clients that make this run together: send its part of --requests at its part of --rate. INDEX is
    /// from 0. `load-client merge` adds up their JSON and gives the verdict
    #[arg(long, value_name = "INDEX/COUNT", help_heading = "Load")]
    shard: Option<Shard>,
    /// After the run, hold the payments against what the services charged, and name those that were lost or charged twice by
    /// their idempotency-key. URL is /ledger beside --url unless given
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Load")]
    ledger: Option<String>,
    /// Manifests that declare the split: files, or folders (not recursive)
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Expectation")]
    manifests: Vec<PathBuf>,
    /// The split itself, when there are no manifests: v1=90,v2=10
    #[arg(long, value_name = "SPLIT", conflicts_with_all = ["manifests", "then"], help_heading = "Expectation")]
    expect: Option<Expected>,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    page: PageArgs,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub(super) async fn execute(args: &RunArgs) -> anyhow::Result<u8> {
    // Bad manifests are told before anything is sent.
    let declared = mesh(&args.manifests)?;
    let page = args.page.open("run", &args.request.url)?;
    let mut load = args.request.load().await?;
    let orders = args.orders(&declared, &mut load)?;
    let progress = Progress::new(1000).shown_on(page.live());
    let report = run(&load, orders, &progress).await?;
    print(&report, args.output)?;
    page.hold().await?;
    Ok(exit_code(&report))
}

impl RunArgs {
    /// What to do, which makes the load this client's part of it.
    fn orders(&self, declared: &Mesh, load: &mut Load) -> anyhow::Result<Orders> {
        let shard = self.shard.unwrap_or_default();
        let of_time = self.requests.is_none().then_some(DEFAULT_DURATION);
        let duration = self.duration.or(of_time);
        let asked = Asked {
            url: self.request.url.clone(),
            proxy: self.request.proxy().map(str::to_owned),
            method: self.request.spec()?.method.to_string(),
            connections: load.connections,
            intended_rate: load.rate,
            limit_requests: self.requests,
            limit_seconds: duration.map(|limit| limit.as_secs_f64()),
            seed: self.request.seed(),
        };
        let (claims, knowledge) = if self.expect.is_some() || !self.manifests.is_empty() {
            let expected = Expectation {
                stated: self.expect.as_ref(),
                manifests: &self.manifests,
                declared,
            };
            expected.claims(&self.chain, &self.request, load)?
        } else {
            (Vec::new(), Knowledge::default())
        };
        load.shard = shard;
        load.rate = load.rate.map(|rate| rate / f64::from(shard.of));
        let terms = self.gate.terms(
            &load.version_source.to_string(),
            Some(self.requests.unwrap_or(u64::MAX)),
        );
        Ok(Orders {
            asked,
            path: self.chain.path(),
            limits: Limits {
                requests: self.requests.map(|total| shard.part(total)),
                duration,
            },
            shard,
            judge: Judge::new(claims, &terms)?,
            knowledge,
            ledger: self.ledger(load)?,
        })
    }
}

impl RunArgs {
    /// Where the charges can be read.
    fn ledger(&self, load: &Load) -> anyhow::Result<Option<LedgerSource>> {
        let Some(url) = &self.ledger else { return Ok(None) };
        let has_key = load.requests[0]
            .headers
            .iter()
            .any(|(name, _)| *name == IDEMPOTENCY_KEY);
        anyhow::ensure!(
            has_key,
            "--ledger: payments are told apart by their key; add -H 'idempotency-key: {{uuid}}'"
        );
        let url = match url.as_str() {
            "" => LedgerSource::beside(&self.request.url)?,
            url => url.to_owned(),
        };
        let plain = |spec: &RequestSpec| {
            let headers = spec.headers.iter().filter(|(name, _)| *name != IDEMPOTENCY_KEY);
            headers.cloned().collect()
        };
        Ok(Some(LedgerSource {
            url,
            proxy: self.request.proxy().map(str::to_owned),
            headers: load.requests.iter().map(plain).collect(),
        }))
    }
}

/// In the form that is asked for.
pub(super) fn print(report: &RunReport, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Table => report.write_table(&mut std::io::stdout().lock())?,
        Output::Json => super::write_json(report)?,
    }
    Ok(())
}

/// Of the verdict if there is one. 2 if no answer came at all or the run was interrupted.
pub(super) fn exit_code(report: &RunReport) -> u8 {
    if report.requests == 0 || report.interrupted {
        return UNKNOWN;
    }
    let judged = report
        .judgement
        .as_ref()
        .map_or(DONE, |judged| judged.verdict.exit_code());
    match &report.reconciliation {
        Some(reconciliation) if reconciliation.is_wrong() => WRONG,
        _ if report.ledger_error.is_some() && judged == DONE => UNKNOWN,
        _ => judged,
    }
}
