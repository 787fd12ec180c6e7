//! Results that are kept: the contract of the JSON, the other forms made of it, files beside the screen.
//!
//! Verdicts are reached at alpha 10^-6: see `rollout`.

use std::fs;
use std::path::Path;

use load_client::report::SavedReport;
use serde_json::{Value, json as value};

use crate::command::{code, json, load_client, stderr, stdout};
use crate::rollout::{Faults, Lab};
use crate::upstream::{Upstream, served_by};

const SCHEMA: &str = include_str!("../../schema/report.schema.json");

/// Nine in ten from v1.
fn nine_to_one() -> Upstream {
    Upstream::start(|seen| {
        served_by(if seen.number % 10 == 9 {
            "shop/v2/b"
        } else {
            "shop/v1/a"
        })
    })
}

fn verified(split: &str) -> Value {
    json(&load_client(&[
        "verify",
        "--url",
        &nine_to_one().url("/"),
        "--expect",
        split,
        "-o",
        "json",
    ]))
}

/// A rollout whose canary fails and is rolled back.
fn rolled_back() -> Value {
    let lab = Lab::new(Faults::canary_failing(30));
    json(&lab.rollout(&lab.apply(), &["--rollback-on-failure", "-o", "json"]))
}

fn errors(report: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    validator
        .iter_errors(report)
        .map(|error| error.to_string())
        .collect()
}

#[test]
fn the_json_of_verifications_and_rollouts_keeps_to_the_committed_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    for report in [
        verified("v1=90,v2=10"),
        verified("v1=50,v2=50"),
        verified("v1=1,v2=0"),
        rolled_back(),
    ] {
        assert_eq!(errors(&report), Vec::<String>::new(), "{report:#}");
    }
}

#[test]
fn the_schema_refuses_a_report_that_is_damaged() {
    let sound = rolled_back();
    let damages: [(&str, Value); 6] = [
        ("/verdict", value!("FINE")),
        ("/requests", value!(-1)),
        ("/stages/0/paths/0/edges/0/versions/0/declared", value!(1.5)),
        ("/stages/0/paths/0/edges/0/evidence", value!([[1, 2, 3]])),
        ("/stages/1/gates/0/alarm", value!("yes")),
        ("/outcome", Value::Null),
    ];
    for (place, wrong) in damages {
        let mut damaged = sound.clone();
        *damaged.pointer_mut(place).unwrap() = wrong;
        assert!(!errors(&damaged).is_empty(), "{place}");
    }
    let mut lacking = sound.clone();
    lacking["stages"][0]
        .as_object_mut()
        .unwrap()
        .remove("change_errors")
        .unwrap();
    assert!(!errors(&lacking).is_empty(), "a field is missing");
    let mut unknown = sound;
    unknown["stages"][0]["weather"] = value!("fair");
    assert!(!errors(&unknown).is_empty(), "a field that nobody knows");
}

#[test]
fn what_was_saved_is_shown_again_as_it_was_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let lab = Lab::new(Faults::canary_failing(30));
    let files = ["a.json", "a.html", "a.md", "a.xml", "a.txt"].map(at);
    let mut words = vec!["--rollback-on-failure"];
    words.extend(files.iter().flat_map(|file| ["--report", file]));
    let output = lab.rollout(&lab.apply(), &words);
    assert_eq!(code(&output), 1, "{output:?}");
    let forms = ["json", "html", "markdown", "junit", "table"];
    for (form, file) in forms.into_iter().zip(&files) {
        let again = load_client(&["report", &files[0], "-o", form]);
        assert_eq!(code(&again), 0, "{again:?}");
        assert_eq!(stdout(&again), fs::read_to_string(file).unwrap(), "{form}");
    }
    assert_eq!(
        stdout(&output),
        fs::read_to_string(&files[4]).unwrap(),
        "the screen"
    );
    assert_eq!(names(folder.path()).len(), files.len(), "nothing else is left");
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_report_says_how_it_was_made() {
    let report = verified("v1=90,v2=10");
    let made = &report["made"];
    let command = made["command"].as_str().unwrap();
    assert!(command.contains("verify --url http://127.0.0.1:"), "{command}");
    assert!(command.ends_with("--expect 'v1=90,v2=10'"), "{command}");
    assert!(made["seconds"].as_f64().unwrap() > 0.0);
    assert!(made["began"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let within = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(within("folder.html")).unwrap();
    let upstream = nine_to_one();
    for (file, wanted) in [
        (
            within("missing/a.html"),
            "nothing can be written there; make the folder, or name another",
        ),
        (
            within("folder.html"),
            "that is a folder; give the name of a file in it",
        ),
        (
            within("a.pdf"),
            "the name has to end in .html, .md, .xml, .json or .txt",
        ),
    ] {
        let sound = within("sound.json");
        let url = upstream.url("/");
        let words = [
            "verify",
            "--url",
            &url,
            "--expect",
            "v1=90,v2=10",
            "--report",
            &sound,
            "--report",
            &file,
        ];
        let output = load_client(&words);
        assert_eq!(code(&output), 2, "{output:?}");
        assert!(
            stderr(&output).contains(wanted) && stderr(&output).contains(&file),
            "{output:?}"
        );
    }
    assert!(upstream.seen().is_empty(), "nothing was sent");
    assert_eq!(names(folder.path()), ["folder.html"], "nothing is left");
}

#[test]
fn what_is_no_report_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json");
    let whole = serde_json::to_string_pretty(&rolled_back()).unwrap();
    let renamed = whole.replacen("\"change_errors\"", "\"chang_errors\"", 1);
    for (text, wanted) in [
        (&whole[..whole.len() / 2], "not JSON: EOF while parsing"),
        ("{\"latency\": 1}", "JSON, but no report of"),
        (&renamed, "missing field `change_errors` at line "),
    ] {
        fs::write(&file, text).unwrap();
        let output = load_client(&["report", file.to_str().unwrap()]);
        assert_eq!(code(&output), 2, "{output:?}");
        assert!(
            stderr(&output).contains(wanted) && stderr(&output).contains("result.json"),
            "{output:?}"
        );
    }
    let missing = load_client(&["report", "/no/such/result.json"]);
    assert!(
        stderr(&missing).contains("cannot read `/no/such/result.json`"),
        "{missing:?}"
    );
    assert!(SavedReport::read(&whole).is_ok());
}
