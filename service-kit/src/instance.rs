//! Who this instance is, and its state: draining or not, faults, counts.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::{HeaderValue, InvalidHeaderValue};
use actix_web::web::Bytes;
use serde_json::json;

use crate::Config;
use crate::fault::Faults;
use crate::metrics::Metrics;

/// The version of a service: the only thing in which its two binaries differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The stable one.
    V1,
    /// The canary.
    V2,
}

impl Version {
    /// `v1` or `v2`, as in the `version` label of a pod.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One running instance of a service; handlers get it as `web::Data<Instance>`.
#[derive(Debug)]
pub struct Instance {
    name: String,
    version: Version,
    pub(crate) served_by: HeaderValue,
    pub(crate) report: Bytes,
    pub(crate) faults: Option<Faults>,
    pub(crate) metrics: Metrics,
    draining: AtomicBool,
}

impl Instance {
    /// `service` is the name of the Service, such as `auth-service`.
    pub(crate) fn new(service: &str, version: Version, config: &Config) -> Result<Self, InvalidHeaderValue> {
        let name = &config.instance;
        let served_by = format!("{service}/{version}/{name}");
        let report = json!({
            "service": service,
            "version": version.as_str(),
            "instance": name,
            "build": env!("CARGO_PKG_VERSION"),
            "served_by": [&served_by],
        });
        Ok(Self {
            name: name.clone(),
            version,
            served_by: HeaderValue::from_str(&served_by)?,
            report: Bytes::from(report.to_string()),
            faults: config.faults.then(Faults::default),
            metrics: Metrics::new(service, version),
            draining: AtomicBool::new(false),
        })
    }

    /// Name of this instance, as in `x-served-by`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version of this instance.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether this instance has been told to stop: it still serves, but wants no new requests.
    pub(crate) fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
