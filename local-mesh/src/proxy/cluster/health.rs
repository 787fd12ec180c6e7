//! Which endpoints may be chosen, and when a change of that shows.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mesh_config::OutlierDetection;
use tokio::time::Instant;

use super::Cluster;
use super::host::Host;

/// Envoy puts changes of health together in windows of this length (`update_merge_window`).
const MERGE_WINDOW: Duration = Duration::from_secs(1);

/// When health last changed.
#[derive(Default)]
pub(super) struct Health {
    changed: Cell<Option<Instant>>,
}

/// Healthy endpoints; all of them when too few are healthy and `minHealthPercent` asks for that (Envoy's panic mode).
pub(super) fn usable(hosts: &[Rc<Host>], policy: Option<&OutlierDetection>) -> Vec<Rc<Host>> {
    let healthy: Vec<Rc<Host>> = hosts.iter().filter(|host| host.is_healthy()).cloned().collect();
    let minimum = policy.map_or(0, |policy| policy.min_health_percent as usize);
    if healthy.len() * 100 < minimum * hosts.len() {
        return hosts.to_vec();
    }
    healthy
}

/// An endpoint was ejected or came back. The first change after a quiet second acts at once; one that follows within
/// a second acts one second after itself.
pub(super) fn changed(cluster: &Rc<Cluster>) {
    let now = Instant::now();
    let last = cluster.health.changed.replace(Some(now));
    if last.is_none_or(|last| now - last >= MERGE_WINDOW) {
        cluster.rebalance();
        return;
    }
    let cluster = Rc::downgrade(cluster);
    tokio::task::spawn_local(async move {
        tokio::time::sleep(MERGE_WINDOW).await;
        if let Some(cluster) = cluster.upgrade() {
            cluster.rebalance();
        }
    });
}
