//! What holds for any input.

use std::fmt::Write;

use mesh_config::{Outcome, normalise_path, parse};
use proptest::prelude::*;

use crate::kit::{SHOP, ask, client, mesh, rules, source, to};

proptest! {
    /// Exact in sum up to rounding: each of at most eight quotients is off by less than 2^-53.
    #[test]
    fn probabilities_add_up_to_one(weights in prop::collection::vec((0..3_usize, 0..=500_000_000_u32), 1..8)) {
        prop_assume!(weights.len() == 1 || weights.iter().any(|(_, weight)| *weight > 0));
        let mut rule = "- route:".to_owned();
        for (subset, weight) in &weights {
            let subset = ["v1", "v2", "next"][*subset];
            write!(rule, "\n  - {{destination: {{host: auth, subset: {subset}}}, weight: {weight}}}").unwrap();
        }
        let distribution = ask(&mesh(&[&rules(&rule)]), &client(), "GET http://auth:8080/");
        let is_routed = matches!(distribution.outcome, Outcome::Routed { .. });
        prop_assert!(is_routed);
        let sum: f64 = distribution.shares.iter().map(|share| share.probability).sum();
        prop_assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        let names: std::collections::BTreeSet<_> = distribution.shares.iter().map(|share| &share.subset).collect();
        prop_assert_eq!(names.len(), distribution.shares.len(), "a subset is one share");
    }

    #[test]
    fn no_text_makes_parse_panic(text in "\\PC{0,200}") {
        if let Err(problems) = parse(&[source(&text)]) {
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    /// Good manifests with a few characters replaced, so that the damage comes deep inside.
    #[test]
    fn no_damage_makes_parse_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\PC\n\t]{0,3}"), 1..4)) {
        let rule = format!("- match: [{{headers: {{x: {{regex: \"a|b\"}}}}}}]\n  retries: {{attempts: 1}}\n  {}", to("v1"));
        let mut text: Vec<char> = format!("{SHOP}---\n{}", rules(&rule)).chars().collect();
        for (place, new) in edits {
            let place = place.index(text.len());
            text.splice(place..=place, new.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(problems) = parse(&[source(&text)]) {
            for problem in problems.iter() {
                prop_assert!(problem.line >= 1 && problem.column >= 1, "{}", problem);
                prop_assert!(problem.line <= text.lines().count() + 1, "{}", problem);
            }
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    #[test]
    fn a_normalised_path_begins_with_a_slash_and_has_no_dot_segments(path in "/[a-z./%\\\\?#0-9A-F]{0,20}") {
        let Some(normal) = normalise_path(&path) else { return Ok(()) };
        let alone = normal.split('?').next().unwrap();
        prop_assert!(alone.starts_with('/'));
        prop_assert!(alone.split('/').all(|segment| segment != "." && segment != ".."), "{}", normal);
        prop_assert!(!normal.contains('#'));
    }
}
