//! Asks the cluster, through `kubectl` and `istioctl`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;

use super::dump::ProxyConfig;
use super::pods::{Pod, read_pods};
use super::reconcile::{Reading, reconcile};
use super::status::{ProxyStatus, read_statuses};
use super::traffic::Counters;
use crate::ask::{AskError, ask};
use crate::expect::Question;

/// For one program; istioctl itself gives up after 30 s.
const LIMIT: Duration = Duration::from_secs(40);
/// Between two readings of a mesh that is still changing.
const PAUSE: Duration = Duration::from_millis(500);
/// Programs at a time: each opens a tunnel through the API server.
const AT_ONCE: usize = 4;

/// `kubectl` and `istioctl` for one cluster.
#[derive(Clone, Debug, Default)]
pub struct MeshTools {
    /// Of the kubeconfig; `None`: the current one.
    pub context: Option<String>,
}

/// The mesh could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A program is missing, or failed.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// It prints something else than the versions that are known.
    #[error("`{command}` printed something unknown: {reason}")]
    Unknown {
        /// The command, in short.
        command: &'static str,
        /// What is wrong with the JSON.
        reason: serde_json::Error,
    },
}

impl MeshTools {
    /// The pods of the callers and what their proxies hold.
    ///
    /// # Errors
    /// kubectl or istioctl give no answer. A single proxy that does not is part of the reading.
    pub async fn read(&self, questions: &[Question]) -> Result<Reading, ReadError> {
        let (pods, statuses) = tokio::try_join!(self.pods(questions), self.statuses())?;
        let configs = each(callers(&pods, questions), async |proxy| self.config(proxy).await).await;
        Ok(Reading {
            pods,
            statuses,
            configs,
            counted: BTreeMap::new(),
        })
    }

    /// Reads until every proxy holds what is declared, but no longer than `within`; then as it is.
    ///
    /// # Errors
    /// As [`MeshTools::read`].
    pub async fn read_until_agreed(
        &self,
        questions: &[Question],
        within: Duration,
    ) -> Result<Reading, ReadError> {
        let begun = Instant::now();
        loop {
            let reading = self.read(questions).await?;
            if reconcile(questions, &reading, &[]).agrees || begun.elapsed() >= within {
                return Ok(reading);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What the proxies of the callers have counted since they started; those that do not count are left out.
    ///
    /// # Errors
    /// kubectl gives no answer.
    pub async fn counters(&self, questions: &[Question]) -> Result<BTreeMap<String, Counters>, ReadError> {
        let pods = self.pods(questions).await?;
        let counters = each(callers(&pods, questions), async |proxy| {
            let words = ["istioctl", "experimental", "envoy-stats", proxy, "-o", "prom"];
            let text = self.ask(&words).await.ok()?;
            Counters::read(&text)
        });
        let counters = counters.await.into_iter();
        Ok(counters
            .filter_map(|(proxy, counters)| Some((proxy, counters?)))
            .collect())
    }

    async fn pods(&self, questions: &[Question]) -> Result<Vec<Pod>, ReadError> {
        let namespaces: BTreeSet<&str> = questions
            .iter()
            .map(|question| question.caller.namespace.as_str())
            .collect();
        let mut pods = Vec::new();
        for namespace in namespaces {
            let text = self
                .ask(&["kubectl", "get", "pods", "-n", namespace, "-o", "json"])
                .await?;
            pods.extend(read_pods(&text).map_err(|reason| ReadError::Unknown {
                command: "kubectl get pods",
                reason,
            })?);
        }
        Ok(pods)
    }

    async fn statuses(&self) -> Result<Vec<ProxyStatus>, ReadError> {
        let text = self.ask(&["istioctl", "proxy-status", "-o", "json"]).await?;
        read_statuses(&text).map_err(|reason| ReadError::Unknown {
            command: "istioctl proxy-status",
            reason,
        })
    }

    /// All of it rather than routes and clusters: in one call, and with the updates that were refused.
    async fn config(&self, proxy: &str) -> Result<ProxyConfig, String> {
        let text = self
            .ask(&["istioctl", "proxy-config", "all", proxy, "-o", "json"])
            .await;
        let text = text.map_err(|error| error.to_string())?;
        ProxyConfig::read(&text).map_err(|error| format!("not a config dump: {error}"))
    }

    async fn ask(&self, words: &[&str]) -> Result<String, AskError> {
        let mut words = words.to_vec();
        if let Some(context) = &self.context {
            words.extend(["--context", context]);
        }
        ask(&words, LIMIT).await
    }
}

/// The proxies of all callers.
fn callers(pods: &[Pod], questions: &[Question]) -> BTreeSet<String> {
    pods.iter()
        .filter(|pod| pod.has_proxy && questions.iter().any(|question| pod.is_of(&question.caller)))
        .map(Pod::proxy)
        .collect()
}

/// Asks the proxies, some at a time.
async fn each<T>(proxies: BTreeSet<String>, ask: impl AsyncFn(&str) -> T) -> BTreeMap<String, T> {
    stream::iter(proxies)
        .map(|proxy| async {
            let answer = ask(&proxy).await;
            (proxy, answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}
