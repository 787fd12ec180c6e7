//! Choices of each algorithm; the endpoints of consistent hashing are those recorded from Envoy.

use super::*;
use mesh_config::Endpoint;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

fn hosts(weights: &[u32]) -> Vec<Rc<Host>> {
    hosts_at(weights, |index| {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 1000 + u16::from(index)))
    })
}

fn hosts_at(weights: &[u32], address: impl Fn(u8) -> SocketAddr) -> Vec<Rc<Host>> {
    let endpoint = |(index, weight): (usize, &u32)| Endpoint {
        workload: format!("w{index}"),
        namespace: "shop".to_owned(),
        address: address(u8::try_from(index).unwrap()),
        labels: Arc::new(BTreeMap::new()),
        weight: *weight,
        locality: None,
        healthy: true,
    };
    let endpoints = weights.iter().enumerate().map(endpoint);
    endpoints
        .map(|endpoint| Host::new(&endpoint, &ClusterPolicy::default()))
        .collect()
}

fn balancer(algorithm: LoadBalancer) -> Balancer {
    Balancer::new(&ClusterPolicy {
        load_balancer: algorithm,
        ..ClusterPolicy::default()
    })
}

/// All in one locality.
fn together(hosts: &[Rc<Host>]) -> Vec<Priority> {
    vec![level(&[(1, (0..hosts.len()).collect())])]
}

fn level(localities: &[(u32, Vec<usize>)]) -> Priority {
    let localities = localities.iter().cloned();
    Priority {
        localities: localities
            .map(|(weight, endpoints)| LocalityGroup { weight, endpoints })
            .collect(),
    }
}

fn picks(algorithm: LoadBalancer, hosts: &[Rc<Host>], count: usize) -> Vec<u16> {
    picks_of(algorithm, hosts, &together(hosts), count)
}

fn picks_of(algorithm: LoadBalancer, hosts: &[Rc<Host>], priorities: &[Priority], count: usize) -> Vec<u16> {
    let mut balancer = balancer(algorithm);
    balancer.reset(hosts, priorities);
    let mut rng = SmallRng::seed_from_u64(7);
    (0..count)
        .map(|_| {
            balancer
                .pick(&mut Wish::default(), &mut rng)
                .unwrap()
                .address()
                .port()
                - 1000
        })
        .collect()
}

fn count(picks: &[u16], index: u16) -> usize {
    picks.iter().filter(|pick| **pick == index).count()
}

#[test]
fn round_robin_takes_each_in_turn() {
    let picks = picks(LoadBalancer::RoundRobin, &hosts(&[1, 1, 1]), 9);
    assert!(
        picks.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 3),
        "{picks:?}"
    );
}

#[test]
fn round_robin_with_weights_is_exact() {
    let picks = picks(LoadBalancer::RoundRobin, &hosts(&[3, 1]), 400);
    assert_eq!((count(&picks, 0), count(&picks, 1)), (300, 100));
    assert_eq!(count(&picks[..4], 0), 3, "spread, not in blocks: {picks:?}");
}

#[test]
fn least_request_prefers_the_less_busy_of_two() {
    let hosts = hosts(&[1, 1]);
    let _busy: Vec<_> = (0..3).map(|_| hosts[0].begin()).collect();
    let picks = picks(LoadBalancer::LeastRequest, &hosts, 1000);
    // The busy one is taken only when both draws name it: 1/4. 6 standard deviations of 1000 draws are 82.
    let busy = count(&picks, 0);
    assert!((168..=332).contains(&busy), "{busy} of 1000");
}

#[test]
fn random_ignores_weights() {
    let picks = picks(LoadBalancer::Random, &hosts(&[9, 1]), 1000);
    // 6 standard deviations of 1000 fair draws are 95.
    let first = count(&picks, 0);
    assert!((405..=595).contains(&first), "{first} of 1000");
}

#[test]
fn nobody_is_picked_from_nobody() {
    let mut balancer = balancer(LoadBalancer::LeastRequest);
    balancer.reset(&[], &together(&[]));
    let pick = balancer.pick(&mut Wish::default(), &mut SmallRng::seed_from_u64(1));
    assert!(pick.is_none());
}

#[test]
fn localities_get_requests_by_their_weights() {
    let hosts = hosts(&[1, 1, 1]);
    let priorities = [level(&[(80, vec![0, 1]), (20, vec![2])])];
    let picks = picks_of(LoadBalancer::RoundRobin, &hosts, &priorities, 1000);
    assert_eq!(
        (count(&picks, 0), count(&picks, 1), count(&picks, 2)),
        (400, 400, 200)
    );
}

#[test]
fn the_second_priority_is_not_used_while_the_first_is_healthy() {
    let hosts = hosts(&[1, 1]);
    let priorities = [level(&[(1, vec![0])]), level(&[(1, vec![1])])];
    let picks = picks_of(LoadBalancer::Random, &hosts, &priorities, 100);
    assert_eq!(count(&picks, 0), 100);
}

#[test]
fn remote_retries_leave_a_priority_after_two_tries() {
    let hosts = hosts(&[1, 1]);
    let mut balancer = balancer(LoadBalancer::LeastRequest);
    balancer.reset(&hosts, &[level(&[(1, vec![0])]), level(&[(1, vec![1])])]);
    let mut rng = SmallRng::seed_from_u64(1);
    let mut wish = Wish {
        remote: true,
        ..Wish::default()
    };
    let mut ports = Vec::new();
    for _ in 0..5 {
        let host = balancer.pick(&mut wish, &mut rng).unwrap();
        ports.push(host.address().port() - 1000);
        wish.avoid.push(host);
    }
    // The fifth finds all priorities left out, and starts again.
    assert_eq!(ports, [0, 0, 1, 1, 0]);
}

/// Which of 127.30.2.1 (0), .2 (1), .3 (2), all at port 8080, a user's header leads to.
fn hashed(algorithm: LoadBalancer, weights: &[u32], avoid: &[usize], users: &[&str]) -> Vec<usize> {
    let hosts: Vec<Rc<Host>> = hosts_at(weights, |index| SocketAddr::from(([127, 30, 2, 1 + index], 8080)));
    let mut balancer = balancer(algorithm);
    balancer.reset(&hosts, &together(&hosts));
    let mut rng = SmallRng::seed_from_u64(1);
    let mut pick = |user: &&str| {
        let mut wish = Wish {
            hash: Some(mesh_config::hash_of(user.as_bytes())),
            avoid: avoid.iter().map(|index| Rc::clone(&hosts[*index])).collect(),
            ..Wish::default()
        };
        let host = balancer.pick(&mut wish, &mut rng).unwrap();
        hosts.iter().position(|one| Rc::ptr_eq(one, &host)).unwrap()
    };
    users.iter().map(&mut pick).collect()
}

const USERS: [&str; 4] = ["ana", "bob", "cleo", "dan"];

#[test]
fn a_ring_leads_to_the_endpoints_that_envoy_picks() {
    let ring = |minimum_size| LoadBalancer::RingHash { minimum_size };
    assert_eq!(hashed(ring(1024), &[1, 1, 1], &[], &USERS), [1, 2, 0, 1]);
    assert_eq!(hashed(ring(1), &[1, 1, 1], &[], &USERS), [2, 2, 0, 1]);
    assert_eq!(hashed(ring(8), &[3, 1], &[], &USERS), [0, 0, 1, 1]);
}

#[test]
fn a_retry_goes_on_along_the_ring() {
    let ring = LoadBalancer::RingHash { minimum_size: 1024 };
    // As recorded for a refusing third endpoint.
    assert_eq!(hashed(ring, &[1, 1, 1], &[2], &["bob"]), [0]);
}

#[test]
fn a_maglev_table_gives_every_endpoint_its_part() {
    let maglev = LoadBalancer::Maglev { table_size: 1009 };
    let users: Vec<String> = (0..4000).map(|user| format!("user-{user}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let picks = hashed(maglev, &[2, 1, 1], &[], &users);
    let first = picks.iter().filter(|pick| **pick == 0).count();
    // Half of the table; 6 standard deviations of 4000 fair draws are 190.
    assert!((1810..=2190).contains(&first), "{first}");
}
