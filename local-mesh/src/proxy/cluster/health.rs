//! When a change of which endpoints are healthy shows.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::Cluster;

/// Envoy puts changes of health together in windows of this length (`update_merge_window`).
const MERGE_WINDOW: Duration = Duration::from_secs(1);

/// When health last changed.
#[derive(Default)]
pub(super) struct Health {
    changed: Cell<Option<Instant>>,
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
