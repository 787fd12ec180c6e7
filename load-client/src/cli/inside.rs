//! The flags of a rollout that is judged from inside the mesh as well.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use load_client::expect::Caller;
use load_client::load::Load;
use load_client::rollout::{CommandLine, Inside};

use super::judge::{ChainArgs, TermsArgs};
use super::request::RequestArgs;

/// How a client inside the mesh calls the same service.
#[derive(Args, Debug)]
pub(super) struct InsideArgs {
    /// Command that runs `load-client verify` inside the mesh, such as 'load-client verify --proxy
    /// http://127.0.0.1:15001' or scripts/in-mesh; the flags of a stage are appended, and it prints its report as
    /// JSON. Each stage is then judged on both ways in
    #[arg(long, value_name = "COMMAND", value_parser = CommandLine::new, requires_all = ["inside_url", "inside_from"], help_heading = "Inside the mesh")]
    inside: Option<CommandLine>,
    /// What it sends the requests to, such as http://payment-service:8080/payments
    #[arg(
        long,
        value_name = "URL",
        requires = "inside",
        help_heading = "Inside the mesh"
    )]
    inside_url: Option<String>,
    /// Who it is: NAMESPACE/NAME[,LABEL=VALUE]... of its workload
    #[arg(
        long,
        value_name = "WHO",
        requires = "inside",
        help_heading = "Inside the mesh"
    )]
    inside_from: Option<Caller>,
    /// Where it fetches its token [default: --token-url]
    #[arg(long, value_name = "URL", requires_all = ["inside", "token_url"], help_heading = "Inside the mesh")]
    inside_token_url: Option<String>,
}

impl InsideArgs {
    /// The orders for the client inside, which sends what `request` says; `None`: there is none.
    pub(super) fn inside(
        &self,
        request: &RequestArgs,
        chain: &ChainArgs,
        terms: &TermsArgs,
        load: &Load,
        manifests: &[PathBuf],
    ) -> anyhow::Result<Option<Inside>> {
        let (Some(command), Some(url), Some(from)) = (&self.inside, &self.inside_url, &self.inside_from)
        else {
            return Ok(None);
        };
        let calls = chain.chain_of(from, url, request, load);
        let token_url = self.inside_token_url.as_deref().or(request.token_url());
        let mut flags = request.flags(url, token_url)?;
        flags.push(format!("--from={from}"));
        flags.extend(chain.then_flags());
        flags.extend(terms.flags());
        Ok(Some(Inside {
            command: command.clone(),
            chain: calls.with_context(|| format!("--inside-url `{url}`"))?,
            flags,
            manifests: manifests.to_vec(),
        }))
    }
}
