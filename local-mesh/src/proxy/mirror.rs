//! Copies of requests: sent once, their answers thrown away, no access log line. Source: Envoy's `shadow_writer_impl.cc`.

use std::rc::Rc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt;
use mesh_config::{Forward, Mirror};

use super::body::Payload;
use super::cluster::Cluster;
use super::exchange::Exchange;
use super::headers::{FORWARDED_FOR, INTERNAL};
use super::plane::{Config, Proxy};
use super::target::Target;
use super::tries::{Answer, Tries, within_timeout};

/// The address that a proxy gives itself towards mirrors.
const OWN_ADDRESS: &str = "127.0.0.1";

/// The copies of one request, not sent yet.
pub(super) struct Copies<'a> {
    proxy: &'a Rc<Proxy>,
    config: &'a Config,
    mirrors: &'a [Mirror],
    /// The number that chose the destination.
    random: u64,
}

impl<'a> Copies<'a> {
    /// `None` for a route without mirrors.
    pub(super) fn of(
        exchange: &Exchange<'a>,
        forward: &'a Forward,
        random: u64,
        payload: Option<&Payload>,
    ) -> Option<Self> {
        if forward.mirrors.is_empty() {
            return None;
        }
        if let Some(payload) = payload {
            payload.keep_all();
        }
        Some(Copies {
            proxy: exchange.proxy,
            config: exchange.config,
            mirrors: &forward.mirrors,
            random,
        })
    }

    /// Sends those that were drawn. They are what the endpoint gets, once, with signs that they are copies.
    pub(super) fn send(&self, original: &Tries<'_>) {
        for mirror in self
            .mirrors
            .iter()
            .filter(|mirror| mirror.share.contains(self.random))
        {
            let Some(cluster) = mirror.cluster.and_then(|id| self.config.clusters.get(id.0)) else {
                continue;
            };
            let copy = Copy {
                proxy: Rc::clone(self.proxy),
                cluster: Rc::clone(cluster),
                method: original.method.clone(),
                path: original.path.clone(),
                headers: marked(&original.headers),
                payload: original.payload.clone(),
                timeout: original.timeout,
                hash: original.hash,
                grpc: original.grpc,
            };
            tokio::task::spawn_local(copy.send());
        }
    }
}

fn marked(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.insert(INTERNAL, HeaderValue::from_static("true"));
    let chain = match headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok()) {
        Some(before) => HeaderValue::from_str(&format!("{before},{OWN_ADDRESS}")),
        None => Ok(HeaderValue::from_static(OWN_ADDRESS)),
    };
    if let Ok(chain) = chain {
        headers.insert(FORWARDED_FOR, chain);
    }
    headers
}

struct Copy {
    proxy: Rc<Proxy>,
    cluster: Rc<Cluster>,
    method: Method,
    path: Target,
    headers: HeaderMap,
    payload: Option<Rc<Payload>>,
    timeout: Option<Duration>,
    hash: Option<u64>,
    grpc: bool,
}

impl Copy {
    async fn send(self) {
        let tries = Tries {
            shared: &self.proxy.shared,
            cluster: &self.cluster,
            policy: None,
            timeout: self.timeout,
            method: self.method,
            path: self.path,
            headers: self.headers,
            payload: self.payload,
            hash: self.hash,
            grpc: self.grpc,
            copies: None.into(),
            host: None.into(),
            attempts: 1.into(),
            answered: None.into(),
        };
        // Nobody is told how it went.
        let Ok(Answer { response, lease, .. }) = within_timeout(&tries).await else {
            return;
        };
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return;
            }
        }
        lease.release();
    }
}
