//! Where a report goes: to the screen in one form, and to files beside it.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use load_client::report::{Made, SavedReport};
use tempfile::{Builder, NamedTempFile};

/// How a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people at a terminal
    Table,
    /// For programs, and to be shown again by `load-client report`
    Json,
    /// For a pull request
    Markdown,
    /// For CI servers, as XML
    Junit,
    /// For people with a browser: one page that needs nothing else
    Html,
}

/// Where the report of a judgement goes.
#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Form::Table, help_heading = "Report")]
    output: Form,
    /// Write the result to a file as well, in the form of its name: .html, .md, .xml (JUnit) or .json; may repeat
    #[arg(long = "report", value_name = "FILE", value_parser = Named::new, help_heading = "Report")]
    files: Vec<Named>,
}

/// A file with the form that its name asks for.
#[derive(Clone, Debug)]
struct Named {
    path: PathBuf,
    form: Form,
}

impl Named {
    fn new(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let form = match path.extension().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => Form::Html,
            Some("md" | "markdown") => Form::Markdown,
            Some("xml") => Form::Junit,
            Some("json") => Form::Json,
            Some("txt") => Form::Table,
            _ => {
                return Err(
                    "the name has to end in .html, .md, .xml, .json or .txt: it says the form".to_owned(),
                );
            }
        };
        Ok(Self { path, form })
    }
}

/// Files that are ready to take a report, made before it is.
#[derive(Debug)]
pub(super) struct Reporting {
    output: Form,
    files: Vec<(Named, NamedTempFile)>,
    began: Timestamp,
    clock: Instant,
}

impl ReportArgs {
    /// Makes sure that each file can be written, before the work begins: whoever waited for a verdict wants to keep it.
    pub(super) fn open(&self) -> anyhow::Result<Reporting> {
        let files = self
            .files
            .iter()
            .map(|named| Ok((named.clone(), beside(&named.path)?)));
        Ok(Reporting {
            output: self.output,
            files: files.collect::<anyhow::Result<_>>()?,
            began: Timestamp::now(),
            clock: Instant::now(),
        })
    }
}

/// A new file beside one that it will take the place of.
fn beside(path: &Path) -> anyhow::Result<NamedTempFile> {
    let shown = path.display();
    anyhow::ensure!(
        !path.is_dir(),
        "--report {shown}: that is a folder; give the name of a file in it"
    );
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // As a file that is made in the ordinary way: the umask decides who may read it.
    Builder::new()
        .prefix(".load-client-report-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| {
            format!("--report {shown}: nothing can be written there; make the folder, or name another")
        })
}

impl Reporting {
    /// Writes all files whole and prints; what cannot be written does not keep the rest from being shown.
    pub(super) fn finish(self, report: SavedReport) -> anyhow::Result<u8> {
        let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let began = format!("{:.0}", self.began);
        let seconds = self.clock.elapsed().as_secs_f64();
        let report = report.made(Made::new(&words.collect::<Vec<_>>(), began, seconds));
        let files = self.files.into_iter();
        let written: Vec<anyhow::Result<()>> =
            files.map(|(named, file)| keep(&report, &named, file)).collect();
        write(&report, self.output, &mut std::io::stdout().lock())?;
        written.into_iter().collect::<anyhow::Result<()>>()?;
        Ok(report.exit_code())
    }
}

/// Writes a file, which takes its name when it is whole.
fn keep(report: &SavedReport, named: &Named, mut file: NamedTempFile) -> anyhow::Result<()> {
    let shown = named.path.display();
    write(report, named.form, &mut file)
        .and_then(|()| Ok(file.persist(&named.path).map(|_| ())?))
        .with_context(|| format!("--report {shown}"))?;
    // A courtesy: a closed stderr does not make the report less written.
    let _ = writeln!(std::io::stderr(), "report: {shown}");
    Ok(())
}

/// A report in one of its forms.
pub(super) fn write(report: &SavedReport, form: Form, out: &mut impl Write) -> anyhow::Result<()> {
    let text = match form {
        Form::Table => return Ok(report.write_table(out)?),
        Form::Json => report.json()?,
        Form::Markdown => report.markdown(),
        Form::Junit => report.junit(),
        Form::Html => report.html(),
    };
    Ok(out.write_all(text.as_bytes())?)
}
