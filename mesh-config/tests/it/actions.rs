//! Redirects, fixed answers, faults, copies, CORS: what rules do besides choosing a destination.

use mesh_config::{AbortStatus, Action, Outcome};

use crate::kit::{Request, ask, client, forward, goes, mesh, problems, route, rules, to, view};

/// `status location` of a redirect, for a request of the kit's form.
fn redirected(rule: &str, request: &str, scheme: &str) -> String {
    let view = view(&mesh(&[&rules(rule)]));
    let route = route(&view, request);
    let Action::Redirect(redirect) = &route.action else {
        panic!("{:?}", route.action)
    };
    let request = Request::new(request);
    let head = mesh_config::RequestHead {
        scheme,
        ..request.head()
    };
    format!("{} {}", redirect.status, redirect.location(&route.matcher, &head))
}

#[test]
fn a_redirect_names_what_changes_and_keeps_the_rest() {
    let old = "GET http://auth:8080/old/a?x=1";
    for (redirect, expected) in [
        ("uri: /new", "301 http://auth:8080/new?x=1"),
        ("uri: \"/new?y\"", "301 http://auth:8080/new?y"),
        ("uri: new", "301 http://auth:8080/new?x=1"),
        ("uri: \"https://b/\"", "301 http://auth:8080/https://b/?x=1"),
        ("prefixRewrite: /new/", "301 http://auth:8080/new//a?x=1"),
        ("authority: b", "301 http://b/old/a?x=1"),
        ("authority: \"b:1\"", "301 http://b:1/old/a?x=1"),
        ("port: 443", "301 http://auth:443/old/a?x=1"),
        ("port: 80", "301 http://auth:8080/old/a?x=1"),
        ("scheme: https", "301 https://auth:8080/old/a?x=1"),
        ("{scheme: https, port: 443}", "301 https://auth:8080/old/a?x=1"),
        (
            "{scheme: https, authority: b, port: 443}",
            "301 https://b/old/a?x=1",
        ),
        (
            "{authority: b, derivePort: FROM_REQUEST_PORT}",
            "301 http://b:8080/old/a?x=1",
        ),
        (
            "derivePort: FROM_PROTOCOL_DEFAULT",
            "301 http://auth:8080/old/a?x=1",
        ),
        ("{uri: /, redirectCode: 308}", "308 http://auth:8080/?x=1"),
        ("{uri: /, redirectCode: 0}", "301 http://auth:8080/?x=1"),
    ] {
        let fields = if redirect.starts_with('{') {
            redirect.to_owned()
        } else {
            format!("{{{redirect}}}")
        };
        let rule = format!("- match: [{{uri: {{prefix: /old}}}}]\n  redirect: {fields}");
        assert_eq!(redirected(&rule, old, "http"), expected, "{redirect}");
    }
}

#[test]
fn a_redirect_leaves_the_port_that_the_old_scheme_implied() {
    let https = "- redirect: {scheme: https}";
    let port = "- redirect: {port: 9}";
    for (rule, scheme, expected) in [
        (https, "http", "301 https://auth/a"),
        (https, "https", "301 https://auth:80/a"),
        ("- redirect: {uri: /a}", "https", "301 https://auth:80/a"),
        (port, "http", "301 http://auth:9/a"),
    ] {
        assert_eq!(
            redirected(rule, "GET http://auth:80/a", scheme),
            expected,
            "{rule} over {scheme}"
        );
    }
}

#[test]
fn what_envoy_refuses_is_refused_with_what_would_happen() {
    let forward = to("v1");
    for rule in [
        "- redirect: {uri: /a, redirectCode: 304}".to_owned(),
        "- directResponse: {status: 600}".to_owned(),
        format!("- fault: {{abort: {{httpStatus: 600}}}}\n  {forward}"),
        format!("- headers: {{request: {{set: {{x: \"%UNKNOWN%\"}}}}}}\n  {forward}"),
        format!("- headers: {{response: {{add: {{x: \"%REQ%\"}}}}}}\n  {forward}"),
        "- route:\n  - {destination: {host: a}, weight: 2147483647}\n  - {destination: {host: b}, weight: 2147483647}\n\
         \x20 - {destination: {host: c}, weight: 2147483647}"
            .to_owned(),
    ] {
        let shown = problems(&rules(&rule)).to_string();
        assert!(shown.contains("every host on the port would answer 404"), "{rule}\n{shown}");
    }
}

/// Each rule, followed by a route to `v1` where it ends in `+`, has a problem with these words.
fn refused(rules_and_words: &[(&str, &str)]) {
    for (rule, words) in rules_and_words {
        let forward = if rule.ends_with('+') {
            to("v1")
        } else {
            String::new()
        };
        let rule = format!("- {}\n  {forward}", rule.trim_end_matches('+'));
        let shown = problems(&rules(&rule)).to_string();
        assert!(shown.contains(words), "{rule}\n{shown}");
    }
}

#[test]
fn what_excludes_each_other_is_refused() {
    refused(&[
        ("redirect: {uri: /}+", "both route and redirect"),
        (
            "redirect: {uri: /}\n  rewrite: {uri: /}",
            "both rewrite and redirect",
        ),
        (
            "redirect: {uri: /}\n  directResponse: {status: 200}",
            "both directResponse and redirect",
        ),
        (
            "directResponse: {status: 200}\n  fault: {abort: {}}",
            "both fault and directResponse",
        ),
        (
            "delegate: {name: a}\n  redirect: {uri: /}",
            "both redirect and delegate",
        ),
        ("delegate: {name: a}+", "both route and delegate"),
        (
            "redirect: {uri: /, prefixRewrite: /}",
            "only one of uri, prefixRewrite",
        ),
        (
            "match: [{uri: {exact: /a}}]\n  redirect: {prefixRewrite: /}",
            "needs a prefix here",
        ),
        (
            "mirror: {host: a}\n  mirrors: [{destination: {host: a}}]+",
            "both mirror and mirrors",
        ),
    ]);
}

#[test]
fn values_out_of_range_are_refused() {
    refused(&[
        ("redirect: {}", "changes nothing"),
        ("redirect: {scheme: ftp}", "neither http nor https"),
        ("redirect: {uri: /, redirectCode: 200}", "not a redirect code"),
        ("directResponse: {status: 199}", "not between 200 and 599"),
        ("directResponse: {body: {string: a}}", "`status` is missing"),
        (
            "directResponse: {status: 200, body: {bytes: \"a\"}}",
            "not base64",
        ),
        ("fault: {}+", "needs a delay or an abort"),
        (
            "fault: {abort: {percentage: {value: 0.00001}}}+",
            "is neither 0 nor between",
        ),
        ("fault: {abort: {grpcStatus: \"14\"}}+", "is not one of OK"),
        ("fault: {abort: {http2Error: CANCEL}}+", "cannot inject HTTP/2"),
        ("fault: {abort: {percent: 1}}+", "unknown field"),
        ("corsPolicy: {maxAge: 1500ms}+", "whole seconds"),
        ("corsPolicy: {allowMethods: [PURGE]}+", "is not one of GET"),
        ("corsPolicy: {allowOrigins: [{}]}+", "needs one of exact"),
        ("mirrorPercentage: {value: 101}+", "is neither 0 nor between"),
        ("mirrors: [{}]+", "`destination` is missing"),
    ]);
}

#[test]
fn an_abort_has_its_share_beside_those_of_the_destinations() {
    let rule = format!(
        "- fault: {{abort: {{httpStatus: 503, percentage: {{value: 12.5}}}}}}\n  {}",
        to("v1")
    );
    let distribution = ask(&mesh(&[&rules(&rule)]), &client(), "GET http://auth:8080/");
    assert!((distribution.aborted - 0.125).abs() < 1e-12);
    assert!((distribution.shares[0].probability - 1.0).abs() < 1e-12);
}

#[test]
fn answers_of_the_route_have_no_shares() {
    let rule = "- match: [{uri: {exact: /r}}]\n  redirect: {uri: /}\n- directResponse: {status: 418}";
    let mesh = mesh(&[&rules(rule)]);
    assert_eq!(goes(&mesh, "GET http://auth:8080/r"), "301");
    assert_eq!(goes(&mesh, "GET http://auth:8080/"), "418");
    let outcome = ask(&mesh, &client(), "GET http://auth:8080/").outcome;
    assert!(
        matches!(
            outcome,
            Outcome::Answered {
                rule: Some(1),
                status: 418,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[test]
fn what_a_fault_does_not_say_does_not_happen() {
    let of = |fault: &str| {
        let view = view(&mesh(&[&rules(&format!("- fault: {fault}\n  {}", to("v1")))]));
        forward(route(&view, "GET http://auth:8080/")).fault.clone()
    };
    assert_eq!(of("{abort: {percentage: {value: 100}}}"), None);
    assert_eq!(of("{delay: {percentage: {value: 100}}}"), None);
    // No percentage: never.
    assert!(
        of("{abort: {httpStatus: 503}}")
            .unwrap()
            .abort
            .unwrap()
            .share
            .is_none()
    );
    // The old field still counts, and nobody looks at its range.
    let delay = |percent| {
        of(&format!("{{delay: {{fixedDelay: 1s, percent: {percent}}}}}"))
            .unwrap()
            .delay
            .unwrap()
    };
    assert!((delay(50).share.probability() - 0.5).abs() < 1e-12);
    assert!((delay(-1).share.probability() - 1.0).abs() < 1e-12);
    let abort = of("{abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}")
        .unwrap()
        .abort
        .unwrap();
    assert_eq!(abort.status, AbortStatus::Grpc(14));
}

#[test]
fn copies_that_are_never_sent_are_left_out() {
    let of = |fields: &str| {
        let view = view(&mesh(&[&rules(&format!("- {fields}\n  {}", to("v1")))]));
        let mirrors = &forward(route(&view, "GET http://auth:8080/")).mirrors;
        let shown = mirrors
            .iter()
            .map(|mirror| format!("{} {}", mirror.host, mirror.share));
        shown.collect::<Vec<_>>().join(", ")
    };
    let full = "b.shop.svc.cluster.local";
    assert_eq!(of("mirror: {host: b}"), format!("{full} 100 %"));
    assert_eq!(
        of("mirror: {host: b}\n  mirrorPercent: 20"),
        format!("{full} 20 %")
    );
    // The new field wins, even with nothing.
    assert_eq!(
        of("mirror: {host: b}\n  mirrorPercent: 20\n  mirrorPercentage: {value: 0}"),
        ""
    );
    assert_eq!(of("mirror: {host: b}\n  mirror_percent: 0"), "");
    assert_eq!(of("mirrorPercentage: {value: 50}"), "");
    let list = "mirrors: [{destination: {host: b}, percentage: {value: 2.5}}, {destination: {host: c}, percentage: {}}]";
    assert_eq!(of(list), format!("{full} 2.5 %"));
}
