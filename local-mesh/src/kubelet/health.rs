//! Probes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http_body_util::Full;
use mesh_config::{Container, Probe};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::port::actual_port;
use crate::exchange::exchange;

/// Between two looks at a process that has not been ready yet: a start-up should take no longer than it must.
const EAGER: Duration = Duration::from_millis(50);

/// How readiness is told.
enum Check {
    /// A probe of the manifest.
    Http(Probe),
    /// No probe, but a port: ready once it takes connections.
    Accepts,
    /// Neither: ready once it runs.
    Runs,
}

/// Watches whether a process is ready.
pub(crate) struct Readiness {
    check: Check,
    port: u16,
    ready: bool,
    /// It was ready at some time.
    begun: bool,
    failures: u32,
    pause: Duration,
}

impl Readiness {
    /// For a process that has just started and was given `port`.
    pub(crate) fn new(container: &Container, port: u16) -> Self {
        let probe = container.readiness.as_ref();
        let check = match probe {
            Some(probe) => Check::Http(probe.clone()),
            None if container.ports.is_empty() => Check::Runs,
            None => Check::Accepts,
        };
        let port = probe.map_or(port, |probe| actual_port(container, &probe.port, port));
        Readiness {
            check,
            port,
            ready: false,
            begun: false,
            failures: 0,
            pause: probe.map_or(Duration::ZERO, |probe| probe.initial_delay),
        }
    }

    /// Completes when the answer is another one than before; it is "no" in the beginning.
    pub(crate) async fn changed(&mut self) -> bool {
        loop {
            sleep(self.pause).await;
            let (passes, period, threshold) = match &self.check {
                Check::Http(probe) => (
                    probe_passes(probe, self.port).await,
                    probe.period,
                    probe.failure_threshold,
                ),
                Check::Accepts => (accepts(self.port).await, Duration::MAX, 1),
                Check::Runs => (true, Duration::MAX, 1),
            };
            self.begun |= passes;
            self.pause = if self.begun { period } else { period.min(EAGER) };
            self.failures = if passes { 0 } else { self.failures + 1 };
            let ready = passes || self.ready && self.failures < threshold.max(1);
            if ready != self.ready {
                self.ready = ready;
                return ready;
            }
        }
    }
}

/// Completes when a process has failed its liveness probe too often in a row.
pub(crate) async fn liveness_failed(container: &Container, port: u16) {
    let Some(probe) = &container.liveness else {
        return std::future::pending().await;
    };
    let port = actual_port(container, &probe.port, port);
    sleep(probe.initial_delay).await;
    let mut failures = 0;
    loop {
        failures = if probe_passes(probe, port).await {
            0
        } else {
            failures + 1
        };
        if failures >= probe.failure_threshold.max(1) {
            return;
        }
        sleep(probe.period).await;
    }
}

/// A GET answered in time with 200 to 399.
async fn probe_passes(probe: &Probe, port: u16) -> bool {
    let address = local(port);
    let request = Request::get(probe.path.as_str())
        .header(HOST, address.to_string())
        .header(USER_AGENT, "local-mesh-probe")
        .header(CONNECTION, "close")
        .body(Full::<Bytes>::default());
    let Ok(request) = request else {
        return false;
    };
    let answer = timeout(probe.timeout, exchange(address, request)).await;
    matches!(answer, Ok(Ok(answer)) if (200..400).contains(&answer.status().as_u16()))
}

async fn accepts(port: u16) -> bool {
    TcpStream::connect(local(port)).await.is_ok()
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
