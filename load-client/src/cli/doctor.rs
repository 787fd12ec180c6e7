//! `load-client doctor`.

use std::path::PathBuf;

use clap::Args;
use load_client::doctor::{DoctorReport, Wanted, examine, gather};

use super::{DONE, Output, write_json};

/// Exit code when something will stop the demo.
const NOT_READY: u8 = 1;

const EXIT_CODES: &str = "\
Exit codes: 0 nothing stops `make demo`, though there may be warnings; 1 something does; 2 bad arguments";

/// Can this machine run the demo on a cluster, and what to do if not
///
/// Looks at Docker, its memory and processors, the disk, limits of the kernel, ports, and at the versions of docker,
/// kind, kubectl and istioctl. Changes nothing.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct DoctorArgs {
    /// Name of the cluster
    #[arg(
        long,
        value_name = "NAME",
        env = "KIND_CLUSTER_NAME",
        default_value = "istio-traffic-lab"
    )]
    cluster: String,
    /// Configuration of the cluster, as kind takes it: its ports and its node image
    #[arg(long, value_name = "FILE", default_value = "kind-config.yaml")]
    config: PathBuf,
    /// Another node image than that of the configuration
    #[arg(long, value_name = "IMAGE", env = "KIND_IMAGE")]
    image: Option<String>,
    /// How to print the findings
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub(super) async fn execute(args: &DoctorArgs) -> anyhow::Result<u8> {
    // A variable that is set and empty says nothing: make passes them so.
    let image = args.image.clone().filter(|image| !image.is_empty());
    let wanted = Wanted::read(&args.config, args.cluster.clone(), image)?;
    let report = DoctorReport::new(examine(&gather(wanted).await));
    match args.output {
        Output::Table => report.write_table(&mut std::io::stdout().lock())?,
        Output::Json => write_json(&report)?,
    }
    Ok(if report.ready { DONE } else { NOT_READY })
}
