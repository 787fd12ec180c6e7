//! The request that is sent, prepared once: what does not change from one send to the next is only copied by reference.

use std::cell::LazyCell;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;

use super::target::Target;
use super::template::{Template, Values};

/// hyper puts the headers of the answer into the map that held those of the request, which should not have to grow.
const ROOM_FOR_HEADERS: usize = 12;

/// A header of the request to send; the value may hold placeholders.
pub type Header = (HeaderName, String);

/// One request of the mix, as asked for. Placeholders: `{uuid}` (fresh for each request) and `{n}` (its number, from
/// 0) in header values and body.
#[derive(Clone, Debug)]
pub struct RequestSpec {
    /// Method of the request line.
    pub method: Method,
    /// In order; a name may repeat. `host` replaces the Host of the URL.
    pub headers: Vec<Header>,
    /// Sent with its length.
    pub body: Vec<u8>,
}

/// A header that cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum InvalidHeader {
    /// Bytes that a header value cannot hold.
    #[error("the value of header `{0}` has characters that HTTP does not allow")]
    Value(HeaderName),
    /// Framing is not the caller's.
    #[error("header `{0}` is set from the body; leave it out")]
    Framing(HeaderName),
}

impl RequestSpec {
    /// The same request with other headers: an overlaid name replaces every value of that name.
    #[must_use]
    pub fn overlaid(&self, overlay: &[Header]) -> Self {
        let mut spec = self.clone();
        spec.headers
            .retain(|(name, _)| overlay.iter().all(|(other, _)| other != name));
        spec.headers.extend_from_slice(overlay);
        spec
    }
}

/// A request that is ready to be sent any number of times.
#[derive(Debug)]
pub(super) struct PreparedRequest {
    method: Method,
    uri: Uri,
    constant: HeaderMap,
    /// Names as in the order given; values that differ from request to request.
    varying: Vec<(HeaderName, Template)>,
    body: PreparedBody,
}

#[derive(Debug)]
enum PreparedBody {
    Constant(Bytes),
    Varying(Template),
}

impl PreparedRequest {
    pub(super) fn new(spec: &RequestSpec, target: &Target) -> Result<Self, InvalidHeader> {
        let mut constant = HeaderMap::new();
        let mut varying = Vec::new();
        for (name, text) in &spec.headers {
            if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
                return Err(InvalidHeader::Framing(name.clone()));
            }
            // Placeholders become hexadecimal digits and dashes: if the text is a valid value, so is every rendering.
            let value = HeaderValue::from_bytes(text.as_bytes())
                .map_err(|_invalid| InvalidHeader::Value(name.clone()))?;
            let template = Template::new(text.as_bytes());
            if template.is_constant() {
                constant.append(name, value);
            } else {
                varying.push((name.clone(), template));
            }
        }
        if spec.headers.iter().all(|(name, _)| name != HOST) {
            constant.insert(HOST, target.host_header().clone());
        }
        let template = Template::new(&spec.body);
        let body = if template.is_constant() {
            PreparedBody::Constant(Bytes::from(spec.body.clone()))
        } else {
            PreparedBody::Varying(template)
        };
        Ok(PreparedRequest {
            method: spec.method.clone(),
            uri: target.uri().clone(),
            constant,
            varying,
            body,
        })
    }

    /// `values` is asked only if there is a placeholder: a random number per request would cost the others.
    pub(super) fn render(&self, values: impl FnOnce() -> Values) -> Request<Full<Bytes>> {
        let values = LazyCell::new(values);
        let body = match &self.body {
            PreparedBody::Constant(bytes) => bytes.clone(),
            PreparedBody::Varying(template) => Bytes::from(template.render(&values)),
        };
        let mut headers = HeaderMap::with_capacity(ROOM_FOR_HEADERS);
        headers.extend(
            self.constant
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        for (name, template) in &self.varying {
            if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(template.render(&values))) {
                headers.append(name, value);
            }
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }
}
