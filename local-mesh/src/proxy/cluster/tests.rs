//! Ejections over time, on a paused clock. Expected times are those recorded from Envoy.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mesh_config::{ClusterPolicy, Endpoint, OutlierDetection, Priority};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::task::LocalSet;
use tokio::time::{Instant, advance};

use super::{Cluster, Host, Outcome, Wish};

fn spec(endpoints: u16, outlier: OutlierDetection) -> Arc<mesh_config::Cluster> {
    let endpoint = |index: u16| Endpoint {
        workload: format!("w{index}"),
        namespace: "shop".to_owned(),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1000 + index)),
        labels: Arc::new(BTreeMap::new()),
        weight: 1,
        locality: None,
        healthy: true,
    };
    let endpoints: Vec<Endpoint> = (0..endpoints).map(endpoint).collect();
    Arc::new(mesh_config::Cluster {
        name: "outbound|80||a".to_owned(),
        host: "a".to_owned(),
        port: 80,
        subset: None,
        service_name: "a".to_owned(),
        service_namespace: "shop".to_owned(),
        priorities: Priority::flat(&endpoints),
        endpoints,
        policy: ClusterPolicy {
            outlier: Some(outlier),
            ..ClusterPolicy::default()
        },
        origins: BTreeMap::new(),
    })
}

fn one_error(max_ejection_percent: u32) -> OutlierDetection {
    OutlierDetection {
        consecutive_5xx: 1,
        interval: Duration::from_millis(100),
        base_ejection_time: Duration::from_secs(2),
        max_ejection_percent,
        ..OutlierDetection::default()
    }
}

/// Ports (less 1000) that are picked in a hundred picks.
fn in_use(cluster: &Cluster) -> Vec<u16> {
    let mut rng = SmallRng::seed_from_u64(3);
    let picks = (0..100).filter_map(|_| cluster.pick(&mut Wish::default(), &mut rng));
    let mut ports: Vec<u16> = picks.map(|host| host.address().port() - 1000).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn host(cluster: &Cluster, index: usize) -> Rc<Host> {
    Rc::clone(&cluster.hosts.borrow()[index])
}

async fn wait(milliseconds: u64) {
    // In small steps, so that tasks that are due in between run in between.
    for _ in 0..milliseconds / 10 {
        advance(Duration::from_millis(10)).await;
        tokio::task::yield_now().await;
    }
}

async fn on_data_plane(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn an_ejected_endpoint_returns_after_its_time() {
    on_data_plane(async {
        let cluster = Cluster::new(spec(2, one_error(100)));
        cluster.book(&host(&cluster, 0), Outcome::Answer(503));
        assert_eq!(in_use(&cluster), [1]);
        wait(1_900).await;
        assert_eq!(in_use(&cluster), [1]);
        wait(300).await;
        assert_eq!(in_use(&cluster), [0, 1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_second_ejection_straight_after_the_return_lasts_longer() {
    on_data_plane(async {
        let cluster = Cluster::new(spec(2, one_error(100)));
        let bad = host(&cluster, 0);
        cluster.book(&bad, Outcome::Answer(503));
        let started = Instant::now();
        while bad.detector.is_ejected() {
            wait(10).await;
        }
        let first = started.elapsed();
        cluster.book(&bad, Outcome::Answer(503));
        let again = Instant::now();
        while bad.detector.is_ejected() {
            wait(10).await;
        }
        assert!(
            first >= Duration::from_secs(2) && first < Duration::from_millis(2_200),
            "{first:?}"
        );
        let second = again.elapsed();
        assert!(
            second >= Duration::from_secs(4) && second < Duration::from_millis(4_200),
            "{second:?}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_second_change_within_a_second_shows_one_second_after_itself() {
    on_data_plane(async {
        let cluster = Cluster::new(spec(3, one_error(100)));
        cluster.book(&host(&cluster, 0), Outcome::Answer(503));
        assert_eq!(in_use(&cluster), [1, 2]);
        wait(600).await;
        cluster.book(&host(&cluster, 1), Outcome::Answer(503));
        wait(900).await;
        assert_eq!(in_use(&cluster), [1, 2], "held back");
        wait(150).await;
        assert_eq!(in_use(&cluster), [2]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_allowed_share_is_computed_without_rounding() {
    on_data_plane(async {
        for (endpoints, percent, ejected) in [
            (3, 33, 0),
            (3, 34, 1),
            (5, 20, 1),
            (2, 50, 1),
            (2, 49, 0),
            (2, 10, 0),
        ] {
            let cluster = Cluster::new(spec(endpoints, one_error(percent)));
            for index in 0..usize::from(endpoints) {
                cluster.book(&host(&cluster, index), Outcome::Answer(503));
            }
            let gone = cluster
                .hosts
                .borrow()
                .iter()
                .filter(|host| host.detector.is_ejected())
                .count();
            assert_eq!(gone, ejected, "{percent} % of {endpoints}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn with_too_few_healthy_ones_all_are_used() {
    on_data_plane(async {
        let policy = OutlierDetection {
            min_health_percent: 50,
            ..one_error(100)
        };
        let cluster = Cluster::new(spec(2, policy));
        cluster.book(&host(&cluster, 0), Outcome::Answer(503));
        assert_eq!(in_use(&cluster), [1], "exactly half is enough");
        wait(1_500).await;
        cluster.book(&host(&cluster, 1), Outcome::Answer(503));
        assert_eq!(in_use(&cluster), [0, 1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_success_starts_the_count_anew() {
    on_data_plane(async {
        let policy = OutlierDetection {
            consecutive_5xx: 2,
            ..one_error(100)
        };
        let cluster = Cluster::new(spec(2, policy));
        let shaky = host(&cluster, 0);
        for status in [503, 200, 503, 200, 503] {
            cluster.book(&shaky, Outcome::Answer(status));
        }
        assert!(!shaky.detector.is_ejected());
        cluster.book(&shaky, Outcome::Answer(503));
        assert!(shaky.detector.is_ejected());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_ejection_outlives_new_endpoints() {
    on_data_plane(async {
        let cluster = Cluster::new(spec(2, one_error(100)));
        cluster.book(&host(&cluster, 0), Outcome::Answer(503));
        let more = spec(3, one_error(100));
        assert!(cluster.continues(&more));
        cluster.update(more);
        assert_eq!(in_use(&cluster), [1, 2]);
    })
    .await;
}
