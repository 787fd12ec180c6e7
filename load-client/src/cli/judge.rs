//! The flags of a verdict: what is declared, and on which terms it is judged.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use load_client::expect::{Call, Caller, Chain, Path, load_manifests};
use load_client::judge::Terms;
use load_client::load::Load;
use load_client::stats::FailOn;
use mesh_config::Mesh;

use super::request::RequestArgs;
use super::values;

/// Who calls, and what the called service calls in turn.
#[derive(Args, Debug)]
pub(super) struct ChainArgs {
    /// Who sends the requests: `gateway` (the ingress gateway), or NAMESPACE/NAME[,LABEL=VALUE]... of a workload
    #[arg(
        long,
        value_name = "WHO",
        default_value = "gateway",
        help_heading = "Expectation"
    )]
    from: Caller,
    /// What the service does for each request, such as 'POST http://auth-service:8080/verify'; judged as well,
    /// for each version of the service
    #[arg(long, value_name = "METHOD URL", value_parser = Call::from_words, help_heading = "Expectation")]
    then: Option<Call>,
}

/// When a verdict is reached.
#[derive(Args, Debug)]
pub(super) struct TermsArgs {
    #[command(flatten)]
    gate: GateArgs,
    /// Requests after which it stays UNDECIDED [default: enough to decide in 99 of 100 cases; in a rollout in 9,999 of
    /// 10,000 for each stage]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Verdict")]
    budget: Option<u64>,
}

/// What a verdict is, however many requests it takes.
#[derive(Args, Debug)]
pub(super) struct GateArgs {
    /// Accepted difference of a share, in percentage points
    #[arg(long, value_name = "POINTS", default_value = "2pp", value_parser = values::points, help_heading = "Verdict")]
    tolerance: f64,
    /// The same on the second hop (--then), which fewer requests speak about
    #[arg(long, value_name = "POINTS", default_value = "5pp", value_parser = values::points, help_heading = "Verdict")]
    hop_tolerance: f64,
    /// Probability of a wrong verdict, for all edges together
    #[arg(long, value_name = "P", default_value = "0.001", value_parser = values::alpha, help_heading = "Verdict")]
    alpha: f64,
    /// What is a VIOLATION: `any-deviation` that is certain, or only one `beyond-tolerance`
    #[arg(long, value_name = "POLICY", default_value = "any-deviation", value_parser = values::fail_on, help_heading = "Verdict")]
    fail_on: FailOn,
}

impl ChainArgs {
    /// Where the requests enter the mesh.
    pub(super) fn path(&self) -> Path {
        self.from.path()
    }

    /// The calls, for the plain request of the load.
    pub(super) fn chain(&self, request: &RequestArgs, load: &Load) -> anyhow::Result<Chain> {
        self.chain_of(&self.from, &request.url, request, load)
    }

    /// The same calls of somebody else, to another address.
    pub(super) fn chain_of(
        &self,
        caller: &Caller,
        url: &str,
        request: &RequestArgs,
        load: &Load,
    ) -> anyhow::Result<Chain> {
        let plain = request.spec()?;
        let headers = load.requests.first().map_or(&plain.headers, |sent| &sent.headers);
        let call = Call::new(plain.method, url, headers)?;
        Ok(Chain {
            caller: caller.clone(),
            ..self.of(call)
        })
    }

    /// The calls, for this first one.
    pub(super) fn of(&self, call: Call) -> Chain {
        Chain {
            caller: self.from.clone(),
            call,
            then: self.then.clone(),
        }
    }

    /// What the service does for each request, as flags.
    pub(super) fn then_flags(&self) -> Vec<String> {
        self.then.iter().map(|then| format!("--then={then}")).collect()
    }
}

impl TermsArgs {
    /// Themselves again, without alpha and budget.
    pub(super) fn flags(&self) -> Vec<String> {
        self.gate.flags()
    }

    /// Where versions are read as the load reads them.
    pub(super) fn terms(&self, load: &Load) -> Terms {
        self.gate.terms(&load.version_source.to_string(), self.budget)
    }
}

impl GateArgs {
    fn flags(&self) -> Vec<String> {
        let points = |share: f64| format!("{}pp", share * 100.0);
        let flags = [
            ("--tolerance", points(self.tolerance)),
            ("--hop-tolerance", points(self.hop_tolerance)),
            ("--fail-on", self.fail_on.to_string()),
        ];
        flags
            .into_iter()
            .map(|(flag, value)| format!("{flag}={value}"))
            .collect()
    }

    /// With so many requests at most.
    pub(super) fn terms(&self, version_source: &str, budget: Option<u64>) -> Terms {
        Terms {
            alpha: self.alpha,
            tolerance: self.tolerance,
            hop_tolerance: self.hop_tolerance,
            fail_on: self.fail_on,
            budget,
            version_source: version_source.to_owned(),
            per_unit: 1,
            sticky: None,
        }
    }
}

/// The objects of manifest files and folders.
pub(super) fn mesh(paths: &[PathBuf]) -> anyhow::Result<Mesh> {
    Ok(load_manifests(&Mesh::default(), paths, unix_now())?)
}

/// Age of objects without a `creationTimestamp`.
pub(super) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
