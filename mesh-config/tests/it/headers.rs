//! Header operations and rewrites.

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue};
use mesh_config::Forward;

use crate::kit::{forward, known, mesh, problems, route, rules, view};

/// What is done to headers: `name: value` lines in, the same out (sorted by name), with `-> host` for a new authority.
struct Asked {
    forward: Forward,
}

impl Asked {
    /// One rule: its own lines, and the `headers` of each of its destinations.
    fn new(of_route: &str, of_destinations: &[&str]) -> Self {
        let destination = |headers: &&str| format!("{{destination: {{host: auth}}, weight: 1{headers}}}");
        let list: Vec<String> = of_destinations.iter().map(destination).collect();
        let rule = format!("- name: x\n{of_route}  route: [{}]", list.join(", "));
        let view = view(&mesh(&[&rules(&rule)]));
        Asked {
            forward: forward(route(&view, "GET http://auth:8080/")).clone(),
        }
    }

    fn request(&self, lines: &str) -> String {
        let mut headers = parse(lines);
        headers.insert(HOST, HeaderValue::from_static("auth"));
        self.forward
            .request_headers(&self.forward.destinations[0], &known(None), &mut headers);
        let host = headers.remove(HOST).filter(|host| host != "auth");
        let host = host.map(|host| format!(" -> {}", host.to_str().unwrap()));
        print(&headers) + &host.unwrap_or_default()
    }

    fn response(&self, lines: &str) -> String {
        let request = parse("x-user: alice");
        let mut headers = parse(lines);
        self.forward.response_headers(
            &self.forward.destinations[0],
            &known(Some(&request)),
            &mut headers,
        );
        print(&headers)
    }
}

fn parse(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(", ").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    headers
}

fn print(headers: &HeaderMap) -> String {
    let mut names: Vec<&HeaderName> = headers.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let lines = names.into_iter().flat_map(|name| {
        headers
            .get_all(name)
            .iter()
            .map(move |value| format!("{name}: {}", value.to_str().unwrap()))
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// Operations of a route on its requests.
fn of_route(operations: &str) -> Asked {
    Asked::new(&format!("  headers: {{request: {{{operations}}}}}\n"), &[""])
}

#[test]
fn removals_run_first_then_overwriting_then_additions() {
    for (operations, before, after) in [
        ("set: {x: new}", "", "x: new"),
        ("set: {x: new}", "x: old, x: older", "x: new"),
        ("add: {x: new}", "x: old", "x: old, x: new"),
        ("remove: [x]", "x: old, x: older, y: y", "y: y"),
        ("remove: [x]", "", ""),
        ("set: {x: new}, remove: [x]", "x: old", "x: new"),
        ("add: {x: new}, remove: [x]", "x: old", "x: new"),
        ("set: {x: set}, add: {x: added}", "x: old", "x: set, x: added"),
        ("set: {X-Upper: new}", "x-upper: old", "x-upper: new"),
        // The empty text changes nothing.
        ("set: {x: \"\"}", "x: old", "x: old"),
        ("add: {x: \"\"}", "", ""),
    ] {
        assert_eq!(
            of_route(operations).request(before),
            after,
            "{operations} on {before}"
        );
    }
}

#[test]
fn values_may_name_headers_of_the_request_and_double_a_percent_sign() {
    for (value, before, after) in [
        ("%REQ(x-user)%", "x-user: ana", "x: ana, x-user: ana"),
        ("u=%REQ(x-user)%;", "x-user: ana", "x: u=ana;, x-user: ana"),
        ("u=%REQ(x-user)%;", "", "x: u=;"),
        ("%REQ(x-user)%", "x: old", "x: old"),
        (
            "%REQ(x-user)%",
            "x-user: first, x-user: second",
            "x: first, x-user: first, x-user: second",
        ),
        ("100%%", "", "x: 100%"),
        ("%%REQ(x)%%", "", "x: %REQ(x)%"),
    ] {
        let asked = of_route(&format!("set: {{x: \"{value}\"}}"));
        assert_eq!(asked.request(before), after, "{value} on {before}");
    }
    // Values are computed after the removals.
    let asked = of_route("set: {x: \"%REQ(x-user)%\"}, remove: [x-user]");
    assert_eq!(asked.request("x-user: ana"), "");
}

#[test]
fn with_one_destination_its_operations_win() {
    let route = |operations: &str| format!("  headers: {{request: {{{operations}}}}}\n");
    let destination = |operations: &str| format!(", headers: {{request: {{{operations}}}}}");
    for (of_route, of_destination, before, one, several) in [
        (
            "set: {x: route}",
            "set: {x: destination}",
            "",
            "x: destination",
            "x: route",
        ),
        ("remove: [x]", "set: {x: destination}", "", "x: destination", ""),
        ("set: {x: route}", "remove: [x]", "x: old", "x: route", "x: route"),
        (
            "add: {x: route}",
            "add: {x: destination}",
            "x: old",
            "x: old, x: route, x: destination",
            "x: old, x: destination, x: route",
        ),
        (
            "",
            "set: {x: destination}",
            "",
            "x: destination",
            "x: destination",
        ),
    ] {
        let (of_route, of_destination) = (route(of_route), destination(of_destination));
        let asked = Asked::new(&of_route, &[&of_destination]);
        assert_eq!(asked.request(before), one, "one: {of_route} {of_destination}");
        let asked = Asked::new(&of_route, &[&of_destination, ""]);
        assert_eq!(
            asked.request(before),
            several,
            "several: {of_route} {of_destination}"
        );
    }
}

#[test]
fn responses_have_operations_of_their_own() {
    let asked = Asked::new(
        "  headers: {response: {set: {x: r}, remove: [b]}}\n",
        &[", headers: {response: {add: {x: d}}}"],
    );
    assert_eq!(asked.response("b: b, z: z"), "x: r, x: d, z: z");
    assert_eq!(asked.request("b: b"), "b: b");
    let asked = Asked::new("", &[""]);
    assert_eq!(
        (asked.response("a: b"), asked.request("a: b")),
        ("a: b".to_owned(), "a: b".to_owned())
    );
    assert!(asked.forward.headers.is_empty());
}

#[test]
fn the_authority_of_the_route_wins_over_that_of_the_destination() {
    let set = |name: &str, host: &str| format!("headers: {{request: {{set: {{\"{name}\": {host}}}}}}}");
    let destination = format!(", {}", set("host", "of-destination"));
    for (of_route, expected) in [
        (String::new(), "of-destination"),
        (set("Host", "of-route"), "of-route"),
        (set(":authority", "of-route"), "of-route"),
        ("headers: {request: {add: {host: added}}}".to_owned(), "added"),
        ("rewrite: {authority: rewritten}".to_owned(), "rewritten"),
        // Taken literally.
        (set("host", "\"%REQ(x)%.internal\""), "%REQ(x)%.internal"),
    ] {
        let line = if of_route.is_empty() {
            String::new()
        } else {
            format!("  {of_route}\n")
        };
        let one = Asked::new(&line, &[&destination]).request("");
        assert_eq!(one, format!("x-envoy-original-host: auth -> {expected}"));
        // Of several destinations each sets the host first and without a word; the route then tells of that one.
        let several = Asked::new(&line, &[&destination, ""]).request("");
        let told = if of_route.is_empty() {
            ""
        } else {
            "x-envoy-original-host: of-destination"
        };
        assert_eq!(several, format!("{told} -> {expected}"));
    }
    for twice in [
        "rewrite: {authority: a}\n  headers: {request: {set: {host: b}}}",
        "headers: {request: {set: {host: a}, add: {\":authority\": b}}}",
    ] {
        let rule = format!("- {twice}\n  route: [{{destination: {{host: auth}}}}]");
        assert!(
            problems(&rules(&rule))
                .to_string()
                .contains("the authority is set"),
            "{twice}"
        );
    }
}

/// `match`, `rewrite`, the path of a request, the path that is sent.
const REWRITES: &[(&str, &str, &str, Option<&str>)] = &[
    (
        "{uri: {prefix: /old}}",
        "uri: /new",
        "/old/x?q=1",
        Some("/new/x?q=1"),
    ),
    ("{uri: {prefix: /old}}", "uri: /new", "/oldest", Some("/newest")),
    // Slashes are not repaired.
    ("{uri: {prefix: /old}}", "uri: /", "/old/x", Some("//x")),
    ("{uri: {prefix: /old/}}", "uri: /", "/old/x", Some("/x")),
    ("{uri: {prefix: /old}}", "uri: new", "/old/x", Some("new/x")),
    ("{uri: {exact: /old}}", "uri: /new", "/old?q", Some("/new?q")),
    (
        "{uri: {regex: \"/o.*\"}}",
        "uri: /new",
        "/old/x?q",
        Some("/new?q"),
    ),
    (
        "{uri: {prefix: /OLD}, ignoreUriCase: true}",
        "uri: /new",
        "/old/x",
        Some("/new/x"),
    ),
    // Without a condition on the path its first slash is replaced.
    ("{method: {exact: GET}}", "uri: /new", "/x", Some("/newx")),
    ("{uri: {prefix: /}}", "uri: /new?a=b", "/x?q", Some("/new?a=bx?q")),
    ("{uri: {prefix: /}}", "authority: other", "/x", None),
    (
        "{}",
        "uriRegexRewrite: {match: \"^/(v[0-9]+)/(.*)$\", rewrite: \"/\\\\2/\\\\1\"}",
        "/v2/pay?q=/v3/",
        Some("/pay/v2?q=/v3/"),
    ),
    (
        "{}",
        "uriRegexRewrite: {match: a, rewrite: b}",
        "/aXa?a",
        Some("/bXb?a"),
    ),
    (
        "{}",
        "uriRegexRewrite: {match: nothing, rewrite: b}",
        "/x",
        Some("/x"),
    ),
    (
        "{}",
        "uriRegexRewrite: {match: x, rewrite: \"$1\"}",
        "/x",
        Some("/$1"),
    ),
    (
        "{}",
        "uriRegexRewrite: {match: x, rewrite: \"\\\\\\\\\"}",
        "/x",
        Some("/\\"),
    ),
    // A group that does not exist leaves the path as it is; an empty result is no rewrite.
    (
        "{}",
        "uriRegexRewrite: {match: x, rewrite: \"\\\\1\"}",
        "/x",
        Some("/x"),
    ),
    (
        "{}",
        "uriRegexRewrite: {match: \".*(x?)\", rewrite: \"\\\\1\"}",
        "/y",
        None,
    ),
];

#[test]
fn a_rewrite_replaces_what_the_match_found() {
    for (matches, rewrite, path, expected) in REWRITES {
        let rule = format!(
            "- match: [{matches}]\n  rewrite: {{{rewrite}}}\n  route: [{{destination: {{host: auth}}}}]"
        );
        let view = view(&mesh(&[&rules(&rule)]));
        let route = route(&view, &format!("GET http://auth:8080{path}"));
        assert_eq!(
            forward(route).rewrite_path(&route.matcher, path).as_deref(),
            *expected,
            "{matches} {rewrite} {path}"
        );
    }
}
