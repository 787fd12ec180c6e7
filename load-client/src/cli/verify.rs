//! `load-client verify`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use load_client::cause::Knowledge;
use load_client::dashboard::{Event, Judged};
use load_client::expect::{Expected, Path};
use load_client::judge::Judge;
use load_client::progress::Progress;
use load_client::report::Report;
use load_client::verify::verify;
use mesh_config::Mesh;

use super::expectation::Expectation;
use super::judge::{ChainArgs, TermsArgs, mesh};
use super::output::ReportArgs;
use super::page::PageArgs;
use super::request::RequestArgs;
use super::units::UnitArgs;

const EXAMPLES: &str = "\
Examples:
  load-client verify --url http://127.0.0.1:8080/version --manifests manifests/base manifests/stages/30-canary-10
  load-client verify --url http://127.0.0.1:8080/version --expect v1=90,v2=10 --tolerance 1pp
  load-client verify --url http://reviews:9080/ --proxy http://127.0.0.1:15001 --from shop/frontend \\
      --manifests mesh/ --version-from json:/version -o json

Exit codes: 0 CONFIRMED; 1 VIOLATION or LEAK; 2 UNDECIDED at the budget, or could not be measured";

/// Judge the split that is in force against what is declared
///
/// Sends requests until there is a verdict: every share is within the tolerance of what is declared, or the split is
/// something else. Looking after each request is accounted for: a wrong verdict has probability --alpha, however long
/// it takes.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Manifests that declare the split: files, or folders (not recursive)
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present = "expect", help_heading = "Expectation")]
    manifests: Vec<PathBuf>,
    /// The split itself, when there are no manifests: v1=90,v2=10
    #[arg(long, value_name = "SPLIT", conflicts_with_all = ["manifests", "then"], help_heading = "Expectation")]
    expect: Option<Expected>,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    units: UnitArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    page: PageArgs,
}

pub(super) async fn execute(args: &VerifyArgs) -> anyhow::Result<u8> {
    // Bad manifests are told before anything is sent.
    let declared = if args.expect.is_none() {
        mesh(&args.manifests)?
    } else {
        Mesh::default()
    };
    let reporting = args.report.open()?;
    let page = args.page.open("verify", &args.request.url)?;
    let mut load = args.request.load().await?;
    let mut terms = args.terms.terms(&load);
    args.units.apply(&mut load, &mut terms)?;
    let expected = Expectation {
        stated: args.expect.as_ref(),
        manifests: &args.manifests,
        declared: &declared,
    };
    let (claims, knowledge) = expected.claims(&args.chain, &args.request, &mut load)?;
    let path = args.chain.path();
    let live = page.live();
    live.tell(|| Event::Begun {
        path,
        stages: Vec::new(),
    });
    let progress = Progress::new(1000).shown_on(page.live());
    let judge = verify(&load, path, Judge::new(claims, &terms)?, &progress).await?;
    let report = reported(path, &judge.borrow(), &knowledge)?;
    live.tell(|| Event::Judged(Judged::from(&report)));
    live.tell(|| Event::Ended {
        verdict: Some(report.verdict),
        text: report.headline(),
    });
    let code = reporting.finish(report.into())?;
    page.hold().await?;
    Ok(code)
}

fn reported(path: Path, judge: &Judge, knowledge: &Knowledge) -> anyhow::Result<Report> {
    let decision = judge.decision_so_far().context("the judgement has not ended")?;
    Ok(Report::new(path, judge, decision).explained(judge, knowledge))
}
