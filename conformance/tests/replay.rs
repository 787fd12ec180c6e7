//! Every recorded case, against a real local-mesh.
#![allow(clippy::unwrap_used)]

use conformance::known::Known;
use conformance::mesh::Setup;
use conformance::{corpus, run, schedule};

/// Fails on what differs and is not listed, and on what is listed and does not differ.
///
/// Cases with random choices are tested at 1e-6 each; 906 of them are called wrong without reason less than once in
/// a thousand runs. `SEED=N` repeats a run.
#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_as_the_real_thing_but_for_those_listed() {
    let local_mesh = std::env::var_os("LOCAL_MESH")
        .map_or_else(run::local_mesh, |path| Ok(path.into()))
        .unwrap();
    let seed = std::env::var("SEED")
        .ok()
        .map_or_else(run::fresh_seed, |seed| seed.parse().unwrap());
    let setup = Setup { local_mesh, seed };
    let cases = corpus::all(&corpus::folder()).unwrap();
    let known = Known::read().unwrap();
    let ids: std::collections::BTreeSet<&str> = cases.iter().map(|found| found.id.as_str()).collect();
    let listed = known.pending.iter().chain(&known.by_nature);
    let strangers: Vec<&String> = listed.filter(|id| !ids.contains(id.as_str())).collect();
    assert!(
        strangers.is_empty(),
        "listed, but there are no such cases: {strangers:?}"
    );

    let report = run::run(cases, &setup, schedule::JOBS, &known, |_, _| {}).await;
    let mut text = Vec::new();
    report.write(&mut text, false).unwrap();
    println!("{}seed {seed}", String::from_utf8_lossy(&text));
    assert!(
        report.settled(),
        "see above; `cargo run --release -p conformance -- CASE` shows one case"
    );
}
