//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mesh_config::Locality;

use super::check::Check;
use super::plan::Plan;
use super::port_forward::Ports;
use super::test::Test;
use crate::admin::DEFAULT_ADDRESS;
use crate::control::{ClientSpec, GatewaySpec};

/// An Istio mesh on one machine: the manifests of a cluster, without the cluster.
///
/// `up` runs every Deployment as processes and routes between them as Istio would; the other verbs are kubectl's and
/// talk to a running `up`.
#[derive(Debug, Parser)]
#[command(name = "local-mesh", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  local-mesh up -f manifests/base -f manifests/stages/10-stable
  local-mesh apply -f manifests/stages/30-canary-10
  local-mesh get pods
  local-mesh explain http://auth-service:8080/verify -X POST --from traffic-lab/payment-v1

Exit codes: 0 yes; 1 no, or not found; 2 bad input, or it could not be done.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Up(Up),
    /// Add objects to a running mesh, or change them
    ///
    /// In force when it returns; no request fails because of it. Manifests that are not right are refused as a whole,
    /// and everything stays as it was.
    #[command(after_help = "Example:\n  local-mesh apply -f manifests/stages/30-canary-10")]
    Apply(Apply),
    Delete(Delete),
    Get(Get),
    Explain(Explain),
    Check(Check),
    Test(Test),
    Plan(Plan),
    Status(Status),
    Logs(Logs),
    PortForward(PortForward),
    /// The process that ends a child when local-mesh is gone
    #[command(hide = true)]
    Guard {
        lifeline: OsString,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// The step from the guard to the child's own program
    #[command(hide = true)]
    Guarded {
        guard: i32,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// Manifests.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// Files, folders (*.yaml, *.yml, *.json) or - for standard input; may be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) paths: Vec<PathBuf>,
    /// Look into folders of folders, too
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
}

/// Which mesh to talk to.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Address of a running local-mesh
    #[arg(long, value_name = "ADDR:PORT", env = "LOCAL_MESH_ADMIN", default_value_t = DEFAULT_ADDRESS)]
    pub(crate) admin: SocketAddr,
}

/// Start a mesh: run the Deployments, open the gateway, route
///
/// Stays until Ctrl-C or SIGTERM, or until COMMAND ends, and then stops all that it started. A Deployment's replica
/// is a process: the image `.../auth-service:v1` is the program `auth-service-v1` in --bin-dir. It finds its port in
/// APP_PORT and PORT, and its way out in HTTP_PROXY.
#[derive(Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Folder of the programs that images stand for [default: the folder of local-mesh]
    #[arg(long, value_name = "DIR")]
    pub(crate) bin_dir: Option<PathBuf>,
    /// Where the ingress gateway listens. ADDR:PORT serves the one plain HTTP server port of the Gateway objects, ADDR
    /// alone every port that their servers name [default: 127.0.0.1:8080, if there is a Gateway object]
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(crate) gateway: Option<GatewaySpec>,
    /// Where the other verbs find this mesh; a loopback address
    #[arg(long, value_name = "ADDR:PORT", default_value_t = DEFAULT_ADDRESS)]
    pub(crate) admin: SocketAddr,
    /// Write a line of JSON per request to this file, or to standard output (-)
    #[arg(long, value_name = "FILE|-")]
    pub(crate) access_log: Option<PathBuf>,
    /// Somebody outside who calls as this workload. ADDR:PORT is an HTTP proxy; ADDR alone listens at every port that
    /// a Service has, so that requests need no proxy. May be repeated
    #[arg(long = "client", value_name = "NAMESPACE/NAME[,LABEL=VALUE]...@ADDR[:PORT]")]
    pub(crate) clients: Vec<ClientSpec>,
    /// Where all clients are
    #[arg(long, value_name = "REGION/ZONE/SUBZONE")]
    pub(crate) client_locality: Option<Locality>,
    /// Make every draw repeatable: weights, endpoints, names of pods
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How long COMMAND waits for the pods to get ready
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) ready_timeout: Duration,
    /// Run this once all is ready, with LOCAL_MESH_ADMIN and LOCAL_MESH_GATEWAY (ADDR:PORT) set; its exit code is ours
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

const UP_EXAMPLES: &str = "\
Examples:
  # the demo; then, in a second terminal: curl http://127.0.0.1:8080/version
  local-mesh up -f manifests/base -f manifests/stages/10-stable

  # run a test inside, tear everything down after it, exit with its code
  local-mesh up -f manifests/base -f manifests/stages/30-canary-10 -- sh -c 'curl -sf http://$LOCAL_MESH_GATEWAY/version'

  # call as a workload would, through a proxy of one's own
  local-mesh up -f manifests/base --client traffic-lab/curl,app=curl@127.0.0.1:15001
  curl -x http://127.0.0.1:15001 http://auth-service:8080/version";

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// `apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Remove objects or pods from a running mesh
///
/// In force when it returns. Of manifests only kinds, names and namespaces count. A pod that is deleted is replaced by a
/// new one, as long as there is its Deployment.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  local-mesh delete -f manifests/stages/30-canary-10
  local-mesh delete vs auth-service -n traffic-lab
  local-mesh delete pods -l app=payment-service,version=v2")]
pub(crate) struct Delete {
    /// Kind and names, or KIND/NAME each
    #[arg(value_name = "KIND NAME", conflicts_with = "paths")]
    pub(crate) what: Vec<String>,
    /// Files, folders (*.yaml, *.yml, *.json) or - for standard input; may be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH", num_args = 1..)]
    pub(crate) paths: Vec<PathBuf>,
    /// Look into folders of folders, too
    #[arg(short = 'R', long, requires = "paths")]
    pub(crate) recursive: bool,
    /// Only this namespace [default: all]
    #[arg(short, long, conflicts_with = "paths")]
    pub(crate) namespace: Option<String>,
    /// Only those with such labels: app=auth,version!=v1
    #[arg(short = 'l', long, conflicts_with = "paths")]
    pub(crate) selector: Option<String>,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Show objects and pods of a running mesh
///
/// KIND is pods (po), services (svc), deployments (deploy), gateways (gw), virtualservices (vs), destinationrules (dr),
/// workloadentries (we), namespaces (ns), serviceaccounts (sa), several of them with commas, or all. Unlike in kubectl,
/// without -n all namespaces are shown.
///
/// KIND is also routes, clusters or endpoints: what istioctl proxy-config shows, the compiled tables of the client that
/// --from names. NAME is then a port (routes) or a service or cluster (clusters, endpoints).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  local-mesh get pods -o wide
  local-mesh get vs auth-service -n traffic-lab -o yaml
  local-mesh get all -n traffic-lab
  local-mesh get pods -l app=payment-service,version=v2 -o name
  local-mesh get routes --from traffic-lab/payment-v1
  local-mesh get clusters auth-service --from traffic-lab/payment-v1 -o json")]
pub(crate) struct Get {
    /// Kind, or KIND/NAME
    pub(crate) kind: String,
    /// Name of one object
    pub(crate) name: Option<String>,
    /// Only this namespace [default: all]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    /// Whose routes, clusters or endpoints: gateway, or NAMESPACE/NAME of a Deployment, a pod or a --client [default:
    /// gateway, if it is open]
    #[arg(long, value_name = "WHO")]
    pub(crate) from: Option<String>,
    /// Only those with such labels: app=auth,version!=v1
    #[arg(short = 'l', long, conflicts_with = "name")]
    pub(crate) selector: Option<String>,
    /// More columns, whole objects, or names alone
    #[arg(short, long)]
    pub(crate) output: Option<ListFormat>,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// How lists are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Wide,
    Yaml,
    Json,
    Name,
}

/// For programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Json,
}

/// Say where a request would go, and why
///
/// Nothing is sent. The answer depends on who calls: the gateway, or a workload.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  local-mesh explain http://127.0.0.1:8080/version
  local-mesh explain http://auth-service:8080/verify -X POST -H 'x-canary: true' --from traffic-lab/payment-v1")]
pub(crate) struct Explain {
    /// As the caller would write it
    pub(crate) url: String,
    /// Method of the request
    #[arg(short = 'X', long = "request", value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// 'name: value'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// Who calls: gateway, or NAMESPACE/NAME of a Deployment, a pod or a --client [default: gateway]
    #[arg(long, value_name = "WHO")]
    pub(crate) from: Option<String>,
    /// For programs
    #[arg(short, long)]
    pub(crate) output: Option<Format>,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected 'name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Say whether a running mesh is ready
///
/// Exits with 0 when listeners and pods are ready, 1 when something is missing (it says what), 2 when nobody listens.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// For programs
    #[arg(short, long)]
    pub(crate) output: Option<Format>,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Show the last lines that a pod wrote
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Name of the pod, or NAMESPACE/NAME
    pub(crate) pod: String,
    /// Of the pod
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Lead a local port to a pod's process, past the mesh
///
/// Stays until Ctrl-C or SIGTERM. What is sent there reaches the process as it is: no route, no policy.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  local-mesh port-forward pod/auth-v1-5d8f7c9b6-x2x4k 9090:8080 -n traffic-lab
  local-mesh port-forward pod/auth-v1-5d8f7c9b6-x2x4k :8080")]
pub(crate) struct PortForward {
    /// pod/NAME, or NAME
    pub(crate) pod: String,
    /// Local port, if it is to be a certain one, and the pod's
    #[arg(required = true, value_name = "[LOCAL]:REMOTE")]
    pub(crate) ports: Vec<Ports>,
    /// Of the pod
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn files_may_be_listed_or_repeated() {
        let cli = Cli::try_parse_from(["local-mesh", "check", "-f", "a", "b", "-f", "c", "-R"]).unwrap();
        let Verb::Check(check) = cli.verb else {
            panic!("not check")
        };
        assert_eq!(check.files.paths, ["a", "b", "c"].map(PathBuf::from));
        assert!(check.files.recursive);
    }

    #[test]
    fn everything_after_two_dashes_is_the_command() {
        let words = [
            "local-mesh",
            "up",
            "-f",
            "a",
            "--seed",
            "7",
            "--",
            "ls",
            "-f",
            "--help",
        ];
        let Verb::Up(up) = Cli::try_parse_from(words).unwrap().verb else {
            panic!("not up")
        };
        assert_eq!(up.command, ["ls", "-f", "--help"]);
        assert_eq!((up.seed, up.ready_timeout), (Some(7), Duration::from_secs(30)));
    }
}
