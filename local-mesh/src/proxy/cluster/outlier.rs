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

/// What became of a try, as far as it says something about the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Outcome {
    /// A response, gRPC's status as that of HTTP.
    Answer(u16),
    /// No connection, or one that broke.
    Failed,
    /// No answer in time.
    TimedOut,
}

/// What one client remembers of one endpoint.
#[derive(Default)]
pub(super) struct Detector {
    /// Responses in a row with 5xx.
    errors: Cell<u32>,
    /// Responses in a row with 502, 503 or 504.
    gateway_errors: Cell<u32>,
    /// Failures in a row that were not answers, where they are counted by themselves.
    local: Cell<u32>,
    /// Since when it is ejected.
    ejected: Cell<Option<Instant>>,
    /// How often in short succession: multiplies the base time.
    times: Cell<u32>,
}

impl Detector {
    pub(super) fn is_ejected(&self) -> bool {
        self.ejected.get().is_some()
    }

    /// There is a connection for a request. Failures are no longer in a row.
    pub(super) fn connected(&self) {
        self.local.set(0);
    }

    /// Counts a result; whether a threshold is reached.
    fn count(&self, outcome: Outcome, policy: &OutlierDetection) -> bool {
        let status = match (outcome, policy.consecutive_local) {
            (Outcome::Answer(status), _) => status,
            (_, Some(threshold)) => return one_more(&self.local, true, threshold),
            (Outcome::Failed, None) => 503,
            (Outcome::TimedOut, None) => 504,
        };
        let gateway = (502..=504).contains(&status);
        let gateway = one_more(&self.gateway_errors, gateway, policy.consecutive_gateway);
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
        self.local.set(0);
        true
    }
}

/// Counts on or starts again; whether the threshold is reached, which also starts again.
fn one_more(counter: &Cell<u32>, counts: bool, threshold: u32) -> bool {
    counter.set(if counts { counter.get() + 1 } else { 0 });
    let reached = counts && threshold > 0 && counter.get() == threshold;
    if reached {
        counter.set(0);
    }
    reached
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
    /// Books the result of a try.
    pub(in crate::proxy) fn book(self: &Rc<Self>, host: &Rc<Host>, outcome: Outcome) {
        let spec = self.spec.borrow();
        let Some(policy) = &spec.policy.outlier else {
            return;
        };
        if host.detector.count(outcome, policy) && !host.detector.is_ejected() && may_eject(self, policy) {
            host.detector.eject(Instant::now());
            drop(spec);
            health::changed(self);
        }
    }
}
