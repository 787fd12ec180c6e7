//! `load-client mesh-state`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use load_client::expect::{Call, questions, variants};
use load_client::mesh_state::{MeshTools, reconcile};

use super::judge::{ChainArgs, mesh};
use super::request::RequestArgs;
use super::{DONE, Output, values, write_json};

/// Exit code when a proxy does not hold what is declared.
const DIFFERS: u8 = 1;

const EXAMPLES: &str = "\
Example:
  load-client mesh-state --context kind-istio-traffic-lab --url http://127.0.0.1:8080/payments -X POST \\
      --then 'POST http://auth-service:8080/verify' --manifests manifests/base manifests/stages/30-canary-10

Exit codes: 0 every proxy holds what is declared; 1 one does not; 2 the mesh could not be asked";

/// Do the proxies of a cluster hold what the manifests declare?
///
/// Sends no requests. Asks kubectl for the pods of the callers, istioctl how far each proxy follows istiod, and each
/// proxy where it would send the very requests that the manifests are asked about. A proxy with old routes, one that
/// refused an update, one that istiod does not know and a pod without a proxy are named, with what to do.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct MeshStateArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// Manifests that declare the split: files, or folders (not recursive)
    #[arg(long, value_name = "PATH", num_args = 1.., required = true, help_heading = "Expectation")]
    manifests: Vec<PathBuf>,
    #[command(flatten)]
    chain: ChainArgs,
    /// Context of the kubeconfig; the current one unless given
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
    /// How long the proxies may take to hold what is declared [default: they are asked once]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Cluster")]
    within: Option<Duration>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub(super) async fn execute(args: &MeshStateArgs) -> anyhow::Result<u8> {
    let declared = mesh(&args.manifests)?;
    // Nothing is sent, so there is no token.
    let plain = args.request.spec()?;
    let call = Call::new(plain.method, &args.request.url, &plain.headers)?;
    let chain = args.chain.of(call);
    let questions = questions(&declared, &chain, &variants(&declared, &chain)?)?;
    let tools = MeshTools {
        context: args.context.clone(),
    };
    let reading = tools
        .read_until_agreed(&questions, args.within.unwrap_or_default())
        .await?;
    let state = reconcile(&questions, &reading, &[]);
    match args.output {
        Output::Table => state.write_table(&mut std::io::stdout().lock())?,
        Output::Json => write_json(&state)?,
    }
    Ok(if state.agrees { DONE } else { DIFFERS })
}
