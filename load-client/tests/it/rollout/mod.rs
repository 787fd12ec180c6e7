//! `load-client rollout` through the stages of the project, against a server that plays the mesh.
//!
//! The apply command writes the name of the stage to a file; the server draws what that stage declares, with a seed.
//! Verdicts are reached at alpha 10^-6 with a large budget: a test fails by chance about once in 10^5 runs.

mod gate; // a new version that fails
mod held; // what recorded proxies hold, beside the verdict
mod inside; // a client inside the mesh

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json as value};
use tempfile::TempDir;

use crate::command::{code, command, json, load_client, stderr, stdout};
use crate::lab::{Hat, STAGES, answered, declared, manifests, stage, with};
use crate::upstream::{Reply, Upstream, reply_of};

/// How long an answer takes that is slow.
const SLOW: Duration = Duration::from_millis(400);

/// What the mesh does besides drawing from the declared split.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Requests that still see the old stage after a change.
    late: usize,
    /// Requests after a change in which the proxy of each service's second pod still draws from the old stage.
    late_pod: usize,
    /// Requests that are dropped at a change.
    dropped: usize,
    /// Splits 80/20 where 90/10 is declared.
    wrong: bool,
    /// Never changes.
    deaf: bool,
    /// payment-service v2 fails this many of its requests in a hundred.
    failing: u32,
    /// It takes 400 ms instead of failing.
    slow: bool,
    /// It fails by closing the connection, so that no answer says who it was.
    crashing: bool,
    /// So does every version.
    alike: bool,
}

pub(crate) struct Lab {
    upstream: Upstream,
    folder: TempDir,
}

impl Faults {
    /// payment-service v2 fails so many of its requests in a hundred.
    pub(crate) fn canary_failing(percent: u32) -> Self {
        Faults {
            failing: percent,
            ..Faults::default()
        }
    }
}

struct Mesh {
    applied: PathBuf,
    hats: BTreeMap<String, Hat>,
    in_force: String,
    /// What was in force before.
    previous: String,
    /// The last request before which nothing was on its way.
    since: usize,
    /// The request that first saw what is in force.
    changed: usize,
    faults: Faults,
    random: SmallRng,
}

impl Mesh {
    fn answer(&mut self, canary: usize, number: usize) -> Reply {
        let applied = fs::read_to_string(&self.applied).unwrap();
        let applied = applied.trim();
        if applied == self.in_force || self.faults.deaf {
            self.since = number;
        } else if number - self.since > self.faults.late {
            self.previous = std::mem::replace(&mut self.in_force, applied.to_owned());
            (self.since, self.changed) = (number, number);
        } else if number - self.since <= self.faults.dropped {
            return Reply::Close;
        }
        let first = self.hat(&self.in_force.clone()).first(canary);
        let unwell = (first.version == "v2" || self.faults.alike)
            && self.random.random_range(0..100) < self.faults.failing;
        if unwell && !self.faults.slow {
            if self.faults.crashing {
                return Reply::Close;
            }
            // It has not come to call anybody.
            let served_by = format!("{}/{}/{}", first.service, first.version, first.instance);
            return Reply::Answer(500, vec![("x-served-by", served_by)], String::new());
        }
        let late = first.instance == "pod-1" && number - self.changed <= self.faults.late_pod;
        let (old, new) = (self.previous.clone(), self.in_force.clone());
        let second = late.then(|| self.hat(&old).second(canary, &first)).flatten();
        // The old stage does not expect calls of a version that it sends nothing to.
        let second = second.or_else(|| self.hat(&new).second(canary, &first));
        let hops: Vec<_> = [first].into_iter().chain(second).collect();
        let reply = reply_of(&answered(canary, 200, &hops));
        if unwell {
            Reply::After(SLOW, Box::new(reply))
        } else {
            reply
        }
    }

    fn hat(&mut self, stage: &str) -> &mut Hat {
        self.hats.get_mut(stage).unwrap()
    }
}

impl Lab {
    pub(crate) fn new(faults: Faults) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let applied = folder.path().join("applied");
        fs::write(&applied, "10-stable").unwrap();
        let hat = |name: &str| {
            let mut mesh = stage(name);
            if faults.wrong && name == "30-canary-10" {
                let file = PathBuf::from(manifests("stages/30-canary-10")).join("virtual-services.yaml");
                let text = fs::read_to_string(file).unwrap();
                mesh = with(
                    &mesh,
                    &text
                        .replace("weight: 90", "weight: 80")
                        .replace("weight: 10\n", "weight: 20\n"),
                );
            }
            (name.to_owned(), Hat::new(&declared(&mesh), 3))
        };
        let mesh = Arc::new(Mutex::new(Mesh {
            applied,
            hats: STAGES.into_iter().map(hat).collect(),
            in_force: "10-stable".to_owned(),
            previous: "10-stable".to_owned(),
            since: 0,
            changed: 0,
            faults,
            random: SmallRng::seed_from_u64(5),
        }));
        let upstream = Upstream::start(move |seen| {
            let canary = usize::from(seen.header("x-canary") == "true");
            mesh.lock().unwrap().answer(canary, seen.number)
        });
        Lab { upstream, folder }
    }

    /// Writes the name of the folder that it is given to the file, at once.
    pub(crate) fn apply(&self) -> String {
        let folder = self.folder.path().display();
        format!(r#"sh -c 'basename "$0" > "{folder}/new" && mv "{folder}/new" "{folder}/applied"'"#)
    }

    fn applied(&self) -> String {
        fs::read_to_string(self.folder.path().join("applied"))
            .unwrap()
            .trim()
            .to_owned()
    }

    fn arguments(&self, apply: &str, words: &[&str]) -> Vec<String> {
        let (url, stages, base) = (
            self.upstream.url("/payments"),
            manifests("stages"),
            manifests("base"),
        );
        let fixed = [
            "rollout",
            "--url",
            &url,
            "-X",
            "POST",
            "--stages",
            &stages,
            "--manifests",
            &base,
            "--apply",
            apply,
        ];
        let judged = [
            "--then",
            "POST http://auth-service:8080/verify",
            "--alpha",
            "0.000001",
            "--budget",
            "200000",
        ];
        let words = [&fixed[..], &judged, words].concat();
        words.into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn rollout(&self, apply: &str, words: &[&str]) -> Output {
        let arguments = self.arguments(apply, words);
        load_client(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

fn walked(report: &Value) -> Vec<(&str, &str, bool)> {
    let stages = report["stages"].as_array().unwrap().iter();
    stages
        .map(|stage| {
            let text = |name: &str| stage[name].as_str().unwrap();
            (text("stage"), text("verdict"), stage["rollback"] == true)
        })
        .collect()
}

#[test]
fn all_stages_and_back_are_confirmed_over_the_same_connections() {
    let lab = Lab::new(Faults::default());
    let output = lab.rollout(&lab.apply(), &["--return-to-first", "-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    let expected: Vec<_> = STAGES
        .iter()
        .chain(&STAGES[..1])
        .map(|name| (*name, "CONFIRMED", false))
        .collect();
    assert_eq!(walked(&report), expected);
    assert_eq!(report["errors"], 0);
    assert_eq!(lab.applied(), "10-stable");
    let seen = lab.upstream.seen();
    assert!(
        seen.iter().all(|seen| seen.connection < 16),
        "no connection was made again"
    );
    assert_eq!(report["requests"], seen.len(), "every request is accounted for");
    let lines = stderr(&output);
    for stage in STAGES {
        assert!(lines.contains(&format!("{stage}: CONFIRMED after ")), "{lines}");
    }
}

#[test]
fn a_stage_that_is_not_as_declared_is_rolled_back() {
    let lab = Lab::new(Faults {
        wrong: true,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &["--rollback-on-failure", "-o", "json"]);
    assert_eq!(code(&output), 1, "{output:?}");
    let report = json(&output);
    let expected = [
        ("10-stable", "CONFIRMED", false),
        ("20-header-canary", "CONFIRMED", false),
        ("30-canary-10", "VIOLATION", false),
        ("20-header-canary", "CONFIRMED", true),
    ];
    assert_eq!(walked(&report), expected);
    assert_eq!(lab.applied(), "20-header-canary");
    assert_eq!(
        report["reason"],
        "30-canary-10 was rolled back to 20-header-canary: CONFIRMED"
    );
}

#[test]
fn without_leave_to_roll_back_the_failed_stage_stays() {
    let lab = Lab::new(Faults {
        wrong: true,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &[]);
    assert_eq!(code(&output), 1, "{output:?}");
    assert_eq!(lab.applied(), "30-canary-10");
    assert!(
        stdout(&output).contains("stopped at 30-canary-10"),
        "{}",
        stdout(&output)
    );
}

/// Judged from the apply command on, 500 requests of the old stage would be a VIOLATION or a LEAK.
#[test]
fn a_change_that_comes_late_is_waited_for() {
    let lab = Lab::new(Faults {
        late: 500,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &["-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    for stage in &report["stages"].as_array().unwrap()[1..] {
        assert!(stage["in_force_after_seconds"].as_f64().is_some(), "{stage:#}");
        assert!(stage["change_requests"].as_u64().unwrap() >= 500, "{stage:#}");
    }
}

/// The pods of a service are told one after the other. Pooled over the pods, the new split would be seen as soon as the
/// first of them has it, and what the other still sends would be a VIOLATION.
#[test]
fn a_pod_whose_proxy_changes_late_is_waited_for() {
    let lab = Lab::new(Faults {
        late_pod: 2_000,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &["-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    for stage in &json(&output)["stages"].as_array().unwrap()[2..4] {
        assert!(stage["change_requests"].as_u64().unwrap() >= 2_000, "{stage:#}");
    }
}

#[test]
fn requests_that_a_change_drops_are_counted_with_its_stage() {
    let lab = Lab::new(Faults {
        late: 100,
        dropped: 3,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &["-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    let errors: Vec<_> = report["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| &stage["change_errors"])
        .collect();
    assert_eq!(errors, [0, 3, 3, 3, 3]);
    assert_eq!(
        report["stages"][1]["change_errors_with"],
        value!({"connection closed early": 3})
    );
    assert_eq!(report["errors"], 12);
}

#[test]
fn a_change_that_never_comes_is_judged_as_it_is() {
    let lab = Lab::new(Faults {
        deaf: true,
        ..Faults::default()
    });
    let output = lab.rollout(
        &lab.apply(),
        &["--only", "50-promoted", "--settle-within", "300ms", "-o", "json"],
    );
    assert_eq!(code(&output), 1, "{output:?}");
    let report = json(&output);
    assert_eq!(walked(&report), [("50-promoted", "LEAK", false)]);
    let reason = report["stages"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("not seen within 300ms on client -> payment-service"),
        "{reason}"
    );
}

#[test]
fn an_apply_command_that_fails_is_shown_and_ends_the_walk() {
    let lab = Lab::new(Faults::default());
    let output = lab.rollout("sh -c 'echo no such subset; exit 3'", &[]);
    assert_eq!(code(&output), 2, "{output:?}");
    let text = stdout(&output);
    assert!(
        text.contains("no such subset") && text.contains("exit status: 3"),
        "{text}"
    );
    let missing = lab.rollout("/no/such/program", &[]);
    assert_eq!(code(&missing), 2);
    assert!(stdout(&missing).contains("/no/such/program"), "{missing:?}");
    let nothing = lab.rollout("''", &["--only", "10"]);
    assert!(
        stderr(&nothing).contains("it has 10-stable, 20-header-canary"),
        "{nothing:?}"
    );
}

#[test]
fn ctrl_c_prints_what_is_known_and_exits_2() {
    let lab = Lab::new(Faults::default());
    // Half of 1 %: far more requests than are sent before the signal.
    let arguments = lab.arguments(&lab.apply(), &["--only", "40-canary-50", "--tolerance", "0.01pp"]);
    let child = command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
        .spawn()
        .unwrap();
    while lab.upstream.seen().len() < 2_000 {
        std::thread::yield_now();
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 2, "{output:?}");
    let text = stdout(&output);
    assert!(
        text.contains("40-canary-50") && text.contains("UNDECIDED") && text.contains("interrupted"),
        "{text}"
    );
}
