//! `test`: unit tests for routing.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use mesh_config::cases::{self, CaseFile, Report, Suite};
use mesh_config::{Mesh, Source, parse};

use super::args::FileArgs;
use super::{NO, files};

/// Hold manifests against test cases: requests, and where each has to go
///
/// Nothing is sent and nothing runs: what the manifests say is compared exactly, weights included. A file of cases names its
/// manifests, or -f does. Test cases of istio-config-validator are understood.
///
/// Exits with 0 if all cases hold, 1 if one does not, 2 if a file is not right.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  local-mesh test -t routing-tests
  local-mesh test -f manifests/base manifests/stages/30-canary-10 -t canary.yaml --coverage
  local-mesh test -f virtual-services -t cases.yaml --assume-gateways -o junit > report.xml

docs/routing-tests.md describes the cases.")]
pub(crate) struct Test {
    /// Files or folders with test cases; may be repeated
    #[arg(short = 't', long = "tests", value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) tests: Vec<PathBuf>,
    /// Manifests, instead of those that the files of cases name; may be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH", num_args = 1..)]
    pub(crate) paths: Vec<PathBuf>,
    /// Look into folders of folders, too
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
    /// List the rules that no case reached
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Exit with 1 if there is a rule that no case reached
    #[arg(long)]
    pub(crate) every_rule: bool,
    /// Take it that Gateways which VirtualServices name and the manifests lack serve every host at port 80
    #[arg(long)]
    pub(crate) assume_gateways: bool,
    /// For programs
    #[arg(short, long)]
    pub(crate) output: Option<TestFormat>,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    Json,
    Junit,
}

/// Runs the cases and prints what came out.
pub(crate) fn run(args: &Test, out: &mut impl Write) -> anyhow::Result<u8> {
    let read = |paths: &[PathBuf]| {
        let (paths, recursive) = (paths.to_vec(), args.recursive);
        files::read(&FileArgs { paths, recursive }, io::stdin())
    };
    let given = if args.paths.is_empty() {
        None
    } else {
        Some(mesh(args, &read(&args.paths)?)?)
    };
    let mut report = Report::default();
    for source in read(&args.tests)? {
        let file = cases::parse(&source)?;
        let mesh = match &given {
            Some(mesh) => mesh.clone(),
            None => mesh(
                args,
                &read(&manifests(&file)?).with_context(|| format!("manifests of {}", file.name()))?,
            )?,
        };
        let suite: Suite = file.run(&mesh)?;
        report.suites.push(suite);
    }
    print(args, &report, out)?;
    let missed = args.every_rule && !report.never_reached().is_empty();
    Ok(if report.holds() && !missed { 0 } else { NO })
}

fn mesh(args: &Test, sources: &[Source]) -> anyhow::Result<Mesh> {
    let (mesh, _) = Mesh::new().apply(parse(sources)?, 0)?;
    let (with_gateways, missing) = cases::assume_gateways(&mesh)?;
    let what = match args.assume_gateways {
        true => "taken to serve every host at port 80",
        false => "what is bound to it is nowhere (--assume-gateways takes it to serve every host)",
    };
    for gateway in missing {
        writeln!(io::stderr(), "note: no {gateway} in the manifests: {what}")?;
    }
    Ok(if args.assume_gateways { with_gateways } else { mesh })
}

/// Paths that a file of cases names, as seen from here.
fn manifests(file: &CaseFile) -> anyhow::Result<Vec<PathBuf>> {
    if file.manifests.is_empty() {
        bail!(
            "{}: say which manifests: `manifests:` in this file, or -f",
            file.name()
        );
    }
    let folder = Path::new(file.name()).parent().unwrap_or(Path::new(""));
    Ok(file
        .manifests
        .iter()
        .map(|path| plain(&folder.join(path)))
        .collect())
}

/// Without `a/..`, so that places are short to read.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match (part, plain.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                plain.pop();
            }
            (Component::CurDir, _) => {}
            _ => plain.push(part),
        }
    }
    plain
}

fn print(args: &Test, report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    match args.output {
        Some(TestFormat::Json) => writeln!(out, "{:#}", report.to_json())?,
        Some(TestFormat::Junit) => write!(out, "{}", report.to_junit())?,
        None => {
            write!(out, "{report}")?;
            if args.coverage || args.every_rule {
                write!(out, "{}", report.coverage_text())?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_file_of_cases_are_relative_to_it_and_short() {
        for (path, expected) in [
            ("routing-tests/../manifests/base", "manifests/base"),
            ("../a/./b", "../a/b"),
            ("a/../../b", "../b"),
            ("/a/../b", "/b"),
        ] {
            assert_eq!(plain(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
