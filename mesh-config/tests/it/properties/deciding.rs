//! Decisions, their probabilities and their explanations agree, in any mesh.

use std::cell::RefCell;
use std::collections::BTreeMap;

use mesh_config::{
    Client, Distribution, Forward, Mesh, Outcome, RequestHead, Role, RouteTable, Routing, explain,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::generate::{clients, objects, question, workloads};

/// Calls `check` for every question, client and port.
fn for_each(
    mesh: &Mesh,
    questions: &[crate::generate::Question],
    check: impl Fn(&Client, u16, &RouteTable, &RequestHead<'_>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    for client in clients() {
        for (port, table) in mesh.view(&client, &workloads()).ports {
            for question in questions {
                check(&client, port, &table, &question.head())?;
            }
        }
    }
    Ok(())
}

/// Draws per route.
const DRAWS: u32 = 4_000;

/// How far an observed share may be from its probability. By Hoeffding's inequality one share is farther away with a
/// probability of at most 2 exp(-2 n e^2) = 1e-11; a run looks at fewer than a million shares: in 100,000 runs at most
/// one fails by chance.
fn tolerance() -> f64 {
    ((2.0_f64 / 1e-11).ln() / (2.0 * f64::from(DRAWS))).sqrt()
}

/// Which destination each number draws, at the borders of the intervals and at random.
fn check_draws(forward: &Forward, distribution: &Distribution, seed: u64) -> Result<(), TestCaseError> {
    let mut begin = 0;
    for destination in &forward.destinations {
        let end = begin + u64::from(destination.weight);
        for number in [
            begin,
            end - 1,
            begin + forward.total_weight,
            end - 1 + 7 * forward.total_weight,
        ] {
            prop_assert!(
                std::ptr::eq(forward.draw(number), destination),
                "{number} of {forward:?}"
            );
        }
        begin = end;
    }
    prop_assert_eq!(begin, forward.total_weight);
    let mut random = SmallRng::seed_from_u64(seed);
    let mut drawn: BTreeMap<(String, Option<String>), u32> = BTreeMap::new();
    for _ in 0..DRAWS {
        let destination = forward.draw(random.random());
        *drawn
            .entry((destination.host.clone(), destination.subset.clone()))
            .or_default() += 1;
    }
    for share in &distribution.shares {
        let count = drawn
            .remove(&(share.host.clone(), share.subset.clone()))
            .unwrap_or_default();
        let observed = f64::from(count) / f64::from(DRAWS);
        let off = (observed - share.probability).abs();
        prop_assert!(off <= tolerance(), "seed {seed}: {observed} for {share:?}");
    }
    prop_assert!(drawn.is_empty(), "drawn without a share: {drawn:?}");
    Ok(())
}

proptest! {
    /// Exact in sum up to rounding: each of at most four quotients is off by less than 2^-53.
    #[test]
    fn probabilities_add_up_to_one_and_are_those_of_the_draws(
        pool in objects(2..12),
        questions in prop::collection::vec(question(), 3),
        seed in any::<u64>(),
    ) {
        let (mesh, _) = Mesh::new().apply(pool, 0).unwrap();
        for_each(&mesh, &questions, |client, port, table, request| {
            let routing = table.route(request);
            let distribution = mesh.distribution(client, port, request);
            prop_assert_eq!(&distribution, &Distribution::of(&routing));
            prop_assert!((0.0..=1.0).contains(&distribution.aborted));
            let Routing::Route(_, route) = routing else {
                prop_assert!(matches!(distribution.outcome, Outcome::UnknownHost | Outcome::NoRoute));
                return Ok(());
            };
            let Some(forward) = route.forward() else {
                let answered = matches!(distribution.outcome, Outcome::Answered { .. });
                prop_assert!(answered && distribution.shares.is_empty());
                return Ok(());
            };
            let sum: f64 = distribution.shares.iter().map(|share| share.probability).sum();
            prop_assert!((sum - 1.0).abs() < 1e-12, "{} of {:?}", sum, distribution);
            prop_assert!(distribution.shares.iter().all(|share| share.probability > 0.0));
            check_draws(forward, &distribution, seed)
        })?;
    }

    #[test]
    fn an_explanation_is_of_the_decision_that_is_made(
        pool in objects(2..12),
        questions in prop::collection::vec(question(), 3),
    ) {
        let (mesh, _) = Mesh::new().apply(pool, 0).unwrap();
        for_each(&mesh, &questions, |client, port, table, request| {
            let explanation = explain(&mesh, client, port, request);
            let distribution = mesh.distribution(client, port, request);
            prop_assert_eq!(&explanation.shares, &distribution.shares);
            let decided: Vec<_> = explanation.rules.iter().filter(|rule| rule.failed.is_none()).collect();
            match table.route(request) {
                Routing::UnknownHost => prop_assert!(explanation.virtual_host.is_none()),
                Routing::NoRoute(host) => {
                    prop_assert_eq!(explanation.virtual_host.as_ref(), Some(&host.name));
                    prop_assert!(decided.is_empty());
                }
                Routing::Route(host, route) => {
                    prop_assert_eq!(explanation.virtual_host.as_ref(), Some(&host.name));
                    for other in &host.routes {
                        prop_assert_eq!(other.matcher.matches(request), other.matcher.check(request).is_ok());
                    }
                    let rule = route.rule.as_ref().map(|rule| (&rule.object, rule.index, rule.block));
                    let told = decided.iter().map(|rule| (&rule.object, rule.rule, rule.block));
                    prop_assert_eq!(told.collect::<Vec<_>>(), rule.into_iter().collect::<Vec<_>>());
                }
            }
            prop_assert!(!explanation.decision.is_empty() && !explanation.to_string().is_empty());
            Ok(())
        })?;
    }
}

/// The other properties would say little if requests met no rules.
#[test]
fn questions_to_generated_meshes_meet_rules_of_every_sort() {
    let mut runner = TestRunner::deterministic();
    let mut draw = |number| {
        let pools = prop::collection::vec((objects(2..12), prop::collection::vec(question(), 3)), number);
        pools.new_tree(&mut runner).unwrap().current()
    };
    let seen = RefCell::new(BTreeMap::new());
    for (pool, questions) in draw(200) {
        let (mesh, _) = Mesh::new().apply(pool, 0).unwrap();
        let noted = for_each(&mesh, &questions, |client, _, table, request| {
            let sort = match table.route(request) {
                Routing::UnknownHost => "unknown host",
                Routing::NoRoute(_) => "no route",
                Routing::Route(_, route) => match route.forward() {
                    None => "answered",
                    Some(_) if route.root.is_some() => "delegated",
                    Some(_) if route.rule.is_none() => "default",
                    Some(forward) if forward.destinations.len() > 1 => "split",
                    Some(_) => "one destination",
                },
            };
            *seen
                .borrow_mut()
                .entry((client.role == Role::Gateway, sort))
                .or_insert(0) += 1;
            Ok(())
        });
        noted.unwrap();
    }
    let seen = seen.into_inner();
    let sorts = [
        "unknown host",
        "no route",
        "answered",
        "delegated",
        "split",
        "one destination",
    ];
    let wanted = sorts
        .iter()
        .flat_map(|sort| [(true, *sort), (false, *sort)])
        .chain([(false, "default")]);
    for sort in wanted {
        assert!(
            seen.get(&sort).is_some_and(|count| *count >= 5),
            "{sort:?} in {seen:?}"
        );
    }
}
