//! Reads what the instances of a service charged (`GET /ledger`).
//!
//! Ledgers are in memory, one per instance, and the mesh draws who answers: it is asked until every instance that took part in the run
//! has answered.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use serde::Deserialize;

use crate::load::Header;
use crate::token::with_causes;

/// How long is asked for the ledgers that are missing. A version that gets one request in a hundred is met within this.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers in a row of instances that are known already, or that fail, after which the rest is taken for gone: with an instance that gets one
/// request in 200 this ends too early once in 20,000 times.
const MOST_KNOWN: u32 = 2_000;

/// The ledger of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ledger {
    /// Who.
    pub instance: String,
    /// Payments no longer in it: only the newest are kept.
    pub dropped: u64,
    /// Payments made.
    pub entries: Vec<Entry>,
}

/// A payment made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// Its idempotency key.
    pub key: String,
    /// Further attempts with the key that were answered with this payment.
    pub duplicates: u64,
}

/// Where ledgers are read.
#[derive(Clone, Debug)]
pub struct LedgerSource {
    /// Asked with GET.
    pub url: String,
    /// The proxy of the load, if any.
    pub proxy: Option<String>,
    /// Headers of the requests of the mix, one after the other: some versions may answer only to some of them.
    pub headers: Vec<Vec<Header>>,
}

/// There is no ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// No answer.
    #[error("cannot read the ledger at {url}: {reason}; correct --ledger, or leave it out")]
    Unreachable {
        /// As given.
        url: String,
        /// With its causes.
        reason: String,
    },
    /// An answer that is no ledger.
    #[error("{url} is no ledger (status {status}): {reason}; correct --ledger, or leave it out")]
    Other {
        /// As given.
        url: String,
        /// HTTP status.
        status: u16,
        /// Of the parser.
        reason: serde_json::Error,
    },
}

impl LedgerSource {
    /// The ledger beside what requests are sent to: the same host, path `/ledger`.
    ///
    /// # Errors
    /// `url` is no URL.
    pub fn beside(url: &str) -> Result<String, reqwest::Error> {
        let request = reqwest::Client::new().get(url).build()?;
        let mut found = request.url().clone();
        found.set_path("/ledger");
        found.set_query(None);
        Ok(found.to_string())
    }

    /// The ledgers of these instances, and of others that answer meanwhile. Fewer if an instance no longer answers.
    ///
    /// # Errors
    /// No answer, or one that is no ledger.
    pub async fn read(&self, wanted: &BTreeSet<String>) -> Result<Vec<Ledger>, LedgerError> {
        let unreachable = |error: reqwest::Error| LedgerError::Unreachable {
            url: self.url.clone(),
            reason: with_causes(&error),
        };
        let client = self.client().map_err(unreachable)?;
        let (begin, mut known, mut ledgers) = (Instant::now(), 0, Vec::<Ledger>::new());
        let mut mix = self.headers.iter().cycle();
        loop {
            let has = |instance: &str| ledgers.iter().any(|ledger| ledger.instance == instance);
            let complete = !ledgers.is_empty() && wanted.iter().all(|instance| has(instance));
            if complete || known >= MOST_KNOWN || begin.elapsed() >= PATIENCE {
                return Ok(ledgers);
            }
            let headers = mix.next().map_or(&[][..], Vec::as_slice);
            let response = self.ask(&client, headers).await.map_err(unreachable)?;
            // A ledger may be long: of one that is known only the head is read. An instance that fails may answer the next time.
            if instance(&response).is_some_and(has) {
                known += 1;
                continue;
            }
            if response.status().is_server_error() {
                known += 1;
                continue;
            }
            let status = response.status().as_u16();
            let text = response.text().await.map_err(unreachable)?;
            let ledger: Ledger = serde_json::from_str(&text).map_err(|reason| LedgerError::Other {
                url: self.url.clone(),
                status,
                reason,
            })?;
            if has(&ledger.instance) {
                known += 1;
            } else {
                known = 0;
                ledgers.push(ledger);
            }
        }
    }

    fn client(&self) -> reqwest::Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE);
        match &self.proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy)?),
            None => builder,
        }
        .build()
    }

    async fn ask(&self, client: &reqwest::Client, headers: &[Header]) -> reqwest::Result<reqwest::Response> {
        let mut request = client.get(&self.url);
        for (name, value) in headers {
            if ![CONTENT_LENGTH, CONTENT_TYPE, HOST].contains(name) {
                request = request.header(name, value);
            }
        }
        request.send().await
    }
}

/// The instance that answers, if the head says so.
fn instance(response: &reqwest::Response) -> Option<&str> {
    let hops = response.headers().get("x-served-by")?.to_str().ok()?;
    hops.split(',').next()?.trim().splitn(3, '/').nth(2)
}
