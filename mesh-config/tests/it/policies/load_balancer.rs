//! `loadBalancer`; the algorithms are in `balancing`.

use mesh_config::LoadBalancer;

use super::of_subset;

#[test]
fn load_balancers_have_istios_names_and_default() {
    for (name, expected) in [
        ("LEAST_REQUEST", LoadBalancer::LeastRequest),
        ("LEAST_CONN", LoadBalancer::LeastRequest),
        ("UNSPECIFIED", LoadBalancer::LeastRequest),
        ("ROUND_ROBIN", LoadBalancer::RoundRobin),
        ("RANDOM", LoadBalancer::Random),
    ] {
        assert_eq!(
            of_subset(&format!("loadBalancer: {{simple: {name}}}"), "").load_balancer,
            expected,
            "{name}"
        );
    }
    assert_eq!(LoadBalancer::default(), LoadBalancer::LeastRequest);
}
