//! Every check finds its case and leaves a near miss alone; `docs/checks.md` tells what they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use mesh_config::check::{Check, Istioctl, Layer, check, checks};
use serde::Deserialize;

use crate::kit::source;

/// What is there besides an example, unless it says otherwise.
const SHOP: &str = include_str!("../data/shop.yaml");

/// `tests/data/checks/CODE.yaml`.
#[derive(Deserialize)]
struct Example {
    finds: String,
    leaves: String,
    #[serde(default)]
    expand: BTreeMap<String, Repeat>,
}

/// A token that stands for a long text.
#[derive(Deserialize)]
struct Repeat {
    repeat: String,
    times: usize,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Codes of what is found in the shop with more objects, of which those of the same name replace the shop's.
fn codes(text: &str) -> Vec<&'static str> {
    // A text without an object is looked at alone.
    let alone = !text.contains("kind:");
    let all = if alone {
        text.to_owned()
    } else {
        format!("{SHOP}---\n{text}")
    };
    let report = check(&[source(&all)], &[]);
    report.findings.iter().map(|finding| finding.check.code).collect()
}

#[test]
fn every_check_finds_its_case_and_leaves_a_near_miss_alone() {
    let mut wrong = String::new();
    for one in checks() {
        let file = root().join(format!("tests/data/checks/{}.yaml", one.code));
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut example: Example =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", one.code));
        for (token, long) in &example.expand {
            example.finds = example.finds.replace(token, &long.repeat.repeat(long.times));
        }
        let (found, left) = (codes(&example.finds), codes(&example.leaves));
        if !found.contains(&one.code) {
            writeln!(wrong, "{}: its case has only {found:?}", one.code).unwrap();
        }
        if left.contains(&one.code) {
            writeln!(wrong, "{}: its near miss has it, too", one.code).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(
        codes("apiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n").is_empty(),
        "the shop is in order"
    );
}

#[test]
fn codes_are_given_once() {
    let all = checks();
    let mut codes: Vec<_> = all.iter().map(|one| one.code).collect();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
}

fn who(one: &Check) -> &'static str {
    match (one.layer, one.istioctl) {
        (Layer::Schema, _) => "the API server",
        (Layer::Webhook, Istioctl::Validate) => "istiod's webhook, validate, analyze",
        (Layer::Webhook, _) => "validate",
        (Layer::Proxy, _) => "Envoy, when it is too late",
        (_, Istioctl::Files | Istioctl::Validate) => "analyze",
        (_, Istioctl::Cluster) => "analyze on a cluster",
        (_, Istioctl::Never) => "nobody",
    }
}

/// The page, from the code.
fn page() -> String {
    let mut page = String::from(
        "# Checks\n\n\
         What `local-mesh check` looks for. Generated from the code; a test keeps it true.\n\n\
         Each check has a code of its own. Where Istio's tools have one for it, that is shown; `--suppress` and the annotation \
         `galley.istio.io/analyze-suppress` take both. \"Who else\" says who would tell you without this: `validate` and \
         `analyze` are `istioctl`'s.\n\n\
         | code | Istio's | severity | what | who else |\n|---|---|---|---|---|\n",
    );
    for one in checks() {
        let (code, istio) = (one.code, one.istio.unwrap_or("-"));
        let link = format!("[{code}](#{})", code.to_lowercase());
        writeln!(
            page,
            "| {link} | {istio} | {} | {} | {} |",
            one.severity,
            one.what,
            who(one)
        )
        .unwrap();
    }
    for one in checks() {
        write!(
            page,
            "\n## {}\n\n{}. {}\n\n{}\n",
            one.code,
            capital(one.what),
            one.why,
            one.fix
        )
        .unwrap();
    }
    page
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn the_page_of_checks_is_what_the_code_says() {
    let file = root().join("../docs/checks.md");
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(&file, page()).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page(),
        "docs/checks.md is not what the code says; run this test with WRITE_DOCS=1"
    );
}
