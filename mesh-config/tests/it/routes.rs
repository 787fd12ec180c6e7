//! From rules to routes: weights, truncation, names, timeouts, retries, the default route.

use std::time::Duration;

use mesh_config::{RetryOn, RetryPolicy};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::kit::{SHOP, clusters, forward, goes, mesh, objects, route, rules, service, to, view};

const REQUEST: &str = "GET http://auth:8080/";

/// A rule with destinations `subset=weight`; without `=` the weight is not given.
fn split(destinations: &str) -> String {
    let destination = |text: &str| {
        let (subset, weight) = text.split_once('=').unwrap_or((text, ""));
        let weight = if weight.is_empty() {
            String::new()
        } else {
            format!(", weight: {weight}")
        };
        format!("{{destination: {{host: auth, subset: {subset}}}{weight}}}")
    };
    let list: Vec<String> = destinations.split(' ').map(destination).collect();
    format!("- route: [{}]", list.join(", "))
}

#[test]
fn weights_are_relative_and_zero_or_missing_ones_are_dropped() {
    for (destinations, expected) in [
        ("v1=90 v2=10", "v1=0.9 v2=0.1"),
        ("v1=45 v2=15", "v1=0.75 v2=0.25"),
        ("v1=1 v2=1", "v1=0.5 v2=0.5"),
        ("v1=0 v2=100", "v2"),
        ("v1=1 next v2=1", "v1=0.5 v2=0.5"),
        ("v1=0", "v1"),
        ("v1", "v1"),
        // Twice the same place is one share.
        ("v1=10 v2=70 v1=20", "v1=0.3 v2=0.7"),
        ("v1=2147483647 v2=2147483647", "v1=0.5 v2=0.5"),
    ] {
        assert_eq!(
            goes(&mesh(&[&rules(&split(destinations))]), REQUEST),
            expected,
            "{destinations}"
        );
    }
}

#[test]
fn a_draw_falls_into_the_interval_of_its_remainder_in_list_order() {
    let view = view(&mesh(&[&rules(&split("v1=2 v2=1 next=1"))]));
    let forward = forward(route(&view, REQUEST));
    let drawn: Vec<_> = (0..8)
        .map(|random| forward.draw(random).subset.as_deref().unwrap())
        .collect();
    assert_eq!(drawn, ["v1", "v1", "v2", "next", "v1", "v1", "v2", "next"]);
}

/// 40,000 draws from a fixed seed; five standard deviations are missed with probability 6e-7 by another seed.
#[test]
fn draws_have_the_frequencies_that_the_distribution_says() {
    const DRAWS: u32 = 40_000;
    let mesh = mesh(&[&rules(&split("v1=90 v2=7 next=3"))]);
    let shares = crate::kit::ask(&mesh, &crate::kit::client(), REQUEST).shares;
    let view = view(&mesh);
    let forward = forward(route(&view, REQUEST));
    let mut random = SmallRng::seed_from_u64(7);
    let drawn: Vec<_> = (0..DRAWS)
        .map(|_| forward.draw(random.random()).subset.clone())
        .collect();
    for share in shares {
        let seen = drawn.iter().filter(|subset| **subset == share.subset).count() as f64;
        let expected = share.probability * f64::from(DRAWS);
        let deviation = (expected * (1.0 - share.probability)).sqrt();
        assert!(
            (seen - expected).abs() < 5.0 * deviation,
            "{share:?}: {seen} of {DRAWS}"
        );
    }
}

#[test]
fn a_subset_is_counted_by_its_version_label() {
    let distribution = crate::kit::ask(
        &mesh(&[&rules(&split("next=1 v1=1"))]),
        &crate::kit::client(),
        REQUEST,
    );
    let versions: Vec<_> = distribution
        .shares
        .iter()
        .map(|share| share.version.as_deref())
        .collect();
    assert_eq!(versions, [Some("v3-beta"), Some("v1")]);
}

#[test]
fn routes_end_with_the_first_that_takes_everything() {
    for (matches, kept) in [
        ("", 1),
        ("match: [{}]", 1),
        ("match: [{uri: {prefix: /}}]", 1),
        ("match: [{uri: {regex: \".*\"}}]", 1),
        ("match: [{port: 8080, sourceLabels: {app: client}}]", 1),
        (
            "match: [{uri: {exact: /a}}, {uri: {prefix: /}}, {uri: {exact: /b}}]",
            2,
        ),
        // These take everything, too, or nearly; istiod does not see it.
        ("match: [{uri: {prefix: \"\"}}]", 2),
        ("match: [{method: {}}]", 2),
        ("match: [{uri: {prefix: /}, headers: {x: {}}}]", 2),
        ("match: [{withoutHeaders: {x: {}}}]", 2),
        ("match: [{queryParams: {x: {}}}]", 2),
        ("match: [{port: 80}]", 1),
    ] {
        let first = if matches.is_empty() {
            String::new()
        } else {
            format!("{matches}\n  ")
        };
        let view = view(&mesh(&[&rules(&format!(
            "- {first}{}\n- {}",
            to("v1"),
            to("v2")
        ))]));
        let hosts = view.table(8080).unwrap().virtual_hosts();
        assert_eq!(hosts[0].routes.len(), kept, "{matches}");
    }
}

#[test]
fn a_request_that_no_rule_matches_is_404_and_does_not_fall_back_to_the_service() {
    let mesh = mesh(&[&rules(&format!(
        "- match: [{{uri: {{exact: /a}}}}]\n  {}",
        to("v1")
    ))]);
    assert_eq!(goes(&mesh, "GET http://auth:8080/b"), "404");
}

#[test]
fn the_name_of_a_route_is_that_of_the_rule_and_of_the_block() {
    for (rule, expected) in [
        ("- name: all\n  ", "all"),
        (
            "- name: all\n  match: [{name: some, uri: {prefix: /}}]\n  ",
            "all.some",
        ),
        ("- match: [{name: some}]\n  ", ".some"),
        ("- ", ""),
    ] {
        let view = view(&mesh(&[&rules(&format!("{rule}{}", to("v1")))]));
        assert_eq!(route(&view, REQUEST).name, expected, "{rule}");
    }
    assert_eq!(route(&view(&mesh(&[])), REQUEST).name, "default");
}

#[test]
fn a_service_without_a_rule_has_a_default_route() {
    let mesh = mesh(&[]);
    assert_eq!(goes(&mesh, REQUEST), "*");
    let view = view(&mesh);
    let default = route(&view, REQUEST);
    assert!(default.rule.is_none());
    assert_eq!(forward(default).timeout, None);
    assert_eq!(forward(default).retry, Some(RetryPolicy::default()));
    assert_eq!(
        clusters(&view, REQUEST),
        ["outbound|8080||auth.shop.svc.cluster.local"]
    );
}

#[test]
fn the_default_retries_are_two_of_what_was_not_started_on() {
    let policy = RetryPolicy::default();
    assert_eq!(policy.attempts, 2);
    assert_eq!(
        policy.on.to_string(),
        "connect-failure,refused-stream,cancelled,unavailable"
    );
    assert_eq!(
        (policy.per_try_timeout, policy.back_off),
        (None, Duration::from_millis(25))
    );
    assert!(policy.avoid_previous_hosts && policy.on.status_codes.is_empty());
}

#[test]
fn retries_are_off_or_replace_the_default_list() {
    let retry = |fields: &str| {
        let view = view(&mesh(&[&rules(&format!("- {fields}\n  {}", to("v1")))]));
        forward(route(&view, REQUEST)).retry.clone()
    };
    assert_eq!(retry("retries: {}"), None);
    assert_eq!(retry("retries: {attempts: 0}"), None);
    assert_eq!(retry("retries: {attempts: 0, backoff: 1s}"), None);
    assert_eq!(retry("retries: {attempts: 2}"), Some(RetryPolicy::default()));
    assert_eq!(
        retry("retries: {attempts: 2, retryOn: \"\"}"),
        Some(RetryPolicy::default())
    );
    let all = "retries: {attempts: 4, retryOn: \"5xx,503,retriable-status-codes\", perTryTimeout: 200ms, backoff: 1s, retryIgnorePreviousHosts: false}";
    let on = RetryOn {
        five_xx: true,
        retriable_status_codes: true,
        status_codes: vec![503],
        ..RetryOn::default()
    };
    let expected = RetryPolicy {
        attempts: 4,
        on,
        per_try_timeout: Some(Duration::from_millis(200)),
        back_off: Duration::from_secs(1),
        avoid_previous_hosts: false,
        remote_localities: false,
    };
    assert_eq!(retry(all), Some(expected));
}

#[test]
fn there_is_no_timeout_unless_given_and_a_longer_one_per_try_is_ignored() {
    for (fields, timeout, per_try) in [
        ("retries: {attempts: 1, perTryTimeout: 2s}", None, Some(2)),
        (
            "timeout: 3s\n  retries: {attempts: 1, perTryTimeout: 2s}",
            Some(3),
            Some(2),
        ),
        (
            "timeout: 2s\n  retries: {attempts: 1, perTryTimeout: 2s}",
            Some(2),
            None,
        ),
    ] {
        let view = view(&mesh(&[&rules(&format!("- {fields}\n  {}", to("v1")))]));
        let forward = forward(route(&view, REQUEST));
        assert_eq!(forward.timeout, timeout.map(Duration::from_secs), "{fields}");
        let found = forward.retry.as_ref().unwrap().per_try_timeout;
        assert_eq!(found, per_try.map(Duration::from_secs), "{fields}");
    }
}

#[test]
fn without_a_port_a_destination_has_the_port_that_was_dialled() {
    let other = service(
        "shop/other",
        "{name: http, port: 9000}, {name: db, port: 5432, protocol: TCP}",
    );
    for (destination, request, cluster) in [
        (
            "host: auth",
            REQUEST,
            "outbound|8080||auth.shop.svc.cluster.local",
        ),
        (
            "host: auth",
            "GET http://auth/",
            "outbound|80||auth.shop.svc.cluster.local",
        ),
        (
            "host: auth, port: {number: 80}",
            REQUEST,
            "outbound|80||auth.shop.svc.cluster.local",
        ),
        // Its only port is not filled in.
        (
            "host: other",
            REQUEST,
            "outbound|8080||other.shop.svc.cluster.local?",
        ),
        (
            "host: other, port: {number: 9000}",
            REQUEST,
            "outbound|9000||other.shop.svc.cluster.local",
        ),
        (
            "host: other, port: {number: 5432}",
            REQUEST,
            "outbound|5432||other.shop.svc.cluster.local",
        ),
        (
            "host: auth, subset: v9",
            REQUEST,
            "outbound|8080|v9|auth.shop.svc.cluster.local?",
        ),
        (
            "host: nobody",
            REQUEST,
            "outbound|8080||nobody.shop.svc.cluster.local?",
        ),
        // Unlike the hosts of a rule, these are compared as they are written.
        (
            "host: AUTH",
            REQUEST,
            "outbound|8080||AUTH.shop.svc.cluster.local?",
        ),
        (
            "host: auth.shop.svc.cluster.local.",
            REQUEST,
            "outbound|8080||auth.shop.svc.cluster.local.?",
        ),
        ("host: auth.shop", REQUEST, "outbound|8080||auth.shop?"),
    ] {
        let mesh = mesh(&[
            &other,
            &rules(&format!("- route: [{{destination: {{{destination}}}}}]")),
        ]);
        assert_eq!(clusters(&view(&mesh), request), [cluster], "{destination}");
    }
}

#[test]
fn a_subset_that_is_not_defined_is_found_when_pods_are_there() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: auth, namespace: shop}\nspec:\n  selector: {matchLabels: {app: auth}}\n  template:\n    metadata: {labels: {app: auth}}\n    spec: {containers: [{name: a, image: a:v1}]}\n";
    let rule = rules(&format!("- {}", to("v9")));
    assert!(
        mesh(&[&rule]).dangling().is_empty(),
        "nothing is known about pods"
    );
    let problems = mesh(&[deployment, &rule]).dangling();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .message
            .contains("the subset `v9` of auth.shop.svc.cluster.local"),
        "{}",
        problems[0]
    );
    assert_eq!((problems[0].line, problems[0].file.as_str()), (7, "test.yaml"));
    assert!(problems[0].to_string().contains('^'));
}

#[test]
fn changes_keep_ages_and_say_what_they_did() {
    use mesh_config::{Mesh, Verb};
    let verbs =
        |changes: &[mesh_config::Change]| changes.iter().map(|change| change.what).collect::<Vec<_>>();
    let (mesh, changes) = Mesh::new().apply(objects(SHOP), 10).unwrap();
    assert_eq!(verbs(&changes), [Verb::Created, Verb::Created]);
    let key = changes[1].key.clone();
    let (mesh, changes) = mesh.apply(objects(&SHOP.replace("v3-beta", "v3")), 20).unwrap();
    assert_eq!(verbs(&changes), [Verb::Unchanged, Verb::Configured]);
    assert_eq!(mesh.created(&key), Some(10));
    let (empty, changes) = mesh.delete(&[key.clone(), key.clone()]);
    assert_eq!(verbs(&changes), [Verb::Deleted, Verb::NotFound]);
    assert_eq!(empty.apply(objects(SHOP), 30).unwrap().0.created(&key), Some(30));
    assert!(mesh.get(&key).is_some(), "the old mesh is as it was");
}
