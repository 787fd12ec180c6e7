//! `test`: unit tests for routing.

use std::collections::BTreeSet;
use std::path::Path;

use crate::kit::{Lab, echo, gateway, verb};

const CASES: &str = "manifests: [mesh.yaml]
testCases:
- description: outside
  request: {authority: any, uri: [/, /a]}
  route: [{destination: {host: echo, port: {number: 8080}}}]
";

#[test]
fn the_exit_code_says_whether_all_cases_hold_and_files_are_right() {
    let lab = Lab::new();
    lab.file("mesh.yaml", &(echo(1, "") + &gateway(&[80])));
    let cases = |name: &str, text: &str| lab.file(name, text);
    let good = cases("good.yaml", CASES);
    let answer = verb(&["test", "-t", &good]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer
            .out
            .ends_with("1 of 1 cases hold, 2 requests; 1 of 1 rules reached\n"),
        "{answer:?}"
    );

    let wrong = cases("wrong.yaml", &CASES.replace("8080", "80"));
    let answer = verb(&["test", "-t", &wrong]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(
        answer.out.contains("wrong.yaml:3") && answer.out.contains("mesh.yaml:"),
        "{answer:?}"
    );
    assert!(
        verb(&["test", "-t", &wrong, "-o", "junit"])
            .out
            .contains("failures=\"1\"")
    );
    let json: serde_json::Value =
        serde_json::from_str(&verb(&["test", "-t", &wrong, "-o", "json"]).out).unwrap();
    assert_eq!(json["cases"][0]["holds"], false);

    let odd = cases("odd.yaml", &CASES.replace("authority", "autority"));
    let answer = verb(&["test", "-t", &odd]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(
        answer.err.contains("odd.yaml:4:13") && answer.err.contains("did you mean `authority`"),
        "{answer:?}"
    );

    let nowhere = cases("nowhere.yaml", &CASES.replace("manifests: [mesh.yaml]\n", ""));
    let answer = verb(&["test", "-t", &nowhere]);
    assert!(
        answer.code == 2 && answer.err.contains("say which manifests"),
        "{answer:?}"
    );
    let mesh = lab.path("mesh.yaml");
    assert_eq!(
        verb(&["test", "-t", &nowhere, "-f", mesh.to_str().unwrap()]).code,
        0
    );
}

#[test]
fn a_rule_without_a_case_is_told_and_may_be_asked_for() {
    let lab = Lab::new();
    lab.file("mesh.yaml", &(echo(1, "") + &gateway(&[80])));
    let inside = lab.file(
        "inside.yaml",
        &CASES.replace(
            "{authority: any",
            "{from: {namespace: shop}, authority: 'echo:8080'",
        ),
    );
    let answer = verb(&["test", "-t", &inside]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let answer = verb(&["test", "-t", &inside, "--every-rule"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(
        answer.out.contains("rules never reached\n")
            && answer.out.contains("VirtualService shop/door, http[0]"),
        "{answer:?}"
    );
}

#[test]
fn every_stage_and_scenario_of_the_project_has_cases_that_reach_every_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tests = root.join("routing-tests");
    let answer = verb(&["test", "--every-rule", "-t", tests.to_str().unwrap()]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root.join("manifests").join(folder)).unwrap();
        entries
            .map(|entry| {
                format!(
                    "../manifests/{folder}/{}",
                    entry.unwrap().file_name().to_str().unwrap()
                )
            })
            .collect()
    };
    let text: String = std::fs::read_dir(&tests)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for folder in names("stages").union(&names("scenarios")) {
        assert!(text.contains(folder.as_str()), "{folder} has no test cases");
    }
}
