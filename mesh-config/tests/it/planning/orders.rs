//! The catalogue in every order that a plan allows, and in orders that it does not.

use mesh_config::plan::Step;
use mesh_config::{Client, Mesh, Role};

use super::{Example, Oracle, examples, oracle};

fn clients() -> Vec<Client> {
    let sidecar = |namespace: &str| Client {
        namespace: namespace.to_owned(),
        name: "caller".to_owned(),
        labels: [].into(),
        locality: None,
        role: Role::Sidecar,
    };
    vec![sidecar("shop"), sidecar("elsewhere"), Client::ingress_gateway()]
}

/// Every order of a few things.
fn permutations(number: usize) -> Vec<Vec<usize>> {
    if number == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(number - 1);
    let insert = |at: usize, order: &Vec<usize>| {
        let mut order = order.clone();
        order.insert(at, number - 1);
        order
    };
    (0..number)
        .flat_map(|at| shorter.iter().map(move |order| insert(at, order)))
        .collect()
}

fn enact(mesh: &Mesh, step: &Step) -> Mesh {
    step.enact(mesh).unwrap()
}

fn oracle(example: &Example) -> Oracle {
    Oracle::new(clients(), &example.old, &example.new)
}

#[test]
fn no_order_inside_of_a_phase_leads_to_nobody() {
    let mut looked_at = 0;
    for example in examples("possible") {
        let oracle = oracle(&example);
        let mut mesh = example.old.clone();
        assert!(
            clients().iter().any(|client| oracle::answers(&mesh, client)),
            "{}",
            example.name
        );
        for phase in example.plan().phases {
            assert!(
                phase.steps.len() <= 5,
                "{}: too many orders to try all",
                example.name
            );
            for order in permutations(phase.steps.len()) {
                let mut state = mesh.clone();
                for index in order {
                    state = enact(&state, &phase.steps[index]);
                    looked_at += 1;
                    assert_eq!(oracle.fault(&state), None, "{}, {:?}", example.name, phase.stage);
                }
            }
            mesh = phase.steps.iter().fold(mesh, |mesh, step| enact(&mesh, step));
        }
    }
    assert!(looked_at > 50, "{looked_at}");
}

/// The classic mistakes: for each of these changes some other order of the phases leads requests to nobody.
#[test]
fn phases_in_the_wrong_order_lead_to_nobody() {
    for name in [
        "canary-begins",
        "version-retired",
        "version-replaced",
        "subsets-renamed",
        "service-added",
        "service-retired",
        "subset-labels-moved",
    ] {
        let example = super::named(name);
        let oracle = oracle(&example);
        let mut mesh = example.old.clone();
        let phases = example.plan().phases;
        let steps = phases.iter().rev().flat_map(|phase| &phase.steps);
        let faults = steps.filter(|step| {
            mesh = enact(&mesh, step);
            oracle.fault(&mesh).is_some()
        });
        assert!(faults.count() > 0, "{name}: backwards it works as well");
    }
}
