//! Metrics with Istio's names, for Prometheus.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use mesh_config::Client;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::cluster::{Cluster, Host};
use super::flags::Flags;
use super::plane::Proxy;
use super::record::Record;

/// Upper bounds in milliseconds, as Istio has them.
const BUCKETS: [f64; 20] = [
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
    f64::MAX,
];

/// The labels of `istio_requests_total` that mean something here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    reporter: &'static str,
    source_workload: String,
    source_workload_namespace: String,
    source_app: String,
    source_version: String,
    destination_service: String,
    destination_service_name: String,
    destination_service_namespace: String,
    destination_workload: String,
    destination_workload_namespace: String,
    destination_app: String,
    destination_version: String,
    request_protocol: &'static str,
    response_code: u32,
    response_flags: String,
    connection_security_policy: &'static str,
}

type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// All metrics of the data plane.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    durations: Histograms,
    /// The series of requests that look alike, so that labels are put together once.
    series: RefCell<HashMap<Key, Series>>,
}

/// Addresses of what the series keeps alive.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    proxy: usize,
    cluster: usize,
    host: usize,
    status: u16,
    flags: Flags,
}

struct Series {
    requests: Counter,
    duration: Histogram,
    _alive: (Rc<Proxy>, Option<Rc<Cluster>>, Option<Rc<Host>>),
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let requests = Family::<Labels, Counter>::default();
        let durations = Histograms::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register(
            "istio_requests",
            "Requests, by who sent and who answered",
            requests.clone(),
        );
        registry.register(
            "istio_request_duration_milliseconds",
            "From the arrival of a request to the last byte of its answer",
            durations.clone(),
        );
        Metrics {
            registry,
            requests,
            durations,
            series: RefCell::default(),
        }
    }
}

impl Metrics {
    /// Counts a request that has ended.
    pub(super) fn count(&self, proxy: &Rc<Proxy>, record: &Record) {
        let key = Key {
            proxy: Rc::as_ptr(proxy).addr(),
            cluster: record
                .cluster
                .as_ref()
                .map_or(0, |cluster| Rc::as_ptr(cluster).addr()),
            host: record.host.as_ref().map_or(0, |host| Rc::as_ptr(host).addr()),
            status: record.status,
            flags: record.flags,
        };
        let mut series = self.series.borrow_mut();
        let series = series
            .entry(key)
            .or_insert_with(|| self.series_for(proxy, record));
        series.requests.inc();
        series.duration.observe(record.duration().as_secs_f64() * 1e3);
    }

    fn series_for(&self, proxy: &Rc<Proxy>, record: &Record) -> Series {
        let labels = labels(&proxy.client, record);
        Series {
            requests: self.requests.get_or_create_owned(&labels),
            duration: self.durations.get_or_create_owned(&labels),
            _alive: (Rc::clone(proxy), record.cluster.clone(), record.host.clone()),
        }
    }

    /// Lets go of what may have left the configuration; the counts stay.
    pub(super) fn forget(&self) {
        self.series.borrow_mut().clear();
    }

    /// In the text format of Prometheus.
    pub(super) fn encode(&self) -> String {
        let mut encoded = String::new();
        // Writing to memory cannot fail.
        let _ = text::encode(&mut encoded, &self.registry);
        encoded
    }
}

fn labels(client: &Client, record: &Record) -> Labels {
    let label = |labels: &BTreeMap<String, String>, name: &str| {
        labels.get(name).cloned().unwrap_or_else(|| "unknown".to_owned())
    };
    let cluster = record.cluster.as_ref().map(|cluster| cluster.spec());
    let of_cluster = |part: fn(&mesh_config::Cluster) -> &String| {
        cluster
            .as_ref()
            .map_or("unknown".to_owned(), |cluster| part(cluster).clone())
    };
    let endpoint = record.host.as_ref().map(|host| host.endpoint());
    let of_endpoint = |part: fn(&mesh_config::Endpoint) -> &String| {
        endpoint
            .as_ref()
            .map_or("unknown".to_owned(), |endpoint| part(endpoint).clone())
    };
    let destination = |name| {
        endpoint
            .as_ref()
            .map_or("unknown".to_owned(), |e| label(&e.labels, name))
    };
    Labels {
        reporter: "source",
        source_workload: client.name.clone(),
        source_workload_namespace: client.namespace.clone(),
        source_app: label(&client.labels, "app"),
        source_version: label(&client.labels, "version"),
        destination_service: of_cluster(|cluster| &cluster.host),
        destination_service_name: of_cluster(|cluster| &cluster.service_name),
        destination_service_namespace: of_cluster(|cluster| &cluster.service_namespace),
        destination_workload: of_endpoint(|endpoint| &endpoint.workload),
        destination_workload_namespace: of_endpoint(|endpoint| &endpoint.namespace),
        destination_app: destination("app"),
        destination_version: destination("version"),
        request_protocol: "http",
        response_code: u32::from(record.status),
        response_flags: record.flags.to_string(),
        connection_security_policy: "none",
    }
}
