//! `check`.

use std::io::{self, Write};

use mesh_config::Mesh;
use mesh_config::check::{Report, check};

use super::args::{Check, ReportFormat};
use super::verbs::counted;
use super::{NO, files};
use crate::control::notes;

/// Prints what is wrong with manifests.
pub(crate) fn run(args: Check, out: &mut impl Write) -> anyhow::Result<u8> {
    let sources = files::read(&args.files, io::stdin())?;
    let report = check(&sources, &args.suppress);
    match args.output {
        Some(ReportFormat::Json) => writeln!(out, "{:#}", report.to_json())?,
        Some(ReportFormat::Sarif) => writeln!(out, "{:#}", report.to_sarif(env!("CARGO_PKG_VERSION")))?,
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
