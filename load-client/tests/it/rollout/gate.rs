//! The error gate of a rollout.

use serde_json::json as value;

use super::{Faults, Lab, walked};
use crate::command::{code, json, stderr, stdout};

#[test]
fn a_header_canary_that_fails_is_rolled_back_before_anybody_else_gets_it() {
    let lab = Lab::new(Faults {
        failing: 30,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &["--rollback-on-failure", "-o", "json"]);
    assert_eq!(code(&output), 1, "{output:?}");
    let report = json(&output);
    let expected = [
        ("10-stable", "CONFIRMED", false),
        ("20-header-canary", "ERRORS", false),
        ("10-stable", "CONFIRMED", true),
    ];
    assert_eq!(walked(&report), expected);
    assert_eq!(report["outcome"], "rolled_back_by_error_gate");
    assert_eq!(
        report["reason"],
        "20-header-canary was rolled back to 10-stable by the error gate: CONFIRMED"
    );
    let gate = &report["stages"][1]["gates"][0];
    assert_eq!(
        (&gate["from"], &gate["new"]),
        (&value!("client"), &value!(["v2"]))
    );
    assert_eq!(
        (&gate["others"], &gate["alarm"]),
        (&value!(["v1"]), &value!(true))
    );
    assert_eq!(gate["other_errors"], 0);
    let lines = stderr(&output);
    assert!(lines.contains("20-header-canary: ERRORS after "), "{lines}");
    assert!(lines.contains("client -> payment-service: v2 fails "), "{lines}");
    assert!(lines.contains(" of its requests ("), "{lines}");
}

/// Of such a version no answer speaks about the second hop, and of one that crashes none at all.
#[test]
fn a_header_canary_that_never_answers_is_found_by_the_error_gate_as_well() {
    for crashing in [false, true] {
        let lab = Lab::new(Faults {
            failing: 100,
            crashing,
            ..Faults::default()
        });
        // It is waited for until then: no answer shows that the stage is in force.
        let words = ["--rollback-on-failure", "--settle-within", "300ms", "-o", "json"];
        let report = json(&lab.rollout(&lab.apply(), &words));
        assert_eq!(report["outcome"], "rolled_back_by_error_gate", "{report:#}");
        let gate = &report["stages"][1]["gates"][0];
        assert_eq!(
            (&gate["new_requests"], &gate["alarm"]),
            (&gate["new_errors"], &value!(true))
        );
    }
}

/// Of the rollouts whose versions fail alike one in 10^6 is rolled back.
#[test]
fn a_canary_that_fails_as_often_as_the_rest_is_no_reason_to_go_back() {
    let lab = Lab::new(Faults {
        failing: 1,
        alike: true,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &["--only", "30-canary-10", "-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    assert_eq!(
        (&report["outcome"], &report["verdict"]),
        (&value!("promoted"), &value!("CONFIRMED"))
    );
    let gate = &report["stages"][0]["gates"][0];
    assert!(
        gate["new_errors"].as_u64() > Some(0) && gate["other_errors"].as_u64() > Some(0),
        "{gate:#}"
    );
    assert_eq!(gate["alarm"], false);
}

#[test]
fn a_stage_of_its_own_has_an_error_gate_too_and_stays_without_leave_to_roll_back() {
    let lab = Lab::new(Faults {
        failing: 20,
        ..Faults::default()
    });
    let output = lab.rollout(&lab.apply(), &["--only", "30-canary-10"]);
    assert_eq!(code(&output), 1, "{output:?}");
    let text = stdout(&output);
    assert!(
        text.contains("30-canary-10: client -> payment-service: v2 fails "),
        "{text}"
    );
    assert!(text.contains("ERRORS: 0 of 1 stages confirmed"), "{text}");
    assert!(text.contains("stopped at 30-canary-10"), "{text}");
    assert_eq!(lab.applied(), "30-canary-10");
}

/// Half of the answers of v2 take 400 ms. That is no error, and found only by who asks for it.
#[test]
fn a_canary_that_is_slow_more_often_than_the_rest_fails_its_stage() {
    let lab = Lab::new(Faults {
        failing: 50,
        slow: true,
        ..Faults::default()
    });
    let words = ["--only", "30-canary-10", "--slower-than", "350ms", "-o", "json"];
    let report = json(&lab.rollout(&lab.apply(), &words));
    assert_eq!(report["verdict"], "ERRORS", "{report:#}");
    let gates = report["stages"][0]["gates"].as_array().unwrap();
    let gate = gates.iter().find(|gate| gate["alarm"] == true).unwrap();
    assert_eq!(
        (&gate["new"], &gate["slower_than_ms"]),
        (&value!(["v2"]), &value!(350.0))
    );
    let reason = report["stages"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("v2 fails (or takes more than 350 ms for) "),
        "{reason}"
    );
    assert_eq!(report["errors"], 0, "slow is no error elsewhere");
}

/// Where everybody fails, nobody has a version to go back to: the first stage is the last one.
#[test]
fn without_an_earlier_stage_there_is_nothing_to_roll_back_to() {
    let lab = Lab::new(Faults {
        failing: 20,
        ..Faults::default()
    });
    let words = ["--only", "30-canary-10", "--rollback-on-failure", "-o", "json"];
    let report = json(&lab.rollout(&lab.apply(), &words));
    assert_eq!(report["outcome"], "stopped");
    let reason = report["reason"].as_str().unwrap();
    assert!(
        reason.contains("there is no earlier stage to roll back to"),
        "{reason}"
    );
}
