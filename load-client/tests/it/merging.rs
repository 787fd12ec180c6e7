//! Several clients and one: the verdict of the sum is that of a client that saw all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use load_client::judge::{EdgeCounts, Judge, Tally};
use load_client::outcome::{Failure, Outcome};
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::command::{code, command, json, load_client, stderr, stdout};
use crate::lab::{answered, declared, failed, hop, stage, terms};
use crate::upstream::{Upstream, served_by};

/// An answer from `payment/auth` versions, or none; strangers and errors among them.
fn outcome() -> impl Strategy<Value = Outcome> {
    let version = || prop_oneof![5 => Just("v1"), 3 => Just("v2"), 1 => Just("v9")];
    let answer = (version(), version(), prop_oneof![9 => Just(201), 1 => Just(503)]);
    let answer =
        (answer, 0..=2usize, 1..5_000_000u64).prop_map(|((first, second, status), known, micros)| {
            let hops = [hop("payment-service", first), hop("auth-service", second)];
            let mut outcome = answered(0, status, &hops[..known]);
            outcome.latency = Duration::from_micros(micros);
            outcome.from_intended = Duration::from_micros(micros * 3);
            outcome.attempts = 1 + u32::from(status == 503);
            outcome
        });
    prop_oneof![20 => answer, 1 => Just(failed(Failure::Timeout))]
}

/// What a client counts of these.
fn counted(outcomes: &[&Outcome]) -> Judge {
    let mut judge = Judge::new(declared(&stage("30-canary-10")), &terms()).unwrap();
    for outcome in outcomes {
        judge.record(outcome);
    }
    judge
}

/// As it is read again after it was written down.
fn written<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn counts_of_any_division_sum_to_those_of_the_whole_and_so_does_the_verdict(
        outcomes in prop::collection::vec((outcome(), 0..4usize), 0..300),
    ) {
        let all: Vec<&Outcome> = outcomes.iter().map(|(outcome, _)| outcome).collect();
        let mut whole = counted(&all);
        let shards = (0..4).map(|shard| {
            let own: Vec<&Outcome> =
                outcomes.iter().filter(|(_, of)| *of == shard).map(|(outcome, _)| outcome).collect();
            let judge = counted(&own);
            let edges: Vec<EdgeCounts> = judge.edges().iter().map(EdgeCounts::of).collect();
            (written(&edges), written(judge.tally()))
        });
        let (edges, tally) = shards
            .reduce(|(mut edges, mut tally): (Vec<EdgeCounts>, Tally), (more, other)| {
                edges.iter_mut().zip(&more).for_each(|(edge, more)| edge.add(more));
                tally.add(&other);
                (edges, tally)
            })
            .unwrap();
        let of_whole: Vec<EdgeCounts> = whole.edges().iter().map(EdgeCounts::of).collect();
        prop_assert_eq!(&edges, &of_whole);
        prop_assert_eq!(&tally, whole.tally());
        let mut sum = Judge::of_counts(&edges, tally, &terms()).unwrap();
        prop_assert_eq!(sum.stop(), whole.stop());
        for (sum, whole) in sum.edges().iter().zip(whole.edges()) {
            let (sum, whole) = (sum.finding().unwrap(), whole.finding().unwrap());
            prop_assert_eq!(sum.log_e.to_bits(), whole.log_e.to_bits());
            prop_assert_eq!(sum, whole);
        }
    }
}

/// v2 with a probability of one tenth; draws do not end with a client.
fn ninety_ten() -> Upstream {
    let rng = Mutex::new(SmallRng::seed_from_u64(11));
    Upstream::start(move |_| {
        served_by(if rng.lock().unwrap().random_bool(0.1) {
            "shop/v2/b"
        } else {
            "shop/v1/a"
        })
    })
}

/// Runs one client of several and keeps its result.
fn client(folder: &Path, upstream: &Upstream, shard: &str, words: &[&str]) -> PathBuf {
    let url = upstream.url("/pay");
    let fixed = [
        "run",
        "--url",
        &url,
        "--shard",
        shard,
        "-o",
        "json",
        "-H",
        "x-n: {n}",
        "-H",
        "x-key: {uuid}",
    ];
    let output = load_client(&[&fixed[..], words].concat());
    assert_eq!(code(&output), 0, "{output:?}");
    let path = folder.join(format!("{}.json", shard.replace('/', "-of-")));
    std::fs::write(&path, &output.stdout).unwrap();
    path
}

const ASKED: [&str; 8] = [
    "--requests",
    "3001",
    "--expect",
    "v1=90,v2=10",
    "--tolerance",
    "5pp",
    "--seed",
    "5",
];

fn merge(files: &[&Path]) -> Output {
    let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    load_client(&[&["merge"], &files[..], &["-o", "json"]].concat())
}

/// At alpha 0.001 with a tolerance of 5 points 3,001 requests are four times the median: not confirmed once in 10^5.
#[test]
fn three_clients_make_one_run_and_the_sum_has_the_verdict() {
    let (folder, upstream) = (tempfile::tempdir().unwrap(), ninety_ten());
    let files: Vec<PathBuf> = (0..3)
        .map(|index| client(folder.path(), &upstream, &format!("{index}/3"), &ASKED))
        .collect();
    let one: Value = serde_json::from_str(&std::fs::read_to_string(&files[0]).unwrap()).unwrap();
    assert!(one["judgement"].is_null(), "the verdict is that of the sum");
    assert_eq!((&one["requests"], &one["shard"]["of"]), (&1000.into(), &3.into()));

    let output = merge(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    assert_eq!(code(&output), 0, "{output:?}");
    let sum = json(&output);
    assert_eq!((&sum["requests"], &sum["clients"]), (&3001.into(), &3.into()));
    let judgement = &sum["judgement"];
    assert_eq!(judgement["verdict"], "CONFIRMED");
    assert_eq!(judgement["edges"][0]["n"], 3001);
    assert_eq!(
        judgement["edges"][0]["independence"]["dependence"], "independent",
        "{judgement:#}"
    );
    let v2 = sum["versions"]["v2"]["requests"].as_u64().unwrap();
    assert_eq!(judgement["edges"][0]["versions"][1]["count"], v2);

    let seen = upstream.seen();
    let mut numbers: Vec<u64> = seen
        .iter()
        .map(|seen| seen.header("x-n").parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 3001, "no two requests have the same number");
    let keys: std::collections::BTreeSet<&str> = seen.iter().map(|seen| seen.header("x-key")).collect();
    assert_eq!(
        keys.len(),
        3001,
        "nor the same key, although the seed is the same"
    );
}

/// As `kubectl logs` does it, with what else a client says between them.
#[test]
fn results_are_read_from_a_stream_with_other_lines_between_them() {
    let (folder, upstream) = (tempfile::tempdir().unwrap(), ninety_ten());
    let files = ["0/2", "1/2"].map(|shard| client(folder.path(), &upstream, shard, &ASKED));
    let mut child = command(&["merge", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for file in &files {
        writeln!(
            stdin,
            "waiting for {{it}}\n{}",
            std::fs::read_to_string(file).unwrap()
        )
        .unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let table = stdout(&output);
    println!("{table}");
    assert!(table.contains("3,001 answers in"), "{output:?}");
    assert!(table.contains("over 2 clients with 16 connections"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
}

#[test]
fn clients_that_do_not_see_the_same_are_told_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let right = ninety_ten();
    let words = [
        "--requests",
        "6000",
        "--expect",
        "v1=90,v2=10",
        "--connections",
        "4",
    ];
    let first = client(folder.path(), &right, "0/2", &words);
    let old = Upstream::start(|_| served_by("shop/v1/a"));
    let second = client(folder.path(), &old, "1/2", &words);
    // A proxy of its own that has old rules: the same address for all but this one.
    let text = std::fs::read_to_string(&second).unwrap();
    std::fs::write(
        &second,
        text.replace(&old.address.to_string(), &right.address.to_string()),
    )
    .unwrap();
    let output = merge(&[&first, &second]);
    assert_eq!(code(&output), 1, "{output:?}");
    let edge = &json(&output)["judgement"]["edges"][0];
    assert_eq!(edge["independence"]["dependence"], "unequal-sources");
    let note = edge["independence"]["note"].as_str().unwrap();
    assert!(note.contains("client 1 0 %"), "{note}");
}

#[test]
fn results_that_do_not_belong_together_are_refused_with_what_is_wrong() {
    let (folder, upstream) = (tempfile::tempdir().unwrap(), ninety_ten());
    let words = ["--requests", "60", "--expect", "v1=90,v2=10", "--seed", "5"];
    let [first, second, third] =
        ["0/3", "1/3", "2/3"].map(|shard| client(folder.path(), &upstream, shard, &words));
    let refused = |files: &[&Path], wanted: &[&str]| {
        let output = merge(files);
        let said = stderr(&output);
        assert_eq!((code(&output), output.stdout.len()), (2, 0), "{output:?}");
        for wanted in wanted {
            assert!(said.contains(wanted), "`{wanted}` in: {said}");
        }
    };
    let twice = ["0-of-3.json:1 and ", "are both of shard 0/3", "leave one out"];
    refused(&[&first, &second, &third, &first], &twice);
    refused(&[&second], &["of 3 clients 0, 2 are missing"]);

    let text = std::fs::read_to_string(&third).unwrap();
    let edited = folder.path().join("edited.json");
    let with = |text: &str, wanted: &[&str]| {
        std::fs::write(&edited, text).unwrap();
        refused(&[&first, &second, &edited], wanted);
    };
    let differs = |pointer: &str, value: Value, wanted: &str| {
        let mut document: Value = serde_json::from_str(&text).unwrap();
        *document.pointer_mut(pointer).unwrap() = value;
        with(&document.to_string(), &["are not of one run", wanted]);
    };
    differs(
        "/counts/asked/url",
        "http://elsewhere/".into(),
        "look at the URL: http://",
    );
    differs("/counts/asked/seed", 6.into(), "look at the seed: 5, 6");
    differs(
        "/counts/edges/0/declared/v2",
        "0.2".into(),
        "look at what is declared: client -> ",
    );
    differs(
        "/counts/terms/tolerance",
        0.03.into(),
        "look at the terms of the verdict: alpha",
    );
    differs(
        "/counts/parts/0/shard/of",
        4.into(),
        "look at the number of clients: 3, 4",
    );

    with(
        &text[..text.len() / 2],
        &["edited.json:1: the result that begins here is cut off"],
    );
    with(
        "{\"verdict\": 3}",
        &[
            "edited.json:1: not a result of `load-client run -o json`",
            "counts",
        ],
    );
    with(
        "no result\n",
        &["edited.json: there is no result in it", "--tail=-1"],
    );
    refused(&[Path::new("/nowhere.json")], &["cannot read `/nowhere.json`"]);
}
