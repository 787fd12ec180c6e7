use super::*;
use crate::statistics::PER_CASE;

const CASE: &str = "
case: c
title: t
workloads:
- {name: v1-a, labels: {app: auth, version: v1}}
- {name: v1-b, labels: {app: auth, version: v1}}
- {name: v2-a, labels: {app: auth, version: v2}}
- {name: bare}
";

fn case() -> Case {
    Case::parse(CASE).unwrap()
}

fn observed(yaml: &str) -> Observed {
    serde_saphyr::from_str(yaml).unwrap()
}

/// The fields that differ between two observations, in YAML.
fn fields(random: bool, times: usize, expected: &str, got: &str) -> Vec<String> {
    let case = case();
    let asked = Asked {
        send: serde_saphyr::from_str("{url: 'http://a/'}").unwrap(),
        times,
        parallel: 1,
        stagger: None,
        random,
        observed: observed(expected),
    };
    let judge = Judge {
        case: &case,
        level: PER_CASE,
    };
    let differences = judge.differences(&asked, &observed(got));
    differences
        .into_iter()
        .map(|difference| difference.field)
        .collect()
}

#[test]
fn the_same_is_the_same() {
    let one = "{status: 200, headers: {server: envoy}, upstream: [{workload: v1-a, method: GET, path: /}], flags: '-', \
               details: via_upstream, seconds: 0.3}";
    assert!(fields(false, 1, one, one).is_empty());
}

#[test]
fn every_field_of_one_answer_is_compared() {
    let expected =
        "{status: 503, error: E, body: b, headers: {server: envoy, x: [a, b]}, flags: UH, details: d}";
    let got = "{status: 200, body: c, headers: {x: [b, a], y: c}, flags: '-', details: via}";
    let all = [
        "status",
        "error",
        "body",
        "flags",
        "details",
        "headers[server]",
        "headers[x]",
        "headers[y]",
    ];
    assert_eq!(fields(false, 1, expected, got), all);
}

#[test]
fn without_flags_body_and_log_are_not_compared() {
    let got = "{status: 200, body: c, headers: {}, flags: '-', details: via}";
    assert!(fields(false, 1, "{status: 200, headers: {}}", got).is_empty());
}

#[test]
fn requests_upstream_are_compared_in_order_and_field_by_field() {
    let expected =
        "{upstream: [{workload: v1-a, method: GET, path: /a, host: h, headers: {x: '1'}, body_bytes: 3}]}";
    let got = "{upstream: [{workload: v2-a, method: PUT, path: /b, headers: {x: '2'}, body_bytes: 4}]}";
    let all = ["workload", "method", "path", "host", "body_bytes", "headers[x]"]
        .map(|f| format!("upstream[0].{f}"));
    assert_eq!(fields(false, 1, expected, got), all);
    assert_eq!(fields(false, 1, expected, "{upstream: []}"), ["upstream"]);
}

#[test]
fn endpoints_with_the_same_labels_are_as_good_as_one_another() {
    let seen = |workload: &str| format!("{{upstream: [{{workload: {workload}, method: GET, path: /}}]}}");
    assert!(fields(false, 1, &seen("v1-a"), &seen("v1-b")).is_empty());
    assert_eq!(
        fields(false, 1, &seen("v1-a"), &seen("v2-a")),
        ["upstream[0].workload"]
    );
    assert!(fields(true, 1, &seen("v1-a"), &seen("v2-a")).is_empty());
}

#[test]
fn mirror_copies_are_compared_in_any_order() {
    let seen = |one: &str, two: &str| {
        format!(
            "{{mirrored: [{{workload: {one}, method: GET, path: /}}, {{workload: {two}, method: GET, path: /}}]}}"
        )
    };
    assert!(fields(false, 1, &seen("v1-a", "v2-a"), &seen("v2-a", "v1-b")).is_empty());
    assert_eq!(
        fields(false, 1, &seen("v1-a", "v2-a"), &seen("v2-a", "v2-a")),
        ["mirrored[0].workload"]
    );
}

#[test]
fn a_duration_may_differ_by_0_15_seconds() {
    assert!(fields(false, 1, "{seconds: 1.0}", "{seconds: 1.149}").is_empty());
    assert_eq!(fields(false, 1, "{seconds: 1.0}", "{seconds: 1.16}"), ["seconds"]);
    assert_eq!(fields(false, 1, "{seconds: 1.0}", "{seconds: 0.84}"), ["seconds"]);
    assert!(fields(false, 1, "{}", "{seconds: 5}").is_empty());
}

#[test]
fn counts_are_exact_without_random() {
    let expected = "{statuses: {200: 10}, flags: {'-': 10}, workloads: {v1-a: 5, v1-b: 5}}";
    let spread = "{statuses: {200: 10}, flags: {'-': 10}, workloads: {v1-a: 10}}";
    let one_less = "{statuses: {200: 9, 503: 1}, flags: {'-': 9, UH: 1}, workloads: {v1-a: 9}}";
    assert!(fields(false, 10, expected, spread).is_empty());
    assert_eq!(
        fields(false, 10, expected, one_less),
        ["statuses", "flags", "workloads"]
    );
}

#[test]
fn random_counts_are_tested_as_draws() {
    let counts = |v1: u32, v2: u32| {
        format!("{{statuses: {{200: 2000}}, flags: {{'-': 2000}}, workloads: {{v1-a: {v1}, v2-a: {v2}}}}}")
    };
    assert!(fields(true, 2000, &counts(1800, 200), &counts(1822, 178)).is_empty());
    let wrong = fields(true, 2000, &counts(1800, 200), &counts(1600, 400));
    assert_eq!(
        wrong,
        ["workloads[app=auth,version=v1]", "workloads[app=auth,version=v2]"]
    );
    let empty = "{statuses: {200: 2000}, flags: {'-': 2000}, workloads: {}}";
    assert_eq!(fields(true, 2000, &counts(1800, 200), empty), ["workloads"]);
}

#[test]
fn the_share_of_requests_that_are_copied_is_a_part_of_the_draw() {
    let copies = |number: u32| {
        format!(
            "{{statuses: {{200: 1000}}, flags: {{'-': 1000}}, workloads: {{v1-a: 1000}}, mirrored: {{bare: {number}}}}}"
        )
    };
    assert!(fields(true, 1000, &copies(500), &copies(520)).is_empty());
    assert_eq!(
        fields(true, 1000, &copies(500), &copies(1000)),
        ["mirrored[bare]"]
    );
}

#[test]
fn replies_are_a_set() {
    let many = |replies: &str| format!("{{statuses: {{200: 2}}, flags: {{}}, replies: [{replies}]}}");
    let (one, two) = (
        "{status: 503, body: a, headers: {}}",
        "{status: 503, body: b, headers: {}}",
    );
    assert!(
        fields(
            false,
            2,
            &many(&format!("{one}, {two}")),
            &many(&format!("{two}, {one}"))
        )
        .is_empty()
    );
    assert_eq!(fields(false, 2, &many(one), &many(two)), ["replies", "replies"]);
}
