//! A rollout that is judged from inside the mesh as well.

use std::fs;

use serde_json::json as value;

use super::{Faults, Lab, walked};
use crate::command::{code, json, stderr};
use crate::lab::manifests;

impl Lab {
    /// A client inside the mesh that is reached by `command`.
    fn inside<'a>(&self, command: &'a str, words: &[&'a str]) -> Vec<&'a str> {
        let flags = [
            "--inside",
            command,
            "--inside-url",
            "http://payment-service:8080/payments",
            "--inside-from",
            "traffic-lab/load-client,app=load-client",
            "-o",
            "json",
        ];
        [&flags[..], words].concat()
    }

    /// Writes down its arguments and is load-client, with the server as its proxy.
    fn client(&self) -> String {
        let (program, folder) = (env!("CARGO_BIN_EXE_load-client"), self.folder.path().display());
        let proxy = self.upstream.url("");
        format!(
            r#"sh -c 'printf "%s\n" "$@" > "{folder}/arguments"; exec "{program}" verify --proxy "{proxy}" "$@"' sh"#
        )
    }
}

#[test]
fn a_client_inside_the_mesh_is_judged_on_the_same_terms_and_shares_alpha() {
    let lab = Lab::new(Faults::default());
    let client = lab.client();
    let output = lab.rollout(&lab.apply(), &lab.inside(&client, &["--only", "30-canary-10"]));
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    let paths = &report["stages"][0]["paths"];
    for (index, (path, from)) in [("gateway", "client"), ("in mesh", "load-client")]
        .into_iter()
        .enumerate()
    {
        let path_report = &paths[index];
        assert_eq!(
            (&path_report["path"], &path_report["verdict"]),
            (&value!(path), &value!("CONFIRMED"))
        );
        assert_eq!(path_report["edges"][0]["from"], from);
        for edge in path_report["edges"].as_array().unwrap() {
            // Three edges on each of two paths.
            let alpha = edge["alpha"].as_f64().unwrap();
            assert!((alpha * 6.0 - 0.000_001).abs() < 1e-15, "{edge:#}");
        }
    }
    let arguments = fs::read_to_string(lab.folder.path().join("arguments")).unwrap();
    let arguments: Vec<&str> = arguments.lines().collect();
    for wanted in [
        "--url=http://payment-service:8080/payments",
        "--method=POST",
        "--from=traffic-lab/load-client,app=load-client",
        "--then=POST http://auth-service:8080/verify",
        "--tolerance=2pp",
        "--hop-tolerance=5pp",
        "--budget=200000",
        "--output=json",
        &manifests("base"),
    ] {
        assert!(arguments.contains(&wanted), "{wanted} in {arguments:#?}");
    }
    assert!(
        arguments.last().unwrap().ends_with("stages/30-canary-10"),
        "{arguments:#?}"
    );
    // All but what the client inside had sent after the prefix that decided: that depends on how late its slowest answer came.
    let (told, sent) = (
        report["requests"].as_u64().unwrap(),
        lab.upstream.seen().len() as u64,
    );
    assert!(told <= sent, "{told} of {sent}");
}

#[test]
fn a_client_inside_that_cannot_measure_is_told_with_what_it_said() {
    let lab = Lab::new(Faults::default());
    let output = lab.rollout(
        &lab.apply(),
        &lab.inside("sh -c 'echo no such pod >&2; exit 2'", &["--only", "10-stable"]),
    );
    assert_eq!(code(&output), 2, "{output:?}");
    let report = json(&output);
    assert_eq!(walked(&report), [("10-stable", "COULD_NOT_MEASURE", false)]);
    let paths = &report["stages"][0]["paths"];
    assert_eq!(
        (&paths[0]["verdict"], &paths[1]["path"]),
        (&value!("CONFIRMED"), &value!("in mesh"))
    );
    let reason = paths[1]["reason"].as_str().unwrap();
    assert!(
        reason.contains("printed no report (exit status: 2)") && reason.contains("no such pod"),
        "{reason}"
    );
    let missing = lab.rollout(
        &lab.apply(),
        &lab.inside("/no/such/program", &["--only", "10-stable"]),
    );
    assert_eq!(code(&missing), 2);
    assert!(
        stderr(&missing).contains("give the path of the program in --inside"),
        "{missing:?}"
    );
}

/// The gate does not wait for the client inside, who is told to end and may clean up.
#[test]
fn an_alarm_ends_the_client_inside() {
    let lab = Lab::new(Faults {
        failing: 40,
        ..Faults::default()
    });
    let ended = lab.folder.path().join("ended");
    let client = format!(
        r#"sh -c 'trap "echo terminated > {}; exit 1" TERM; while :; do sleep 0.05; done'"#,
        ended.display()
    );
    let output = lab.rollout(&lab.apply(), &lab.inside(&client, &["--only", "30-canary-10"]));
    assert_eq!(code(&output), 1, "{output:?}");
    assert_eq!(walked(&json(&output)), [("30-canary-10", "ERRORS", false)]);
    let begun = std::time::Instant::now();
    while fs::read_to_string(&ended).unwrap_or_default() != "terminated\n" {
        assert!(
            begun.elapsed().as_secs() < 20,
            "the client inside was not told to end"
        );
        std::thread::yield_now();
    }
}
