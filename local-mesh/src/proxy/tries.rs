//! The tries of one request: an endpoint for each, a connection to it, and whether there is another one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version};
use hyper::body::{Body, Incoming};
use mesh_config::RetryPolicy;
use tokio::time::Instant;

use super::body::{Payload, RequestBody};
use super::cluster::{Cluster, Host, Lease, Outcome, Permit, Unsent, Wish, lease};
use super::flags::{Flag, Flags};
use super::headers::{ATTEMPT_COUNT, EXPECTED_TIMEOUT, GRPC_TIMEOUT, say_empty};
use super::mirror::Copies;
use super::plane::Shared;
use super::record::Answered;
use super::reply::{Failure, LocalReply, http_status};
use super::response::milliseconds;
use super::target::Target;
use super::{retry, timeout};

/// A request on its way to a cluster, ready to be sent as often as its policy allows.
pub(super) struct Tries<'a> {
    pub(super) shared: &'a Shared,
    pub(super) cluster: &'a Rc<Cluster>,
    /// `None`: one try.
    pub(super) policy: Option<&'a RetryPolicy>,
    /// For all tries together.
    pub(super) timeout: Option<Duration>,
    pub(super) method: Method,
    /// After rewriting.
    pub(super) path: Target,
    pub(super) headers: HeaderMap,
    pub(super) payload: Option<Rc<Payload>>,
    /// What is copied to mirrors as soon as there is an endpoint for the request itself.
    pub(super) copies: Cell<Option<Copies<'a>>>,
    /// For consistent hashing.
    pub(super) hash: Option<u64>,
    /// `content-type: application/grpc`: the status of gRPC counts.
    pub(super) grpc: bool,
    /// The endpoint of the latest try.
    pub(super) host: RefCell<Option<Rc<Host>>>,
    /// The number of the latest try, from 1.
    pub(super) attempts: Cell<u32>,
    /// The latest answer of an endpoint, passed on or not.
    pub(super) answered: Cell<Option<Answered>>,
}

/// An answer of an endpoint, its body still to be read.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) lease: Lease,
    /// Why there was no further try, if there should have been one.
    pub(super) flags: Flags,
}

/// The result of one try.
type Tried = Result<(Response<Incoming>, Lease), Failure>;

impl Tries<'_> {
    /// Tries until there is an answer to pass on.
    ///
    /// # Errors
    /// The proxy's own answer, when the last try got none or no endpoint is healthy.
    pub(super) async fn run(&self) -> Result<Answer, LocalReply> {
        let started = Instant::now();
        let remote = self.policy.is_some_and(|policy| policy.remote_localities);
        let mut wish = Wish::new(self.hash, remote);
        let mut permit: Option<Permit> = None;
        loop {
            let number = self.attempts.get();
            let host = self.cluster.pick(&mut wish, &mut *self.shared.rng());
            let host = host.ok_or_else(LocalReply::no_healthy_upstream)?;
            *self.host.borrow_mut() = Some(Rc::clone(&host));
            if let Some(copies) = self.copies.take() {
                copies.send(self);
            }
            let result = self.once(&host, number, started).await;
            self.book(&host, &result);
            if let Ok((response, lease)) = &result {
                self.answered.set(Some(Answered {
                    status: response.status().as_u16(),
                    http2: self.cluster.is_http2(),
                    local: lease.local(),
                }));
            }
            drop(permit.take());
            let Some(policy) = self.policy.filter(|policy| wants_retry(policy, &result)) else {
                return finish(result, number, Flags::NONE);
            };
            if self
                .payload
                .as_ref()
                .is_some_and(|payload| !payload.can_be_replayed())
            {
                return finish(result, number, Flags::NONE);
            }
            if number > policy.attempts {
                return finish(result, number, Flags::of(Flag::RetryLimitExceeded));
            }
            permit = self.cluster.enter_retry();
            if permit.is_none() {
                return finish(result, number, Flags::of(Flag::UpstreamOverflow));
            }
            // An answer that is not passed on: with a body still coming its connection is of no more use.
            if let Ok((response, lease)) = result
                && response.body().is_end_stream()
            {
                lease.release();
            }
            let wait = retry::back_off(policy, number, &mut *self.shared.rng());
            tokio::time::sleep(wait).await;
            if policy.avoid_previous_hosts {
                wish.avoid.push(host);
            }
            self.attempts.set(number + 1);
        }
    }

    /// One try, within `perTryTimeout`.
    async fn once(&self, host: &Rc<Host>, number: u32, started: Instant) -> Tried {
        let try_it = self.exchange(host, number, started);
        let Some(limit) = self.policy.and_then(|policy| policy.per_try_timeout) else {
            return try_it.await;
        };
        tokio::select! {
            biased;
            result = try_it => result,
            () = after_request(self.payload.as_deref(), limit) => Err(Failure::PerTryTimeout),
        }
    }

    async fn exchange(&self, host: &Rc<Host>, number: u32, started: Instant) -> Tried {
        let mut request = self.request(number, started);
        loop {
            let mut lease = self.lease(host).await?;
            match lease.send(request).await {
                Ok(response) => return Ok((response, lease)),
                // The endpoint closed a kept connection meanwhile; nothing was sent, so this is not a retry.
                Err(Unsent::Back(unsent)) if !lease.is_fresh() => request = *unsent,
                Err(Unsent::Back(_)) => return Err(Failure::Termination),
                Err(Unsent::Failed(_)) if self.is_broken() => return Err(Failure::ClientGone),
                Err(Unsent::Failed(failure)) => return Err(failure),
            }
        }
    }

    /// The client broke off, which broke the try.
    fn is_broken(&self) -> bool {
        let payload = self.payload.as_ref();
        payload.is_some_and(|payload| payload.is_broken())
    }

    async fn lease(&self, host: &Rc<Host>) -> Result<Lease, Failure> {
        let Some(payload) = &self.payload else {
            return lease(self.cluster, host).await;
        };
        tokio::select! {
            biased;
            lease = lease(self.cluster, host) => lease,
            never = payload.gather() => match never {},
        }
    }

    fn request(&self, number: u32, started: Instant) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::new(self.payload.clone()));
        *request.method_mut() = self.method.clone();
        let http2 = self.cluster.is_http2();
        *request.uri_mut() = self.path.uri(http2);
        *request.headers_mut() = self.headers.clone();
        if http2 {
            in_http2(&mut request);
        } else if self.payload.is_none() {
            say_empty(request.headers_mut(), &self.method);
        }
        if !http2 && let Some(odd) = self.path.odd() {
            request.extensions_mut().insert(odd.clone());
        }
        // The first try's were there before the operations of the route, which may have changed them.
        if number > 1 {
            announce(
                request.headers_mut(),
                number,
                self.limit(started.elapsed()),
                self.grpc,
            );
        }
        request
    }

    /// What a try may take: the smaller of `perTryTimeout` and what is left of the timeout.
    fn limit(&self, elapsed: Duration) -> Option<Duration> {
        // Envoy counts the whole milliseconds that have passed.
        let passed = Duration::from_millis(milliseconds(elapsed));
        let left = self.timeout.map(|timeout| timeout.saturating_sub(passed));
        let per_try = self.policy.and_then(|policy| policy.per_try_timeout);
        left.into_iter().chain(per_try).min()
    }

    fn book(&self, host: &Rc<Host>, result: &Tried) {
        let outcome = match result {
            Ok((response, _)) => Some(Outcome::Answer(self.status(response))),
            Err(failure) => failure.outcome(),
        };
        if let Some(outcome) = outcome {
            self.cluster.book(host, outcome);
        }
    }

    fn status(&self, response: &Response<Incoming>) -> u16 {
        let grpc = response.headers().get("grpc-status").filter(|_| self.grpc);
        grpc.map_or(response.status().as_u16(), |status| {
            http_status(status.as_bytes())
        })
    }

    /// The timeout for all tries together passed: 504 for the endpoint that was being waited for.
    fn timed_out(&self) -> LocalReply {
        if let Some(host) = self.host.borrow().as_ref() {
            self.cluster.book(host, Outcome::TimedOut);
        }
        LocalReply::timeout()
    }
}

/// Tells the endpoint which try this is, and how long it may take if there is a limit; a gRPC call in its own way, too.
pub(super) fn announce(headers: &mut HeaderMap, number: u32, limit: Option<Duration>, grpc: bool) {
    headers.insert(ATTEMPT_COUNT, HeaderValue::from(number));
    if let Some(limit) = limit.map(milliseconds) {
        headers.insert(EXPECTED_TIMEOUT, HeaderValue::from(limit));
        if grpc {
            headers.insert(GRPC_TIMEOUT, timeout::to_grpc(limit));
        }
    }
}

/// All tries, within the timeout of the route.
pub(super) async fn within_timeout(tries: &Tries<'_>) -> Result<Answer, LocalReply> {
    let Some(limit) = tries.timeout else {
        return tries.run().await;
    };
    tokio::select! {
        biased;
        result = tries.run() => result,
        () = after_request(tries.payload.as_deref(), limit) => Err(tries.timed_out()),
    }
}

/// Passes once `limit` has gone by since the whole request was there.
async fn after_request(payload: Option<&Payload>, limit: Duration) {
    let from = match payload {
        Some(payload) => payload.completed().await,
        None => Instant::now(),
    };
    tokio::time::sleep_until(from + limit).await;
}

/// In HTTP/2 the Host header is the authority of the target.
fn in_http2(request: &mut Request<RequestBody>) {
    let Some(host) = request.headers_mut().remove(HOST) else {
        return;
    };
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = host.to_str().ok().and_then(|host| host.parse().ok());
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    *request.version_mut() = Version::HTTP_2;
}

fn wants_retry(policy: &RetryPolicy, result: &Tried) -> bool {
    match result {
        Ok((response, _)) => retry::after_answer(&policy.on, response.status(), response.headers()),
        Err(failure) => retry::after_failure(&policy.on, failure),
    }
}

fn finish(result: Tried, number: u32, flags: Flags) -> Result<Answer, LocalReply> {
    match result {
        Ok((response, lease)) => Ok(Answer {
            response,
            lease,
            flags,
        }),
        Err(failure) => Err(LocalReply::failed(&failure, number > 1, flags)),
    }
}
