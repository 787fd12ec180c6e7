//! Recorded answers of istiod and Envoy as an oracle: where the proxy sent a request, this crate must send it, too.
//!
//! A development aid: it looks at destinations, path, Host and headers, not at timing, limits or bodies. Needs
//! `CONFORMANCE_DIR`, a folder `topic/case.yaml`; run it with `cargo test -p mesh-config -- --ignored --nocapture`.

mod check;
mod format;
mod replay;

use std::collections::BTreeMap;
use std::path::Path;

use format::Case;
use replay::{Replay, Verdict};

const TOPICS: &[&str] = &[
    "hosts",
    "selection",
    "matching",
    "weights",
    "subsets",
    "dr-lookup",
    "istio-routing",
    "istio-sidecar",
    "protocols",
    "paths",
    "gateway",
    "rewrite",
    "headers",
    "redirect",
    "direct-response",
    "delegate",
    "mirror",
];

#[test]
#[ignore = "needs CONFORMANCE_DIR, a folder of recorded cases"]
fn decisions_agree_with_the_recorded_ones() {
    let root =
        std::env::var_os("CONFORMANCE_DIR").expect("CONFORMANCE_DIR must name a folder of recorded cases");
    let (mut agreed, mut differing) = (0, Vec::new());
    for topic in TOPICS {
        let mut counts = BTreeMap::new();
        let folder = Path::new(&root).join(topic);
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in &files {
            let name = format!("{topic}/{}", file.file_stem().unwrap().to_string_lossy());
            let text = std::fs::read_to_string(file).unwrap();
            let case: Case = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            for (step, verdict) in Replay::run(&case) {
                *counts.entry(verdict.word()).or_insert(0) += 1;
                match verdict {
                    Verdict::Agrees => agreed += 1,
                    Verdict::Differs(why) => differing.push(format!("{name} step {step}: {why}")),
                    Verdict::NotSupported | Verdict::NotRouting => {}
                }
            }
        }
        eprintln!("{topic:<14} {} cases, steps: {counts:?}", files.len());
    }
    assert!(
        differing.is_empty(),
        "{} differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
    assert!(agreed >= 500, "only {agreed} steps were compared");
}
