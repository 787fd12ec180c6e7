//! CORS: preflights are answered, other answers get headers; nothing is ever blocked. Source: Envoy's
//! `cors_filter.cc`.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mesh_config::CorsPolicy;

/// A request with an `origin` on a route with a policy.
pub(super) struct CrossOrigin<'p> {
    policy: &'p CorsPolicy,
    /// The origin, if it is allowed.
    allowed: Option<HeaderValue>,
    /// What a preflight asks for, if this is one.
    preflight: Option<Preflight>,
}

struct Preflight {
    method: HeaderValue,
    headers: Option<HeaderValue>,
}

impl<'p> CrossOrigin<'p> {
    /// `None` without an origin, or when the policy has nothing to say.
    pub(super) fn of(policy: &'p CorsPolicy, parts: &Parts) -> Option<Self> {
        let origin = parts.headers.get(ORIGIN).filter(|origin| !origin.is_empty())?;
        let preflight = preflight(parts);
        let allowed = policy.allows(origin.as_bytes()).then(|| origin.clone());
        // Unless it is to be ignored, a preflight of a foreign origin is the workload's.
        let ignored = preflight.is_some() && !policy.forwards_unmatched;
        (allowed.is_some() || ignored).then_some(CrossOrigin {
            policy,
            allowed,
            preflight,
        })
    }

    /// Whether the proxy answers.
    pub(super) fn is_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    /// Adds what an answer says: that to a preflight everything, others only who may read them.
    pub(super) fn decorate(&self, headers: &mut HeaderMap) {
        if let Some(origin) = &self.allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            set(
                headers,
                ACCESS_CONTROL_EXPOSE_HEADERS,
                self.policy.exposed.as_ref(),
            );
        }
        if self.policy.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(preflight) = &self.preflight {
            let methods = or_asked(self.policy.methods.as_ref(), Some(&preflight.method));
            set(headers, ACCESS_CONTROL_ALLOW_METHODS, methods.as_ref());
            let allowed = or_asked(self.policy.headers.as_ref(), preflight.headers.as_ref());
            set(headers, ACCESS_CONTROL_ALLOW_HEADERS, allowed.as_ref());
            set(headers, ACCESS_CONTROL_MAX_AGE, self.policy.max_age.as_ref());
        }
    }
}

fn preflight(parts: &Parts) -> Option<Preflight> {
    let method = parts.headers.get(ACCESS_CONTROL_REQUEST_METHOD);
    let method = method.filter(|method| parts.method == Method::OPTIONS && !method.is_empty())?;
    Some(Preflight {
        method: method.clone(),
        headers: parts.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
    })
}

/// `*` alone stands for what was asked for, be it nothing.
fn or_asked(allowed: Option<&HeaderValue>, asked: Option<&HeaderValue>) -> Option<HeaderValue> {
    let allowed = allowed?;
    if allowed != "*" {
        return Some(allowed.clone());
    }
    Some(asked.cloned().unwrap_or(HeaderValue::from_static("")))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<&HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value.clone());
    }
}
