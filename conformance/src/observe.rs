//! From answers, received requests and access log lines to an observation, as the recorder made it.

use std::collections::BTreeMap;

use crate::case::{Asked, Case, Counts, Headers, Lines, Many, Observed, One, Proxy, Reply, Seen};
use crate::client::{Request, Response, hops};
use crate::mesh::Entry;
use crate::place::Place;
use crate::workload::Received;

/// Headers of requests that differ from run to run, and Host, which is a field of its own.
const VOLATILE_REQUEST: [&str; 10] = [
    "x-request-id",
    crate::client::LAB_ID,
    "host",
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
];

/// Headers of answers that differ from run to run.
const VOLATILE_RESPONSE: [&str; 4] = ["date", SERVICE_TIME, "content-length", "transfer-encoding"];

/// The proxy adds it to an answer that came from upstream.
const SERVICE_TIME: &str = "x-envoy-upstream-service-time";

/// The time left, which after a first attempt differs from run to run.
const DEADLINE: &str = "x-envoy-expected-rq-timeout-ms";

/// What must be known of a case to see what the recorder saw.
#[derive(Clone, Debug)]
pub struct Lens {
    place: Place,
    /// There may be mirror copies.
    pub mirrors: bool,
    /// There may be cookies whose value depends on the client's port.
    hashes: bool,
    gateway: bool,
}

/// What became of a step.
#[derive(Debug)]
pub struct Traces<'t> {
    /// What was sent.
    pub request: &'t Request,
    /// What the workloads received.
    pub received: Vec<Received>,
    /// What the proxy logged.
    pub entries: &'t [Entry],
}

// === impl Lens ===

impl Lens {
    /// For this case, replayed at this place.
    pub fn new(case: &Case, place: Place) -> Lens {
        let say = |word: &str| case.texts().any(|text| text.contains(word));
        Lens {
            place,
            mirrors: say("mirror"),
            hashes: say("consistentHash"),
            gateway: case.proxy == Proxy::Gateway,
        }
    }

    /// What a step shows, in the form in which it was recorded: one request in full, or several counted.
    pub fn observed(&self, asked: &Asked, responses: &[Response], traces: Traces<'_>) -> Observed {
        match (&asked.observed, responses) {
            (Observed::One(_), [response]) => {
                Observed::One(self.one(response, traces, asked.send.body_size.is_some()))
            }
            _ => Observed::Many(self.many(responses, traces)),
        }
    }

    /// One request in full; `sized` if the lengths of bodies matter.
    fn one(&self, response: &Response, traces: Traces<'_>, sized: bool) -> One {
        let entry = traces.entries.last();
        let (main, copies) = self.split(traces.request, traces.received);
        let upstream = entry.is_some_and(|entry| entry.details == "via_upstream");
        let mut headers = self.headers(&response.headers, &VOLATILE_RESPONSE);
        if self.hashes
            && let Some(cookie) = headers.get_mut("set-cookie")
            && let [only] = cookie.0.as_mut_slice()
        {
            *only = without_made_value(only);
        }
        One {
            status: response.status,
            error: response.error.clone(),
            body: response.status.filter(|_| !upstream).map(|_| self.body(response)),
            headers,
            upstream: self.seen(&main, sized),
            mirrored: self.seen(&copies, false),
            flags: entry.map(|entry| entry.flags.clone()),
            details: entry.map(|entry| entry.details.clone()),
            seconds: Some(response.seconds),
        }
    }

    /// Several requests, counted.
    fn many(&self, responses: &[Response], traces: Traces<'_>) -> Many {
        let (main, copies) = self.split(traces.request, traces.received);
        let status = |response: &Response| match response.status {
            Some(status) => status.to_string(),
            None => response.error.clone().unwrap_or_default(),
        };
        let by_workload = |received: &[Received]| count(received.iter().map(|one| one.workload.clone()));
        Many {
            statuses: count(responses.iter().map(status)),
            workloads: by_workload(&main),
            flags: count(traces.entries.iter().map(|entry| entry.flags.clone())),
            mirrored: Some(by_workload(&copies)),
            details: Some(count(traces.entries.iter().map(|entry| entry.details.clone()))),
            replies: Some(self.replies(responses)),
        }
    }

    /// Tells mirror copies from the request itself: only a copy has one more `x-forwarded-for` address.
    fn split(&self, request: &Request, received: Vec<Received>) -> (Vec<Received>, Vec<Received>) {
        if !self.mirrors {
            return (received, Vec::new());
        }
        let base = request.hops + usize::from(self.gateway);
        received
            .into_iter()
            .partition(|one| hops(one.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()))) <= base)
    }

    fn seen(&self, received: &[Received], sized: bool) -> Vec<Seen> {
        let mut first: Option<Lines> = None;
        let see = |one: &Received| {
            let mut headers = self.headers(&one.headers, &VOLATILE_REQUEST);
            let left = headers.get(DEADLINE).cloned();
            if first.is_none() {
                first.clone_from(&left);
            }
            if left != first {
                headers.remove(DEADLINE);
            }
            Seen {
                workload: one.workload.clone(),
                method: one.method.clone(),
                path: one.path.clone(),
                host: one.value("host").map(|host| self.place.as_recorded(host)),
                headers,
                body_bytes: sized.then_some(one.body_bytes),
            }
        };
        received.iter().map(see).collect()
    }

    fn replies(&self, responses: &[Response]) -> Vec<Reply> {
        let mut found = Vec::new();
        for response in responses {
            let own = !response.headers.iter().any(|(name, _)| name == SERVICE_TIME);
            let Some(status) = response.status.filter(|_| own) else {
                continue;
            };
            let headers = self.headers(&response.headers, &VOLATILE_RESPONSE);
            let reply = Reply {
                status,
                body: self.body(response),
                headers,
            };
            if !found.contains(&reply) {
                found.push(reply);
            }
        }
        found
    }

    fn body(&self, response: &Response) -> String {
        self.place.as_recorded(&String::from_utf8_lossy(&response.body))
    }

    fn headers(&self, headers: &[(String, String)], without: &[&str]) -> Headers {
        let mut found = Headers::new();
        for (name, value) in headers
            .iter()
            .filter(|(name, _)| !without.contains(&name.as_str()))
        {
            found
                .entry(name.clone())
                .or_default()
                .0
                .push(self.place.as_recorded(value));
        }
        found
    }
}

/// `name="0123456789abcdef"; ...` is a cookie that the proxy made: its value becomes `*`.
fn without_made_value(cookie: &str) -> String {
    let made = || {
        let (name, rest) = cookie.split_once("=\"")?;
        let (value, rest) = rest.split_once('"')?;
        let hex = value.len() == 16
            && value
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (hex && !name.contains([';', '='])).then(|| format!("{name}=\"*\"{rest}"))
    };
    made().unwrap_or_else(|| cookie.to_owned())
}

fn count(names: impl Iterator<Item = String>) -> Counts {
    let mut found: Counts = BTreeMap::new();
    for name in names {
        *found.entry(name).or_default() += 1;
    }
    found
}

#[cfg(test)]
mod tests;
