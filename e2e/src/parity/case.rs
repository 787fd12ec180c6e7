//! One case of conformance/ on a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use conformance::case::{Action, Asked, Case, Change};
use conformance::client::{self, Request};
use conformance::compare::{Difference, Judge};
use conformance::mesh::manifests;
use conformance::observe::{Lens, Traces};
use conformance::place::Place;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::endpoints;
use super::pods::{NAMESPACE, Pods};
use super::two_proxies::{self, Change as Known};
use crate::call::{Call, Connection};
use crate::cluster::Cluster;
use crate::in_force;
use crate::lab::folder_with;
use crate::mark::unique;
use crate::run::run;
use crate::wait::until;
use crate::way::Way;

/// What a request dials: with the port of a Service, a sidecar takes what goes to any address and looks at the Host.
const DIALLED: &str = "payment-service.traffic-lab";
/// Envoy writes its log once a second.
const LOGGED: Duration = Duration::from_secs(6);
/// As long as copies may take that nobody expects.
const COPIES: Duration = Duration::from_millis(300);
/// istiod and the endpoint controller, on a machine that does much else.
const KNOWN: Duration = Duration::from_secs(90);
const PERIOD: Duration = Duration::from_millis(100);
const ADMIN: u16 = 15000;
/// All pods of the cases.
const PROXIES: [in_force::Pods; 1] = [(NAMESPACE, "app.kubernetes.io/part-of=istio-traffic-lab")];

/// A case that runs.
struct Replay<'c> {
    cluster: &'c Cluster,
    pods: &'c mut Pods,
    case: &'c Case,
    lens: Lens,
    judge: Judge<'c>,
    /// What is in force, by kind and name.
    objects: BTreeMap<String, Value>,
    noted: &'c mut BTreeSet<Known>,
}

/// Runs a case and says what differs from what was recorded. All that it applied is deleted again.
///
/// # Errors
/// The cluster could not be driven.
pub(super) async fn replay(
    cluster: &Cluster,
    pods: &mut Pods,
    case: &Case,
    noted: &mut BTreeSet<Known>,
) -> Result<Vec<Difference>> {
    pods.become_those_of(cluster, case).await?;
    let mut replay = Replay {
        cluster,
        pods,
        case,
        lens: Lens::new(case, Place::of(case)),
        judge: Judge::of(case),
        objects: BTreeMap::new(),
        noted,
    };
    let found = replay.steps().await;
    let left: Vec<Value> = replay.objects.values().cloned().collect();
    replay.delete(&manifests::joined(left.iter())).await?;
    found
}

impl Replay<'_> {
    async fn steps(&mut self) -> Result<Vec<Difference>> {
        self.apply(&self.case.config).await?;
        let mut found = Vec::new();
        for (index, step) in self.case.steps.iter().enumerate() {
            let differences = match &step.action {
                Action::Send(asked) => self.send(asked, index).await?,
                Action::Apply { text, refused } => {
                    ensure!(!refused, "what is refused is not for a cluster");
                    self.apply(text).await?;
                    Vec::new()
                }
                Action::Delete(text) => {
                    self.delete(text).await?;
                    self.in_force().await?;
                    Vec::new()
                }
                Action::Workloads(changes) => self.change(changes).await.map(|()| Vec::new())?,
                Action::Wait(seconds) => {
                    sleep(Duration::from_secs_f64(*seconds)).await;
                    Vec::new()
                }
            };
            found.extend(differences.into_iter().map(|difference| difference.at(index)));
        }
        Ok(found)
    }

    async fn apply(&mut self, text: &str) -> Result<()> {
        let folder = folder_with("case.yaml", text)?;
        let words = ["apply", "-n", NAMESPACE, "-f"];
        run(self.cluster.kubectl().command(&words).arg(folder.path()))
            .await?
            .expect(0)?;
        self.objects.extend(
            manifests::documents(text)
                .into_iter()
                .map(|object| (key(&object), object)),
        );
        self.in_force().await
    }

    async fn delete(&mut self, text: &str) -> Result<()> {
        let documents = manifests::documents(text);
        if documents.is_empty() {
            return Ok(());
        }
        documents
            .iter()
            .for_each(|object| drop(self.objects.remove(&key(object))));
        let folder = folder_with("case.yaml", text)?;
        let words = ["delete", "-n", NAMESPACE, "--ignore-not-found", "-f"];
        run(self.cluster.kubectl().command(&words).arg(folder.path()))
            .await?
            .expect(0)?;
        Ok(())
    }

    /// Waits until every proxy has the objects, and the client's knows the endpoints and listens at their ports.
    async fn in_force(&self) -> Result<()> {
        let (kubectl, forwards) = (self.cluster.kubectl(), self.cluster.forwards());
        in_force::everywhere(kubectl, forwards, &PROXIES, &unique("mark")).await?;
        let client = format!("pod/{}", self.pods.client);
        let mut admin = Connection::new(Way::from(forwards.to(NAMESPACE, &client, ADMIN).await?));
        let objects: Vec<Value> = self.objects.values().cloned().collect();
        let expected = endpoints::expected(&objects, &self.pods.workloads);
        until("the client's proxy knows the endpoints", KNOWN, async || {
            let shown = endpoints::shown(&admin.send(&Call::get("/clusters")).await?.text());
            let listeners = admin.send(&Call::get("/listeners")).await?.text();
            let known = expected.iter().all(|(cluster, members)| {
                let port = cluster.split('|').nth(1).unwrap_or_default();
                shown.get(cluster) == Some(members) && listeners.contains(&format!("0.0.0.0:{port}"))
            });
            Ok(known.then_some(()))
        })
        .await
        .with_context(|| format!("expected {expected:?}"))
    }

    async fn change(&self, changes: &BTreeMap<String, Change>) -> Result<()> {
        for (name, change) in changes {
            ensure!(
                change.gone.is_none(),
                "endpoints that come and go are not for a cluster"
            );
            let index = self
                .case
                .workloads
                .iter()
                .position(|workload| workload.name == *name);
            let workload = index.and_then(|index| self.pods.workloads.get(index));
            let workload = workload.with_context(|| format!("the case has no workload {name}"))?;
            if let Some(behaviour) = &change.behaviour {
                workload.behave(behaviour).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, asked: &Asked, step: usize) -> Result<Vec<Difference>> {
        let lab_id = unique(&format!("{}-{step}", self.case.name));
        let request = Arc::new(Request::new(&asked.send, &lab_id)?);
        let before = self.pods.log.len();
        let relay = &self.pods.relay.address;
        let responses = client::send(&request, asked, || client::Connection::through(relay, DIALLED)).await;
        let (lines, requests) = asked.observed.amounts();
        let deadline = Instant::now() + LOGGED;
        while Instant::now() < deadline
            && (self.pods.log.len() < before + lines || self.pods.received(&lab_id).await?.len() < requests)
        {
            sleep(PERIOD).await;
        }
        if self.lens.mirrors {
            sleep(COPIES).await;
        }
        let entries = self.pods.log.since(before);
        let traces = Traces {
            request: &request,
            received: self.pods.received(&lab_id).await?,
            entries: &entries,
        };
        let got = self.lens.observed(asked, &responses, traces);
        let (asked, got) = two_proxies::without(asked, got, self.noted);
        Ok(self.judge.differences(&asked, &got))
    }
}

fn key(object: &Value) -> String {
    format!("{}/{}", object["kind"], object["metadata"]["name"])
}
