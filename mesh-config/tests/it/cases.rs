//! Unit tests for routing: what a case may say, and what is said when it does not hold.

use mesh_config::cases::{Report, Suite, assume_gateways, parse};
use mesh_config::{Mesh, Problems};

use crate::kit::{istio, mesh, rules, service, source};

fn run(mesh: &Mesh, cases: &str) -> Result<Suite, Problems> {
    parse(&source(&format!("testCases:\n{cases}")))?.run(mesh)
}

/// The differences of the first failure of each case, as `what: expected / got`.
fn differences(mesh: &Mesh, cases: &str) -> Vec<String> {
    let suite = run(mesh, cases).unwrap_or_else(|problems| panic!("{problems}"));
    let failures = suite.cases.iter().filter_map(|case| case.failures.first());
    let all = failures.flat_map(|failure| &failure.differences);
    all.map(|one| format!("{}: {} / {}", one.what, one.expected, one.got))
        .collect()
}

/// A case about `auth` asked from `shop`, with more lines of the request and what is expected.
fn case(request: &str, expected: &str) -> String {
    let expected: Vec<String> = expected.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "- request: {{from: {{namespace: shop, labels: {{app: client}}}}, authority: auth{request}}}\n{}",
        expected.concat()
    )
}

fn split() -> Mesh {
    mesh(&[&rules(
        "- match: [{uri: {prefix: /old}}]\n  redirect: {uri: /new, redirectCode: 308}\n\
         - match: [{uri: {prefix: /teapot}}]\n  directResponse: {status: 418}\n\
         - match: [{uri: {prefix: /in}}]\n  rewrite: {uri: /out, authority: other}\n  timeout: 2s\n  \
           route: [{destination: {host: auth, subset: v1}}]\n\
         - match: [{uri: {prefix: /none}}]\n  route: [{destination: {host: auth, subset: v9}}]\n\
         - match: [{uri: {prefix: /thirds}}]\n  route:\n  \
           - {destination: {host: auth, subset: v1}, weight: 66}\n  \
           - {destination: {host: auth, subset: v2}, weight: 33}",
    )])
}

#[test]
fn a_case_may_say_where_a_request_goes_and_what_becomes_of_it() {
    let cases = [
        case(", uri: /old/a", "location: http://auth/new\nstatus: 308"),
        case(", uri: /teapot", "status: 418\ndirectResponse: {status: 418.0}"),
        case(
            ", uri: /in/a",
            "sent: {uri: /out/a, authority: other}\nrewrite: {authority: other, uri: /out}\ntimeout: 2s",
        ),
        case(
            ", uri: /in",
            "route: [{destination: {host: auth, subset: v1, port: {number: 80}}}]",
        ),
        case(", uri: /none", "status: 503"),
        case(", uri: /else", "status: 404"),
        case(", uri: /else, port: 8080", "status: 404"),
        case(
            ", uri: /thirds",
            "route:\n- {destination: {host: auth, subset: v2}, weight: 1}\n\
             - {destination: {host: auth.shop.svc.cluster.local, subset: v1}, weight: 2}\n\
             - {destination: {host: auth, subset: next}, weight: 0}",
        ),
        case(", authority2: x", "status: 404")
            .replace("authority: auth, authority2: x", "authority: nobody")
            .replace("404", "502"),
    ];
    assert_eq!(differences(&split(), &cases.concat()), [""; 0]);
}

#[test]
fn what_is_not_as_expected_is_told_with_what_is() {
    let cases = [
        case(", uri: /old", "location: http://auth/newer\nstatus: 301"),
        case(
            ", uri: /in",
            "sent: {uri: /in}\ntimeout: 3s\nretries: {attempts: 1}",
        ),
        case(
            ", uri: /thirds",
            "route: [{destination: {host: auth, subset: v1}}]",
        ),
        case(
            ", uri: /thirds",
            "route:\n- {destination: {host: auth, subset: v1}, weight: 67}\n\
             - {destination: {host: auth, subset: v2}, weight: 33}",
        ),
        case(", uri: /none", "route: [{destination: {host: auth, subset: v9}}]"),
        case(", uri: /in", "route: [{destination: {host: auth}}]"),
        case(
            ", uri: /in",
            "route: [{destination: {host: auth, subset: v1, port: {number: 8080}}}]",
        ),
        case(", uri: /teapot", "wantMatch: false\nstatus: 418"),
    ];
    let thirds = "66.667 % auth.shop subset v1 port 80, 33.333 % auth.shop subset v2 port 80";
    assert_eq!(
        differences(&split(), &cases.concat()),
        [
            "status: 301 / 308",
            "location: http://auth/newer / http://auth/new",
            "sent uri: /in / /out",
            "timeout: \"3s\" / \"2s\"",
            "retries: {\"attempts\":1} / the rule does not say",
            &format!("route: auth.shop subset v1 / {thirds}"),
            &format!("route: 67 % auth.shop subset v1, 33 % auth.shop subset v2 / {thirds}"),
            "route: auth.shop subset v9 / auth.shop subset v9 port 80: no DestinationRule gives this client a subset \
             v9: 503, flag NC; there are v1, v2, next",
            "route: auth.shop / auth.shop subset v1 port 80",
            "route: auth.shop subset v1 port 8080 / auth.shop subset v1 port 80",
            "wantMatch: anything but what the case says / just that",
        ]
    );
}

#[test]
fn every_combination_of_the_lists_is_asked() {
    let cases = "- request:
    from: [{namespace: shop}, {namespace: bank}]
    authority: [auth.shop, auth.shop.svc.cluster.local]
    method: [GET, POST, PUT]
    uri: [/in, /in/a]
    headers: [{}, {x-a: b}]
    port: [80, 8080]
  route: [{destination: {host: auth, subset: v1}}]
";
    let suite = run(&split(), cases).unwrap();
    assert_eq!(suite.cases[0].requests, 2 * 2 * 3 * 2 * 2 * 2);
    // Port 8080 has an endpoint too, so all are alike.
    assert!(
        suite.cases[0].failures.is_empty(),
        "{:?}",
        suite.cases[0].failures
    );
}

#[test]
fn a_case_fails_by_the_one_request_that_is_different() {
    let cases = case(
        ", uri: [/in, /in/a, /else]",
        "route: [{destination: {host: auth, subset: v1}}]",
    );
    let suite = run(&split(), &cases).unwrap();
    let failures = &suite.cases[0].failures;
    assert_eq!((suite.cases[0].requests, failures.len()), (3, 1));
    let failure = &failures[0];
    assert_eq!(failure.request, "GET http://auth/else (port 80)");
    assert_eq!(failure.tried.len(), 5, "{:?}", failure.tried);
    assert!(failure.decision.contains("404"), "{}", failure.decision);
}

#[test]
fn rules_that_no_case_reaches_are_told_and_blocks_count_for_themselves() {
    let blocks = mesh(&[&rules(
        "- match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}]\n  name: both\n  route: [{destination: {host: auth}}]\n\
         - route: [{destination: {host: auth}}]",
    )]);
    let suite = run(
        &blocks,
        &case(", uri: /b", "route: [{destination: {host: auth}}]"),
    )
    .unwrap();
    let report = Report { suites: vec![suite] };
    let missed: Vec<String> = report
        .never_reached()
        .iter()
        .map(|rule| format!("{}:{} {}", rule.file, rule.line, rule.rule))
        .collect();
    assert_eq!(missed, ["test.yaml:7 http[0].match[0]", "test.yaml:10 http[1]"]);
    assert!(report.holds());
    // What one file of cases misses another one may reach.
    let other = run(
        &blocks,
        &case(", uri: [/a, /c]", "route: [{destination: {host: auth}}]"),
    )
    .unwrap();
    let both = Report {
        suites: [report.suites, vec![other]].concat(),
    };
    assert!(both.never_reached().is_empty());
    assert_eq!(both.rules().len(), 3);
}

#[test]
fn a_rule_that_delegates_is_reached_with_the_one_that_it_delegates_to() {
    let leaf = istio(
        "VirtualService",
        "shop/leaf",
        "http:\n- route: [{destination: {host: auth, subset: v2}}]",
    );
    let mesh = mesh(&[
        &rules("- match: [{uri: {prefix: /a}}]\n  delegate: {name: leaf}"),
        &leaf,
    ]);
    let cases = case(
        ", uri: /a",
        "route: [{destination: {host: auth, subset: v2}}]\ndelegate: {name: leaf}",
    );
    let suite = run(&mesh, &cases).unwrap();
    assert!(
        suite.cases[0].failures.is_empty(),
        "{:?}",
        suite.cases[0].failures
    );
    assert!(suite.rules.iter().all(|rule| rule.reached), "{:?}", suite.rules);
}

#[test]
fn everything_that_is_wrong_with_a_file_of_cases_is_said_with_its_place() {
    let text = "testCases:\n- request: {authority: a, methd: GET, uri: a, method: 'A B', from: me}\n  status: 700\n\
                - request: {authority: a}\n- status: 200\n\
                - {request: {authority: a}, route: [{destination: {host: a}}, {destination: {host: b}}]}\n";
    let problems = parse(&source(text)).unwrap_err();
    let found: Vec<(usize, &str)> = problems
        .iter()
        .map(|one| (one.line, one.message.as_str()))
        .collect();
    let expected = [
        (2, "methd"),
        (2, "`a` is not a path"),
        (2, "`A B` is not a method"),
        (2, "`me` is nobody"),
        (3, "700 is not between"),
        (4, "does not say what is expected"),
        (5, "`request` is missing"),
        (6, "`weight` is missing"),
        (6, "`weight` is missing"),
    ];
    assert_eq!(found.len(), expected.len(), "{problems}");
    for (line, part) in expected {
        assert!(
            found.iter().any(|(at, text)| *at == line && text.contains(part)),
            "{line} {part}: {problems}"
        );
    }
    let nobody = case("", "status: 200").replace("{namespace: shop, labels: {app: client}}", "shop/nobody");
    let problems = run(&split(), &nobody).unwrap_err().to_string();
    assert!(
        problems.contains("no Deployment `shop/nobody`") && problems.contains("there are gateway"),
        "{problems}"
    );
    assert!(
        parse(&source("testCases: []\n"))
            .unwrap_err()
            .to_string()
            .contains("no case here")
    );
}

#[test]
fn test_cases_of_istio_config_validator_are_understood() {
    let virtual_service = istio(
        "VirtualService",
        "example/example",
        "hosts: [www.example.com, example.com]\ngateways: [istio-system/main]\nhttp:\n\
         - match: [{uri: {regex: '/users(/.*)?'}, headers: {x-user-id: {exact: abc123}}}]\n  \
           route: [{destination: {host: users.users.svc.cluster.local, port: {number: 80}}}]\n  \
           headers: {request: {set: {x-custom-header: ok}}}\n\
         - route: [{destination: {host: monolith.monolith.svc.cluster.local}}]",
    );
    let cases = "  - description: happy path users
    wantMatch: true
    request:
      authority: [\"www.example.com\", \"example.com\"]
      method: [\"GET\", \"OPTIONS\"]
      uri: [\"/users\", \"/users/\"]
      headers:
        x-user-id: abc123
    route:
    - destination:
        host: users.users.svc.cluster.local
        port:
          number: 80
    headers: {request: {set: {x-custom-header: ok}}}
  - description: users need an id
    wantMatch: false
    request: {authority: [example.com], method: [PUT], uri: [/users]}
    route:
    - destination:
        host: users.users.svc.cluster.local
";
    let (mesh, assumed) = assume_gateways(&mesh(&[&virtual_service])).unwrap();
    assert_eq!(assumed, ["Gateway istio-system/main"]);
    let suite = run(&mesh, cases).unwrap();
    assert_eq!(suite.cases.iter().map(|case| case.requests).sum::<usize>(), 8 + 1);
    assert!(
        suite.cases.iter().all(|case| case.failures.is_empty()),
        "{suite:?}"
    );
    assert_eq!(
        suite.assumed,
        [
            "monolith.monolith.svc.cluster.local",
            "users.users.svc.cluster.local"
        ]
    );
}

#[test]
fn the_text_names_request_rule_and_case_and_keeps_to_80_columns() {
    let mut mesh = split();
    mesh = mesh
        .apply(
            crate::kit::objects(&service("shop/b", "{name: http, port: 80}")),
            9,
        )
        .unwrap()
        .0;
    let cases = case(
        ", uri: [/in, /thirds]",
        "route: [{destination: {host: auth, subset: v1}}]",
    );
    let report = Report {
        suites: vec![run(&mesh, &cases).unwrap()],
    };
    let text = report.to_string();
    for part in [
        "FAIL",
        "1 of 2 requests",
        "GET http://auth/thirds",
        "test.yaml:2",
        "1 of 1 cases FAILED, 2 requests; 2 of 5 rules",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let json = report.to_json();
    assert_eq!(json["holds"], false);
    assert_eq!(json["cases"][0]["failures"][0]["differences"][0]["what"], "route");
    let junit = report.to_junit();
    assert!(
        junit.contains("<testsuites name=\"routing\" tests=\"1\" failures=\"1\">"),
        "{junit}"
    );
    assert!(junit.contains("<failure message=\"1 of 2 requests\">"), "{junit}");
}
