//! `plan`, and every plan of the catalogue on a running mesh under load.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crate::kit::{Lab, Up, get, until, verb};

/// Requests that must have been answered before and after a change, on each way in.
const SOME: u64 = 20;

/// Requests, one after the other, on each way in until it is dropped.
struct Load {
    stop: Arc<AtomicBool>,
    good: [Arc<AtomicU64>; 2],
    bad: Arc<AtomicU64>,
    ways: Vec<JoinHandle<()>>,
}

impl Load {
    /// Through the gateway, and from inside the mesh.
    fn start(up: &Up) -> Self {
        let status = up.json(&["status", "-o", "json"]);
        let inside: SocketAddr = status["clients"][0]["address"].as_str().unwrap().parse().unwrap();
        let targets = [
            (up.gateway(), "any", "/"),
            (inside, "echo:8080", "http://echo:8080/"),
        ];
        let mut load = Load {
            stop: Arc::default(),
            good: [Arc::default(), Arc::default()],
            bad: Arc::default(),
            ways: Vec::new(),
        };
        for (index, (address, host, target)) in targets.into_iter().enumerate() {
            let (stop, good, bad) = (load.stop.clone(), load.good[index].clone(), load.bad.clone());
            load.ways.push(thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    match get(address, host, target) {
                        Some((200, _)) => good.fetch_add(1, Ordering::Relaxed),
                        _ => bad.fetch_add(1, Ordering::Relaxed),
                    };
                }
            }));
        }
        load
    }

    /// Waits until so many more were answered on each way.
    fn more(&self, number: u64) {
        let goals = self
            .good
            .each_ref()
            .map(|good| good.load(Ordering::Relaxed) + number);
        until("answers on both ways", || {
            self.good
                .iter()
                .zip(goals)
                .all(|(good, goal)| good.load(Ordering::Relaxed) >= goal)
        });
    }

    /// Waits until so many were answered badly.
    fn wait_for_bad(&self, number: u64) {
        until("errors", || self.bad.load(Ordering::Relaxed) >= number);
    }

    /// How many were answered badly.
    fn finish(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for way in self.ways.drain(..) {
            way.join().unwrap();
        }
        self.bad.load(Ordering::Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mesh-config/tests/data/plans/possible")
}

/// The old side of a change runs; the path of its new side.
fn start(lab: &Lab, example: &Path) -> (Up, String) {
    let old = fs::read_to_string(example.join("old.yaml")).unwrap();
    let options = ["--gateway", "127.0.0.1:0", "--client", "shop/caller@127.0.0.1:0"];
    let new = example.join("new.yaml");
    (lab.up(&old, &options), new.to_str().unwrap().to_owned())
}

#[test]
fn every_plan_of_the_catalogue_is_carried_out_under_load_without_an_error() {
    let mut examples: Vec<PathBuf> = fs::read_dir(catalogue())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    examples.sort();
    assert!(examples.len() >= 12);
    for example in examples {
        let lab = Lab::new();
        let (up, new) = start(&lab, &example);
        let load = Load::start(&up);
        load.more(SOME);
        let applied = up.verb(&["plan", "-f", &new, "--from", "mesh", "--apply"]);
        assert_eq!(applied.code, 0, "{example:?}: {applied:?}");
        load.more(SOME);
        assert_eq!(load.finish(), 0, "{example:?}: {applied:?}");
        let again = up.ok(&["plan", "-f", &new, "--from", "mesh"]);
        assert_eq!(again, "nothing to do\n", "{example:?}");
    }
}

/// The same change without a plan: routes lead to v2 before its pods are ready.
#[test]
fn a_change_all_at_once_fails_requests() {
    let lab = Lab::new();
    let (up, new) = start(&lab, &catalogue().join("version-replaced"));
    let load = Load::start(&up);
    load.more(SOME);
    up.ok(&["apply", "-f", &new]);
    load.wait_for_bad(1);
    load.finish();
}

/// The files of the phases, backwards: pods go before the routes move, or routes move before there are pods. What refuses a
/// subset that nothing defines is `apply` itself.
#[test]
fn the_phases_backwards_fail_requests_or_are_refused() {
    for (name, refused) in [
        ("version-retired", true),
        ("service-retired", false),
        ("canary-begins", true),
        ("service-added", false),
    ] {
        let lab = Lab::new();
        let (up, new) = start(&lab, &catalogue().join(name));
        // Paths to the other service, as far as the old side has them.
        let load = Load::start(&up);
        load.more(SOME);
        let folder = lab.path("phases");
        up.ok(&[
            "plan",
            "-f",
            &new,
            "--from",
            "mesh",
            "--out",
            folder.to_str().unwrap(),
        ]);
        let mut files: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let mut refusals = 0;
        let mut lost = false;
        for file in files.iter().rev() {
            let file = file.to_str().unwrap();
            let verb = if file.ends_with("-delete.yaml") {
                "delete"
            } else {
                "apply"
            };
            refusals += i32::from(up.verb(&[verb, "-f", file]).code != 0);
            lost |= get(up.gateway(), "any", "/other").is_none_or(|(status, _)| status == 503);
        }
        if refused {
            assert!(refusals > 0, "{name}: apply took every phase");
        } else {
            assert!(lost, "{name}: /other was answered all the time");
        }
        if name == "version-retired" {
            // Its pods went first, and the routes still lead there.
            load.wait_for_bad(1);
        }
        load.finish();
    }
}

#[test]
fn a_plan_is_printed_written_and_refused() {
    let side = |kind: &str, name: &str, side: &str| {
        let path = catalogue().join("..").join(kind).join(name).join(side);
        path.to_str().unwrap().to_owned()
    };
    let (old, new) = (
        side("possible", "version-replaced", "old.yaml"),
        side("possible", "version-replaced", "new.yaml"),
    );
    let lab = Lab::new();
    let folder = lab.path("out");
    let answer = verb(&[
        "plan",
        "-f",
        &new,
        "--from",
        &old,
        "--out",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.out.contains("6 steps in 5 phases"), "{}", answer.out);
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "01-workloads.yaml",
            "02-rules.yaml",
            "03-routes.yaml",
            "04-tidy.yaml",
            "05-remove-delete.yaml"
        ]
    );
    let yaml = verb(&["plan", "-f", &new, "--from", &old, "-o", "yaml"]).out;
    assert!(
        yaml.contains("# phase 2, to apply:") && yaml.contains("# keeps subset v1"),
        "{yaml}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&verb(&["plan", "-f", &new, "--from", &old, "-o", "json"]).out).unwrap();
    assert_eq!(json["phases"][0]["stage"], "workloads");

    let (old, new) = (
        side("refused", "protocol", "old.yaml"),
        side("refused", "protocol", "new.yaml"),
    );
    let answer = verb(&["plan", "-f", &new, "--from", &old]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(
        answer.out.contains("REFUSED") && answer.out.contains("new.yaml:") && answer.out.contains("way out"),
        "{answer:?}"
    );
    assert_eq!(verb(&["plan", "-f", &new, "--from", "/nowhere"]).code, 2);
    assert_eq!(verb(&["plan", "-f", &new, "--from", &old, "--apply"]).code, 2);
}
