//! `load-client rollout`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use load_client::mesh_state::MeshTools;
use load_client::progress::Progress;
use load_client::rollout::{CommandLine, Orders, Plan, rollout, stages};

use super::inside::InsideArgs;
use super::judge::{ChainArgs, TermsArgs, mesh, unix_now};
use super::output::ReportArgs;
use super::page::PageArgs;
use super::request::RequestArgs;
use super::values;

const EXAMPLES: &str = "\
Example, real payments through five stages and back:
  load-client rollout --stages manifests/stages --manifests manifests/base --apply 'local-mesh apply -f' \\
      --url http://127.0.0.1:8080/payments -H 'content-type: application/json' -H 'idempotency-key: {uuid}' \\
      --body '{\"amount_cents\":1250,\"currency\":\"EUR\",\"to\":\"shop\"}' \\
      --token-url http://127.0.0.1:8080/tokens --token-body '{\"user\":\"demo\"}' \\
      --then 'POST http://auth-service:8080/verify' --return-to-first --rollback-on-failure

Exit codes: 0 every stage CONFIRMED; 1 VIOLATION, LEAK or ERRORS (the error gate), rolled back or not; 2 UNDECIDED, could not be measured, or interrupted";

/// Walk through stages: apply, wait until it is in force, judge, go on or roll back
///
/// Load never pauses, so that a request that a change drops is seen. When a stage is in force is told from the
/// answers, not from a clock; what is judged is sent after that.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RolloutArgs {
    /// Folder whose sub-folders are the stages, walked in the order of their names
    #[arg(long, value_name = "DIR", help_heading = "Stages")]
    stages: PathBuf,
    /// Walk this stage only
    #[arg(long, value_name = "NAME", help_heading = "Stages")]
    only: Option<String>,
    /// Command that puts a stage into force; the folder of the stage is appended
    #[arg(long, value_name = "COMMAND", value_parser = CommandLine::new, help_heading = "Stages")]
    apply: CommandLine,
    /// How long after the command the new split may take to be seen; then the stage is judged as it is
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = values::duration, help_heading = "Stages")]
    settle_within: Duration,
    /// If a stage fails, apply and verify the last confirmed one. A stage also fails if its new version fails more
    /// often than the others: the error gate, whose alarm is false with probability --alpha at most
    #[arg(long, help_heading = "Stages")]
    rollback_on_failure: bool,
    /// For the error gate, an answer that takes longer than this is a failure as well: a new version that is slow more often than
    /// the others fails its stage (on the path of this client)
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Stages")]
    slower_than: Option<Duration>,
    /// After the last stage walk back to the first
    #[arg(long, help_heading = "Stages")]
    return_to_first: bool,
    /// Manifests below the stages (services, deployments, destination rules): files, or folders (not recursive)
    #[arg(long, value_name = "PATH", num_args = 1.., required = true, help_heading = "Expectation")]
    manifests: Vec<PathBuf>,
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    inside: InsideArgs,
    /// Read back at each stage what the proxies hold, with kubectl and istioctl, and name those that do not hold what is
    /// declared; see `load-client mesh-state`
    #[arg(long, help_heading = "Cluster")]
    mesh_state: bool,
    /// Context of the kubeconfig for that; the current one unless given
    #[arg(long, value_name = "NAME", requires = "mesh_state", help_heading = "Cluster")]
    context: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    page: PageArgs,
}

pub(super) async fn execute(args: &RolloutArgs) -> anyhow::Result<u8> {
    let stages = stages(&args.stages, args.only.as_deref())?;
    let base = mesh(&args.manifests)?;
    let reporting = args.report.open()?;
    let page = args.page.open("rollout", &args.request.url)?;
    let mut load = args.request.load().await?;
    let chain = args.chain.chain(&args.request, &load)?;
    let inside = args
        .inside
        .inside(&args.request, &args.chain, &args.terms, &load, &args.manifests)?;
    let inside_chain = inside.as_ref().map(|inside| inside.chain.clone());
    let orders = Orders {
        plan: Plan::new(&base, chain, inside_chain, stages, unix_now())?,
        apply: args.apply.clone(),
        inside,
        mesh: args.mesh_state.then(|| MeshTools {
            context: args.context.clone(),
        }),
        terms: args.terms.terms(&load),
        slower_than: args.slower_than,
        settle_within: args.settle_within,
        rollback_on_failure: args.rollback_on_failure,
        return_to_first: args.return_to_first,
    };
    load.requests = orders.plan.requests(&load.requests[0]);
    let progress = Progress::new(1000).shown_on(page.live());
    let report = rollout(&orders, &load, &progress).await?;
    let code = reporting.finish(report.into())?;
    page.hold().await?;
    Ok(code)
}
