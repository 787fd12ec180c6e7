//! What a mesh does besides splitting traffic, each thing declared in `manifests/scenarios/NAME` and seen on a target.
//!
//! A scenario brings its stage and its folder into force, sends load, reports what must be seen and what was, and puts
//! the mesh back to `manifests/base` and the first stage. The same functions serve `make scenario` and the tests, on
//! every target; the services' own knobs (`/status`, `/delay`, `/fault`) make the errors and the delays.

mod bench;
pub mod chance;
mod connection_limits;
mod fault;
mod load_balancing;
mod mirror;
mod outlier_detection;
mod report;
mod retries;
mod sticky_sessions;
mod timeout;

pub use report::{Check, Report};

use anyhow::Result;

use crate::target::Target;

/// Where every scenario leaves the mesh.
const HOME: &str = "10-stable";

/// One of the scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Round robin, random, least request.
    LoadBalancing,
    /// A limit on requests in flight, and what happens to the others.
    ConnectionLimits,
    /// A failing pod gets no requests for a while.
    OutlierDetection,
    /// An answer that takes too long.
    Timeout,
    /// Another try after an error.
    Retries,
    /// Errors and delays that no service made.
    Fault,
    /// Copies of requests for another version.
    Mirror,
    /// The same pod for the same session.
    StickySessions,
}

impl Scenario {
    /// All of them, as a course would take them.
    pub const ALL: [Scenario; 8] = [
        Scenario::LoadBalancing,
        Scenario::ConnectionLimits,
        Scenario::OutlierDetection,
        Scenario::Timeout,
        Scenario::Retries,
        Scenario::Fault,
        Scenario::Mirror,
        Scenario::StickySessions,
    ];

    /// The name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::LoadBalancing => "load-balancing",
            Scenario::ConnectionLimits => "connection-limits",
            Scenario::OutlierDetection => "outlier-detection",
            Scenario::Timeout => "timeout",
            Scenario::Retries => "retries",
            Scenario::Fault => "fault",
            Scenario::Mirror => "mirror",
            Scenario::StickySessions => "sticky-sessions",
        }
    }

    /// What it shows, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Scenario::LoadBalancing => "which pod is asked next",
            Scenario::ConnectionLimits => "what is too much is refused at once",
            Scenario::OutlierDetection => "a failing pod is left out, and comes back",
            Scenario::Timeout => "an answer that takes too long is given up",
            Scenario::Retries => "another try after an error",
            Scenario::Fault => "errors and delays that no service made",
            Scenario::Mirror => "copies of requests for another version",
            Scenario::StickySessions => "one session, one pod",
        }
    }

    /// The scenario with this name.
    pub fn find(name: &str) -> Option<Self> {
        Scenario::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The stage on which it stands.
    fn stage(self) -> &'static str {
        match self {
            Scenario::LoadBalancing => "20-header-canary",
            _ => HOME,
        }
    }

    /// Runs it: brings its folder into force and [observes](Self::observe).
    ///
    /// # Errors
    /// Manifests are refused; see there.
    pub async fn run(self, target: &impl Target) -> Result<Report> {
        let lab = target.lab();
        target.apply(&lab.stage(self.stage())).await?.expect(0)?;
        target.apply(&lab.scenario(self.name())).await?.expect(0)?;
        self.observe(target).await
    }

    /// Whether what is in force does as this scenario declares. Leaves the target as [`HOME`] has it, whatever happens.
    ///
    /// # Errors
    /// It could not be seen: pods are missing, requests were not answered at all, the machine was too busy. What is seen
    /// and is not as declared is no error but in the report.
    pub async fn observe(self, target: &impl Target) -> Result<Report> {
        let mut report = Report::new(self.name(), self.about(), target.name());
        let seen = self.see(target, &mut report).await;
        let back = go_home(target).await;
        seen?;
        back?;
        Ok(report)
    }

    async fn see(self, target: &impl Target, report: &mut Report) -> Result<()> {
        match self {
            Scenario::LoadBalancing => load_balancing::see(target, report).await,
            Scenario::ConnectionLimits => connection_limits::see(target, report).await,
            Scenario::OutlierDetection => outlier_detection::see(target, report).await,
            Scenario::Timeout => timeout::see(target, report).await,
            Scenario::Retries => retries::see(target, report).await,
            Scenario::Fault => fault::see(target, report).await,
            Scenario::Mirror => mirror::see(target, report).await,
            Scenario::StickySessions => sticky_sessions::see(target, report).await,
        }
    }
}

/// Puts all back: no fault in any pod, `manifests/base` and the first stage in force.
///
/// Every scenario restates objects of base and stages and brings none of its own, so nothing has to be deleted.
///
/// # Errors
/// The manifests are refused, or a pod does not answer.
pub async fn go_home(target: &impl Target) -> Result<()> {
    bench::no_faults(target).await?;
    let lab = target.lab();
    let rules = lab.base().join("destination-rules.yaml");
    target.apply(&rules).await?.expect(0)?;
    target.apply(&lab.stage(HOME)).await?.expect(0)?;
    Ok(())
}
