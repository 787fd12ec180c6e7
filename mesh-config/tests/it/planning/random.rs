//! Any two meshes.

use mesh_config::Mesh;
use mesh_config::plan::plan;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use super::{Oracle, oracle};
use crate::generate::{clients, objects, question};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is planned ends in the new mesh, and in no order inside of its phases is a request led to a cluster that
    /// does not exist, or lost, when neither end would do so.
    #[test]
    fn any_plan_is_safe_in_any_order_and_ends_in_the_new_mesh(
        old in objects(0..6), new in objects(0..6),
        questions in prop::collection::vec(question(), 12), seed in any::<u64>(),
    ) {
        let (old, new) = (mesh(old), mesh(new));
        let plan = plan(&old, &new);
        prop_assume!(plan.is_possible());
        // As it will be there: of rules for one host the older one counts.
        let end = plan.enact(&old).unwrap();
        oracle::assert_same(&end, &new, "the end");
        let oracle = Oracle::new(clients(), &old, &end);
        let mut draws = SmallRng::seed_from_u64(seed);
        let mut state = old.clone();
        for phase in &plan.phases {
            let mut steps: Vec<_> = phase.steps.iter().collect();
            steps.shuffle(&mut draws);
            for step in steps {
                state = step.enact(&state).unwrap();
                prop_assert_eq!(oracle.fault(&state), None, "after {}\n{}", step.object, plan);
                for question in &questions {
                    for port in [80, 8080] {
                        prop_assert!(!oracle.loses(&state, port, question), "{question:?} after {}\n{}", step.object, plan);
                    }
                }
            }
        }
    }
}

/// What the property is about: most pairs can be planned, many in several phases, some with an object in between.
#[test]
fn random_meshes_give_plans_of_several_phases() {
    let mut runner = TestRunner::deterministic();
    let pairs = (objects(0..6), objects(0..6));
    let (mut possible, mut several, mut between) = (0, 0, 0);
    for _ in 0..60 {
        let (old, new) = pairs.new_tree(&mut runner).unwrap().current();
        let plan = plan(&mesh(old), &mesh(new));
        possible += i32::from(plan.is_possible());
        several += i32::from(plan.phases.len() > 1);
        between += i32::from(
            plan.phases
                .iter()
                .flat_map(|phase| &phase.steps)
                .any(|step| step.note.is_some()),
        );
    }
    assert!(
        possible >= 20 && several >= 15 && between >= 1,
        "{possible} {several} {between}"
    );
}

fn mesh(objects: Vec<mesh_config::Object>) -> Mesh {
    Mesh::new().apply(objects, 0).unwrap().0
}
