//! One case, from its first step to its last.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::case::{Action, Asked, Case, Change, Observed};
use crate::client::{self, Connection, InvalidRequest, Request};
use crate::compare::{Difference, Judge};
use crate::mesh::{AccessLog, Mesh, MeshError, Outcome, Setup, Start, Verb, manifests};
use crate::observe::{Lens, Traces};
use crate::place::Place;
use crate::workload::{Fleet, FleetError};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As the real thing.
    Agrees,
    /// Not so.
    Differs(Vec<Difference>),
    /// It cannot be run here, for this reason.
    Skipped(String),
}

/// Why a case could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// local-mesh could not be driven.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// A workload could not be set up.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// A request cannot be sent.
    #[error(transparent)]
    Request(#[from] InvalidRequest),
    /// Files, locks.
    #[error("the files of the case: {0}")]
    Io(#[from] std::io::Error),
    /// A step did not end.
    #[error("step {0} takes more than {seconds} s", seconds = STEP.as_secs())]
    Hangs(usize),
}

/// The longest step.
const STEP: Duration = Duration::from_secs(120);
/// What is expected of logs and workloads arrives within this time after the answer, or not at all.
const PATIENCE: Duration = Duration::from_secs(2);
/// As long as the recorder waited for mirror copies that nobody expects.
const COPIES: Duration = Duration::from_millis(60);
const POLL: Duration = Duration::from_millis(2);

/// A case that runs.
struct Replay<'c> {
    case: &'c Case,
    place: Place,
    lens: Lens,
    judge: Judge<'c>,
    fleet: &'c mut Fleet,
    mesh: Box<Mesh>,
    log: AccessLog,
    entries: BTreeMap<String, Value>,
    /// Requests of different steps are told apart by a number.
    sent: usize,
}

/// Replays a case and says how it ended. Waits first until its addresses are free.
pub async fn replay(case: &Case, setup: &Setup) -> Verdict {
    match held(case, setup).await {
        Ok(verdict) => verdict,
        Err(error) => Verdict::Differs(vec![Difference::new("replay", "a run to the end", error)]),
    }
}

/// Takes the addresses of the case and, whatever happens, gives them back only when nobody listens there any more.
async fn held(case: &Case, setup: &Setup) -> Result<Verdict, ReplayError> {
    let place = Place::of(case);
    let _held = place.hold(case).await?;
    if let Some(port) = first_forbidden(case, &place) {
        return Ok(Verdict::Skipped(format!("no right to bind port {port}")));
    }
    let mut fleet = Fleet::default();
    let verdict = run(case, place, setup, &mut fleet).await;
    fleet.stop().await;
    verdict
}

async fn run(case: &Case, place: Place, setup: &Setup, fleet: &mut Fleet) -> Result<Verdict, ReplayError> {
    let folder = tempfile::tempdir()?;
    let mut entries = BTreeMap::new();
    for (index, workload) in case.workloads.iter().enumerate() {
        let address = place.workload(index, workload);
        let behaviour = workload.behaviour.clone();
        fleet.start(&workload.name, address, behaviour).await?;
        let entry = manifests::workload_entry(case, workload, address);
        entries.insert(workload.name.clone(), entry);
    }
    let present = case.workloads.iter().filter(|workload| !workload.gone);
    let present = manifests::joined(present.filter_map(|workload| entries.get(&workload.name)));
    let start = Mesh::up(setup, case, &place, &present, folder.path()).await?;
    let mesh = match (start, case.refusal()) {
        (Start::Ready(mesh), None) => mesh,
        (Start::Ended(outcome), Some(_)) if outcome.refused() => return Ok(Verdict::Agrees),
        (Start::Ended(outcome), Some(message)) => return Ok(config(refusal(message), outcome.brief())),
        (Start::Ended(outcome), None) => return Ok(config("acceptance".into(), outcome.brief())),
        (Start::Ready(mesh), Some(message)) => {
            mesh.stop().await?;
            return Ok(config(refusal(message), "acceptance".into()));
        }
    };
    let log = AccessLog::new(&folder.path().join("access.log"));
    let mut replay = Replay::new(case, place, fleet, mesh, log, entries);
    let found = replay.steps().await;
    replay.mesh.stop().await?;
    Ok(match found? {
        found if found.is_empty() => Verdict::Agrees,
        found => Verdict::Differs(found),
    })
}

/// A port that local-mesh must bind and may not.
fn first_forbidden(case: &Case, place: &Place) -> Option<u16> {
    let denied = |port: &u16| match TcpListener::bind((place.target(), *port)) {
        Ok(_) => false,
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    };
    manifests::privileged_ports(case).into_iter().find(denied)
}

fn refusal(message: &str) -> String {
    let brief: String = message.chars().take(160).collect();
    format!("refusal, exit 2: {brief}")
}

fn config(expected: String, got: String) -> Verdict {
    Verdict::Differs(vec![Difference::new("config", expected, got)])
}

// === impl Replay ===

impl<'c> Replay<'c> {
    fn new(
        case: &'c Case,
        place: Place,
        fleet: &'c mut Fleet,
        mesh: Box<Mesh>,
        log: AccessLog,
        entries: BTreeMap<String, Value>,
    ) -> Self {
        let (lens, judge) = (Lens::new(case, place), Judge::of(case));
        Replay {
            case,
            place,
            lens,
            judge,
            fleet,
            mesh,
            log,
            entries,
            sent: 0,
        }
    }

    async fn steps(&mut self) -> Result<Vec<Difference>, ReplayError> {
        let mut found = Vec::new();
        for (index, step) in self.case.steps.iter().enumerate() {
            let done = timeout(STEP, self.step(&step.action)).await;
            let differences = done.map_err(|_| ReplayError::Hangs(index))??;
            found.extend(differences.into_iter().map(|difference| difference.at(index)));
        }
        Ok(found)
    }

    async fn step(&mut self, action: &Action) -> Result<Vec<Difference>, ReplayError> {
        match action {
            Action::Send(asked) => {
                let got = self.send(asked).await?;
                Ok(self.judge.differences(asked, &got))
            }
            Action::Apply { text, refused } => {
                let outcome = self.mesh.change(Verb::Apply, text).await?;
                Ok(changed(Verb::Apply, &outcome, *refused))
            }
            Action::Delete(text) => {
                let outcome = self.mesh.change(Verb::Delete, text).await?;
                Ok(changed(Verb::Delete, &outcome, false))
            }
            Action::Workloads(changes) => self.change_workloads(changes).await,
            Action::Wait(seconds) => {
                sleep(Duration::from_secs_f64(*seconds)).await;
                Ok(Vec::new())
            }
        }
    }

    async fn change_workloads(
        &mut self,
        changes: &BTreeMap<String, Change>,
    ) -> Result<Vec<Difference>, ReplayError> {
        let mut found = Vec::new();
        for (name, change) in changes {
            if let Some(behaviour) = &change.behaviour {
                self.fleet.change(name, behaviour.clone()).await?;
            }
            let Some(gone) = change.gone else { continue };
            let verb = if gone { Verb::Delete } else { Verb::Apply };
            let entry = self
                .entries
                .get(name)
                .ok_or_else(|| FleetError::Unknown(name.clone()))?;
            let outcome = self.mesh.change(verb, &entry.to_string()).await?;
            found.extend(changed(verb, &outcome, false));
        }
        Ok(found)
    }

    async fn send(&mut self, asked: &Asked) -> Result<Observed, ReplayError> {
        self.sent += 1;
        let lab_id = format!("{}-{}", self.case.name, self.sent);
        let request = std::sync::Arc::new(Request::new(&asked.send, &lab_id)?);
        let before = self.log.read()?.len();
        let responses = client::send(&request, asked, || Connection::new(self.place.target())).await;
        self.settle(&asked.observed, before, &lab_id).await?;
        let traces = Traces {
            request: &request,
            received: self.fleet.log.of(&lab_id),
            entries: &self.log.read()?[before..],
        };
        Ok(self.lens.observed(asked, &responses, traces))
    }

    /// Waits until log and workloads have what is expected, or as long as something may still come.
    async fn settle(&mut self, expected: &Observed, before: usize, lab_id: &str) -> Result<(), ReplayError> {
        let (lines, requests) = expected.amounts();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline
            && (self.log.read()?.len() < before + lines || self.fleet.log.count(lab_id) < requests)
        {
            sleep(POLL).await;
        }
        if self.lens.mirrors {
            sleep(COPIES).await;
        }
        Ok(())
    }
}

fn changed(verb: Verb, outcome: &Outcome, refused: bool) -> Vec<Difference> {
    if outcome.refused() == refused && (refused || outcome.code == Some(0)) {
        return Vec::new();
    }
    let expected = if refused { "refusal, exit 2" } else { "exit 0" };
    vec![Difference::new(verb.name(), expected, outcome.brief())]
}
