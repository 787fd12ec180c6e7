//! Outlier detection: an endpoint that keeps failing is left out for a while.
//!
//! Source: Envoy's `outlier_detection_impl.cc` as istiod configures it (consecutive errors only).

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mesh_config::OutlierDetection;
use tokio::time::Instant;

use super::Cluster;
use super::health;
use super::host::Host;

/// No ejection lasts longer, unless the base time alone does.
const LONGEST_EJECTION: Duration = Duration::from_secs(300);

/// What one client remembers of one endpoint.
#[derive(Default)]
pub(super) struct Detector {
    /// Responses in a row with 5xx.
    errors: Cell<u32>,
    /// Responses in a row with 502, 503 or 504.
    gateway_errors: Cell<u32>,
    /// Since when it is ejected.
    ejected: Cell<Option<Instant>>,
    /// How often in short succession: multiplies the base time.
    times: Cell<u32>,
}

impl Detector {
    pub(super) fn is_ejected(&self) -> bool {
        self.ejected.get().is_some()
    }

    /// Counts a response; whether a threshold is reached.
    fn count(&self, status: u16, policy: &OutlierDetection) -> bool {
        let one_more = |counter: &Cell<u32>, counts: bool, threshold: u32| {
            counter.set(if counts { counter.get() + 1 } else { 0 });
            let reached = counts && threshold > 0 && counter.get() == threshold;
            if reached {
                counter.set(0);
            }
            reached
        };
        let gateway = one_more(
            &self.gateway_errors,
            (502..=504).contains(&status),
            policy.consecutive_gateway,
        );
        let any = one_more(&self.errors, status >= 500, policy.consecutive_5xx);
        gateway || any
    }

    fn eject(&self, now: Instant) {
        self.ejected.set(Some(now));
        self.times.set(self.times.get() + 1);
    }

    /// Looks after an interval has passed; whether the endpoint comes back now.
    fn sweep(&self, now: Instant, policy: &OutlierDetection) -> bool {
        let Some(since) = self.ejected.get() else {
            self.times.set(self.times.get().saturating_sub(1));
            return false;
        };
        let base = policy.base_ejection_time;
        if now - since < (base * self.times.get()).min(base.max(LONGEST_EJECTION)) {
            return false;
        }
        self.ejected.set(None);
        self.errors.set(0);
        self.gateway_errors.set(0);
        true
    }
}

/// Whether one more ejection stays within the allowed share, computed without rounding.
fn may_eject(cluster: &Cluster, policy: &OutlierDetection) -> bool {
    let hosts = cluster.hosts.borrow();
    let ejected = hosts.iter().filter(|host| host.detector.is_ejected()).count();
    100 * (ejected + 1) <= policy.max_ejection_percent as usize * hosts.len()
}

/// Every interval, endpoints whose time is over come back. Ends with the cluster.
pub(super) fn watch(cluster: &Rc<Cluster>) {
    let spec = cluster.spec();
    let Some(policy) = spec.policy.outlier.clone() else {
        return;
    };
    let cluster = Rc::downgrade(cluster);
    tokio::task::spawn_local(async move {
        let mut ticks = tokio::time::interval(policy.interval);
        ticks.tick().await; // the first one is at once
        loop {
            let now = ticks.tick().await;
            let Some(cluster) = cluster.upgrade() else { return };
            let hosts = cluster.hosts.borrow().clone();
            let back = hosts.iter().filter(|host| host.detector.sweep(now, &policy));
            if back.count() > 0 {
                health::changed(&cluster);
            }
        }
    });
}

impl Cluster {
    /// Books the result of a try: a status, or what stands for a failure (503, for a timeout 504).
    pub(in crate::proxy) fn book(self: &Rc<Self>, host: &Rc<Host>, status: u16) {
        let spec = self.spec.borrow();
        let Some(policy) = &spec.policy.outlier else {
            return;
        };
        if host.detector.count(status, policy) && !host.detector.is_ejected() && may_eject(self, policy) {
            host.detector.eject(Instant::now());
            drop(spec);
            health::changed(self);
        }
    }
}
