//! Conditions of `match`: what they look at and how.

use crate::kit::{goes, mesh, rules, to};

/// Whether a rule with this one match block takes the request; what it does not take is 404.
fn takes(block: &str, request: &str) -> bool {
    let mesh = mesh(&[&rules(&format!("- match:\n  - {block}\n  {}", to("v2")))]);
    match goes(&mesh, request).as_str() {
        "v2" => true,
        "404" => false,
        other => panic!("{block} {request}: {other}"),
    }
}

/// A block with requests that it takes and requests that it does not.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

fn check(rows: &[Row]) {
    for (block, yes, no) in rows {
        for request in *yes {
            assert!(takes(block, request), "{block} must take {request}");
        }
        for request in *no {
            assert!(!takes(block, request), "{block} must not take {request}");
        }
    }
}

#[test]
fn uri_conditions_see_the_normalised_path_without_the_query() {
    check(&[
        (
            "uri: {exact: /a}",
            &[
                "GET http://auth:8080/a",
                "GET http://auth:8080/a?b=c",
                "GET http://auth:8080/x/../a",
            ],
            &[
                "GET http://auth:8080/a/",
                "GET http://auth:8080/A",
                "GET http://auth:8080/ab",
            ],
        ),
        // Bytes, not segments.
        (
            "uri: {prefix: /foo}",
            &["GET http://auth:8080/foobar"],
            &["GET http://auth:8080//foo"],
        ),
        ("uri: {prefix: \"\"}", &["GET http://auth:8080/x"], &[]),
        ("uri: {}", &["GET http://auth:8080/x"], &[]),
        (
            "uri: {regex: \"/v[12]|/next\"}",
            &["GET http://auth:8080/v1", "GET http://auth:8080/next?x"],
            &["GET http://auth:8080/v1x", "GET http://auth:8080/x/next"],
        ),
        (
            "uri: {exact: \"/a%2Fb\"}",
            &["GET http://auth:8080/a%2Fb"],
            &["GET http://auth:8080/a/b"],
        ),
    ]);
}

#[test]
fn ignore_uri_case_has_no_effect_on_regular_expressions() {
    check(&[
        (
            "{uri: {exact: /Pay}, ignoreUriCase: true}",
            &["GET http://auth:8080/pAY"],
            &["GET http://auth:8080/pa"],
        ),
        (
            "{uri: {prefix: /Pay}, ignoreUriCase: true}",
            &["GET http://auth:8080/payment"],
            &["GET http://auth:8080/p"],
        ),
        (
            "{uri: {regex: /Pay}, ignoreUriCase: true}",
            &["GET http://auth:8080/Pay"],
            &["GET http://auth:8080/pay"],
        ),
    ]);
}

#[test]
fn method_authority_and_scheme_are_compared_with_case() {
    check(&[
        (
            "method: {exact: GET}",
            &["GET http://auth:8080/"],
            &["POST http://auth:8080/"],
        ),
        (
            "method: {regex: \"GET|HEAD\"}",
            &["HEAD http://auth:8080/"],
            &["GETS http://auth:8080/"],
        ),
        ("method: {}", &["GET http://auth:8080/"], &[]),
        // The raw Host header: with its port and as it was written.
        (
            "authority: {exact: \"auth:8080\"}",
            &["GET http://auth:8080/"],
            &["GET http://Auth:8080/", "GET http://auth.shop:8080/"],
        ),
        (
            "authority: {prefix: auth}",
            &["GET http://auth.shop:8080/"],
            &["GET http://AUTH:8080/"],
        ),
        ("scheme: {exact: http}", &["GET http://auth:8080/"], &[]),
        ("scheme: {exact: https}", &[], &["GET http://auth:8080/"]),
    ]);
}

#[test]
fn header_conditions_look_at_each_line_on_its_own() {
    check(&[
        (
            "headers: {x-user: {exact: ana}}",
            &[
                "GET http://auth:8080/ X-User: ana",
                "GET http://auth:8080/ x-user: bob, x-user: ana",
            ],
            &[
                "GET http://auth:8080/",
                "GET http://auth:8080/ x-user: Ana",
                "GET http://auth:8080/ x-user: ana;bob",
            ],
        ),
        (
            "headers: {x-user: {prefix: a}}",
            &["GET http://auth:8080/ x-user: ana"],
            &["GET http://auth:8080/ x-user: bana"],
        ),
        (
            "headers: {x-user: {regex: \"a|b\"}}",
            &["GET http://auth:8080/ x-user: b"],
            &["GET http://auth:8080/ x-user: bc", "GET http://auth:8080/"],
        ),
        (
            "headers: {x-user: {regex: \".*\"}}",
            &["GET http://auth:8080/ x-user: "],
            &["GET http://auth:8080/"],
        ),
        (
            "headers: {x-user: {}}",
            &["GET http://auth:8080/ x-user: "],
            &["GET http://auth:8080/"],
        ),
        // The API server drops nulls before anybody sees them.
        ("headers: {x-user: null}", &["GET http://auth:8080/"], &[]),
        (
            "headers: {x-user: {exact: ana}, x-beta: {}}",
            &["GET http://auth:8080/ x-user: ana, x-beta: 1"],
            &[
                "GET http://auth:8080/ x-user: ana",
                "GET http://auth:8080/ x-beta: 1",
            ],
        ),
    ]);
}

#[test]
fn pseudo_headers_and_host_can_be_asked_for() {
    check(&[
        (
            "headers: {\":method\": {exact: PUT}}",
            &["PUT http://auth:8080/"],
            &["GET http://auth:8080/"],
        ),
        (
            "headers: {\":path\": {exact: \"/a?b\"}}",
            &["GET http://auth:8080/a?b"],
            &["GET http://auth:8080/a"],
        ),
        (
            "headers: {\":authority\": {exact: \"auth:8080\"}}",
            &["GET http://auth:8080/"],
            &[],
        ),
        (
            "headers: {host: {prefix: auth}}",
            &["GET http://auth:8080/"],
            &["GET http://AUTH:8080/"],
        ),
        (
            "headers: {\":scheme\": {exact: http}}",
            &["GET http://auth:8080/"],
            &[],
        ),
    ]);
}

#[test]
fn without_headers_takes_a_missing_header_for_the_empty_text() {
    check(&[
        (
            "withoutHeaders: {x-user: {exact: ana}}",
            &["GET http://auth:8080/", "GET http://auth:8080/ x-user: bob"],
            &[
                "GET http://auth:8080/ x-user: ana",
                "GET http://auth:8080/ x-user: bob, x-user: ana",
            ],
        ),
        (
            "withoutHeaders: {x-user: {regex: \".*\"}}",
            &[],
            &["GET http://auth:8080/"],
        ),
        (
            "withoutHeaders: {x-user: {regex: \".+\"}}",
            &["GET http://auth:8080/"],
            &["GET http://auth:8080/ x-user: a"],
        ),
        (
            "withoutHeaders: {x-user: {}}",
            &["GET http://auth:8080/"],
            &["GET http://auth:8080/ x-user: "],
        ),
        (
            "withoutHeaders: {x-user: {regex: \"*\"}}",
            &["GET http://auth:8080/"],
            &["GET http://auth:8080/ x-user: a"],
        ),
        (
            "withoutHeaders: {x-user: null}",
            &["GET http://auth:8080/ x-user: a"],
            &[],
        ),
    ]);
}

#[test]
fn query_parameters_are_compared_raw_and_the_first_counts() {
    check(&[
        (
            "queryParams: {v: {exact: \"2\"}}",
            &[
                "GET http://auth:8080/?v=2",
                "GET http://auth:8080/?a=1&v=2",
                "GET http://auth:8080/?v=2&v=1",
            ],
            &[
                "GET http://auth:8080/?v=1&v=2",
                "GET http://auth:8080/?V=2",
                "GET http://auth:8080/?a;v=2",
            ],
        ),
        (
            "queryParams: {v: {exact: \"a b\"}}",
            &[],
            &["GET http://auth:8080/?v=a%20b"],
        ),
        (
            "queryParams: {v: {exact: a=b?c}}",
            &["GET http://auth:8080/?v=a=b?c"],
            &[],
        ),
        (
            "queryParams: {v: {exact: \"\"}}",
            &["GET http://auth:8080/?v", "GET http://auth:8080/?v="],
            &["GET http://auth:8080/?v=1"],
        ),
        (
            "queryParams: {v: {prefix: a}}",
            &["GET http://auth:8080/?v=ab"],
            &["GET http://auth:8080/?v=ba"],
        ),
        (
            "queryParams: {v: {regex: a+}}",
            &["GET http://auth:8080/?v=aa"],
            &["GET http://auth:8080/?v=aab"],
        ),
        (
            "queryParams: {v: {}}",
            &["GET http://auth:8080/?v"],
            &["GET http://auth:8080/?%76", "GET http://auth:8080/"],
        ),
    ]);
}

#[test]
fn conditions_of_a_block_are_anded_and_blocks_are_ored() {
    let http = format!(
        "- match:\n  - uri: {{exact: /a}}\n    method: {{exact: PUT}}\n  - uri: {{exact: /b}}\n  {}",
        to("v2")
    );
    let mesh = mesh(&[&rules(&format!("{http}\n- {}", to("v1")))]);
    for (request, expected) in [
        ("PUT http://auth:8080/a", "v2"),
        ("GET http://auth:8080/a", "v1"),
        ("GET http://auth:8080/b", "v2"),
        ("GET http://auth:8080/c", "v1"),
    ] {
        assert_eq!(goes(&mesh, request), expected, "{request}");
    }
}

#[test]
fn the_first_rule_that_matches_wins_however_special_a_later_one_is() {
    let mesh = mesh(&[&rules(&format!(
        "- match: [{{uri: {{prefix: /a}}}}]\n  {}\n- match: [{{uri: {{exact: /a/b}}}}]\n  {}",
        to("v1"),
        to("v2")
    ))]);
    assert_eq!(goes(&mesh, "GET http://auth:8080/a/b"), "v1");
}

#[test]
fn conditions_on_the_client_are_decided_before_any_request() {
    for (block, taken) in [
        ("{port: 8080}", true),
        ("{port: 80}", false),
        ("{sourceLabels: {app: client}}", true),
        ("{sourceLabels: {app: client, version: v1}}", false),
        ("{sourceNamespace: shop}", true),
        ("{sourceNamespace: other}", false),
        // With gateways the two conditions on the source are not looked at.
        (
            "{gateways: [mesh], sourceLabels: {app: other}, sourceNamespace: other}",
            true,
        ),
        ("{gateways: [public], sourceLabels: {app: client}}", false),
        ("{gateways: [public, mesh]}", true),
    ] {
        let rule = format!(
            "- match: [{block}]\n  {}\n- match: [{{uri: {{exact: /other}}}}]\n  {}",
            to("v2"),
            to("v1")
        );
        let expected = if taken { "v2" } else { "404" };
        assert_eq!(
            goes(&mesh(&[&rules(&rule)]), "GET http://auth:8080/"),
            expected,
            "{block}"
        );
    }
}
