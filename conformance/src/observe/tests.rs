use super::*;
use crate::case::Send;

fn lens(config: &str) -> (Lens, Request) {
    let case = Case::parse(&format!("case: options-star\ntitle: t\nconfig: '{config}'")).unwrap();
    let send: Send =
        serde_saphyr::from_str("{url: 'http://a/', headers: {X-Forwarded-For: 1.1.1.1}}").unwrap();
    (
        Lens::new(&case, Place::of(&case)),
        Request::new(&send, "id").unwrap(),
    )
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

fn received(workload: &str, headers: &[(&str, &str)]) -> Received {
    let (method, path) = ("GET".into(), "/p".into());
    Received {
        workload: workload.into(),
        method,
        path,
        headers: pairs(headers),
        body_bytes: 7,
    }
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    Response {
        status: Some(status),
        headers: pairs(headers),
        body: body.into(),
        ..Response::default()
    }
}

fn entry(details: &str) -> Entry {
    Entry {
        flags: "-".into(),
        details: details.into(),
    }
}

fn one(config: &str, response: &Response, received: Vec<Received>, details: &str) -> One {
    let (lens, request) = lens(config);
    let entries = [entry(details)];
    lens.one(
        response,
        Traces {
            request: &request,
            received,
            entries: &entries,
        },
        true,
    )
}

#[test]
fn a_body_is_shown_only_if_the_proxy_made_it() {
    let answer = response(
        200,
        &[("date", "now"), ("Server", "x"), ("server", "envoy")],
        "text",
    );
    assert_eq!(one("", &answer, Vec::new(), "via_upstream").body, None);
    let own = one("", &answer, Vec::new(), "direct_response");
    assert_eq!(own.body.as_deref(), Some("text"));
    assert!(!own.headers.contains_key("date"));
    assert_eq!(one("", &Response::default(), Vec::new(), "-").body, None);
}

#[test]
fn what_differs_from_run_to_run_is_left_out_of_requests() {
    let request = received(
        "a",
        &[
            ("host", "h:1"),
            ("x-request-id", "u"),
            ("x-lab-id", "id"),
            ("a", "1"),
            ("a", "2"),
        ],
    );
    let seen = one("", &response(200, &[], ""), vec![request], "via_upstream").upstream;
    assert_eq!(seen[0].host.as_deref(), Some("h:1"));
    assert_eq!(seen[0].body_bytes, Some(7));
    let names: Vec<&String> = seen[0].headers.keys().collect();
    assert_eq!(names, ["a"]);
    assert_eq!(seen[0].headers["a"], Lines(vec!["1".into(), "2".into()]));
}

#[test]
fn the_time_left_of_a_retry_is_left_out_unless_it_is_that_of_the_first() {
    let attempt = |left: &str| received("a", &[("x-envoy-expected-rq-timeout-ms", left)]);
    let attempts = vec![attempt("100"), attempt("100"), attempt("60")];
    let seen = one("", &response(200, &[], ""), attempts, "via_upstream").upstream;
    let shown: Vec<bool> = seen
        .iter()
        .map(|one| one.headers.contains_key(DEADLINE))
        .collect();
    assert_eq!(shown, [true, true, false]);
}

#[test]
fn a_copy_is_what_has_one_more_forwarded_address() {
    let both = || {
        vec![
            received("main", &[("x-forwarded-for", "1.1.1.1")]),
            received("copy", &[("x-forwarded-for", "1.1.1.1,127.53.200.251")]),
        ]
    };
    let split = one("mirror: x", &response(200, &[], ""), both(), "via_upstream");
    assert_eq!((split.upstream.len(), split.mirrored.len()), (1, 1));
    assert_eq!(
        split.mirrored[0].headers["x-forwarded-for"].0,
        ["1.1.1.1,127.0.0.1"]
    );
    assert_eq!(
        one("", &response(200, &[], ""), both(), "via_upstream")
            .upstream
            .len(),
        2
    );
}

#[test]
fn a_cookie_that_the_proxy_made_has_no_value() {
    let cookie = |value: &str, config: &str| {
        let answer = response(200, &[("set-cookie", value)], "");
        one(config, &answer, Vec::new(), "via_upstream").headers["set-cookie"].0[0].clone()
    };
    let made = "user=\"0123456789abcdef\"; Max-Age=60; HttpOnly";
    assert_eq!(
        cookie(made, "consistentHash: x"),
        "user=\"*\"; Max-Age=60; HttpOnly"
    );
    assert_eq!(cookie(made, ""), made);
    assert_eq!(cookie("user=\"0123\"", "consistentHash: x"), "user=\"0123\"");
}

#[test]
fn several_answers_are_counted_and_own_replies_shown_once() {
    let (lens, request) = lens("");
    let upstream = response(200, &[("x-envoy-upstream-service-time", "1")], "a");
    let own = response(503, &[], "overflow");
    let broken = Response {
        error: Some("IncompleteReadError".into()),
        ..Response::default()
    };
    let entries = [entry("via_upstream"), entry("overflow"), entry("overflow")];
    let got = vec![received("a", &[]), received("a", &[])];
    let traces = Traces {
        request: &request,
        received: got,
        entries: &entries,
    };
    let many = lens.many(&[upstream, own.clone(), own, broken], traces);
    assert_eq!(
        many.statuses,
        Counts::from([
            ("200".into(), 1),
            ("503".into(), 2),
            ("IncompleteReadError".into(), 1)
        ])
    );
    assert_eq!(many.workloads, Counts::from([("a".into(), 2)]));
    assert_eq!(many.details.unwrap()["overflow"], 2);
    assert_eq!(many.replies.unwrap().len(), 1);
}
