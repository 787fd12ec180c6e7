//! `check`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use mesh_config::Mesh;
use mesh_config::check::{Report, Severity, Suppression, check};

use super::args::FileArgs;
use super::verbs::counted;
use super::{NO, files};
use crate::control::notes;

/// Say what is wrong with manifests, without a mesh or a cluster
///
/// Finds what the API server, istiod's webhook, Envoy and `istioctl analyze` on a cluster would say of VirtualServices and
/// DestinationRules, and what none of them sees. Name all folders at once: rules are held against the Services and
/// Deployments that they are for.
///
/// Exits with 0 if nothing reaches --failure-threshold, 1 if something does, 2 if a file cannot be opened.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  local-mesh check -f manifests/base manifests/stages/30-canary-10
  local-mesh check -f manifests -R -o sarif > findings.sarif
  local-mesh check -f manifests -R -o junit > findings.xml
  local-mesh check -f manifests -R --failure-threshold warning --suppress 'TL0408=VirtualService/shop/*'

docs/checks.md has every check; an object's annotation galley.istio.io/analyze-suppress: CODE,... suppresses, too.")]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// For programs
    #[arg(short, long)]
    pub(crate) output: Option<ReportFormat>,
    /// Leave findings out: CODE=KIND/NAMESPACE/NAME, or as istioctl has it, CODE=KIND NAME.NAMESPACE; * stands for any
    /// text. May be repeated
    #[arg(short = 'S', long, value_name = "CODE=OBJECT")]
    pub(crate) suppress: Vec<Suppression>,
    /// The lightest findings that make it exit with 1
    #[arg(long, value_name = "SEVERITY", default_value = "error", ignore_case = true)]
    pub(crate) failure_threshold: Threshold,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Json,
    Sarif,
    Junit,
}

/// Weights of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Threshold {
    Error,
    Warning,
    Info,
}

impl From<Threshold> for Severity {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::Error => Severity::Error,
            Threshold::Warning => Severity::Warning,
            Threshold::Info => Severity::Info,
        }
    }
}

/// Prints what is wrong with manifests.
pub(crate) fn run(args: Check, out: &mut impl Write) -> anyhow::Result<u8> {
    let sources = files::read(&args.files, io::stdin())?;
    let report = check(&sources, &args.suppress);
    match args.output {
        Some(ReportFormat::Json) => writeln!(out, "{:#}", report.to_json())?,
        Some(ReportFormat::Sarif) => writeln!(out, "{:#}", report.to_sarif(env!("CARGO_PKG_VERSION")))?,
        Some(ReportFormat::Junit) => {
            write!(
                out,
                "{}",
                report.to_junit(&sources, args.failure_threshold.into())
            )?;
        }
        None => print(&report, sources.len(), out)?,
    }
    let fails = report.reaches(args.failure_threshold.into());
    Ok(if fails { NO } else { 0 })
}

fn print(report: &Report, files: usize, out: &mut impl Write) -> anyhow::Result<()> {
    let count = report.objects.values().sum();
    let looked_at = format!("{} in {}", counted(count, "object"), counted(files, "file"));
    if report.findings.is_empty() {
        let kinds: Vec<String> = report
            .objects
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        writeln!(out, "ok: {looked_at} ({})", kinds.join(", "))?;
    } else {
        writeln!(out, "{}\n\n{} in {looked_at}", report.to_text(), report.summary())?;
    }
    if report.suppressed > 0 {
        writeln!(
            io::stderr(),
            "note: {} suppressed",
            counted(report.suppressed, "finding")
        )?;
    }
    for note in notes(&report.mesh, &Mesh::new()) {
        writeln!(io::stderr(), "note: {note}")?;
    }
    for one in &report.unsupported {
        writeln!(
            io::stderr(),
            "note: {}:{}: {}; `up` and `apply` refuse it",
            one.file,
            one.line,
            one.message
        )?;
    }
    Ok(())
}
