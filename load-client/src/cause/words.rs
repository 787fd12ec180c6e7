//! What a cause is called, what speaks for it, and what to do.

use super::candidates::{Candidate, Rules, What, answering};
use super::facts::Other;
use super::model::Data;
use super::witness::Lack;
use super::{Cause, Kind};
use crate::report::number;

/// In sentences.
pub(super) fn cause(data: &Data<'_>, candidate: &Candidate, gain: f64, probability: f64) -> Cause {
    let kind = candidate.kind(data);
    let (what, evidence) = match &candidate.what {
        What::Alternative(index) => alternative(data, *index),
        What::ReplicaRatio => replica_ratio(data),
        What::FewerReplicas => fewer_replicas(data),
        What::Stale(which, rules) => stale(data, which, rules),
        What::StickyConnections => sticky(data),
        What::OneKey => one_key(data),
        What::Lost(k) => lost(data, *k),
        What::Strangers => strangers(data),
        What::Retried(k) => retried(data, *k),
        What::Mislabelled => mislabelled(data),
        What::Other => (
            "other weights are in force than those declared".to_owned(),
            format!("{}; no other cause explains them as well", observed(data)),
        ),
    };
    Cause {
        kind,
        what,
        evidence,
        advice: advice(kind).to_owned(),
        gain,
        probability,
    }
}

fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::PreviousStage => {
            "apply the stage, wait until it is in force, and see which VirtualServices the mesh holds (`kubectl get virtualservice -A -o yaml`, \
             `local-mesh get virtualservices -o yaml`)"
        }
        Kind::ReplicaRatio => {
            "let a VirtualService hold on this path: `gateways` must list the gateway for callers outside and `mesh` for callers inside, \
             `hosts` the name that is called, and the Service's port must be named http; `local-mesh explain URL --from CALLER` shows the rule"
        }
        Kind::StaleProxy => {
            "see which proxies lag (`istioctl proxy-status`), compare their routes (`istioctl proxy-config routes POD`), restart the pods that are named"
        }
        Kind::Sticky => {
            "count sessions instead of requests (--connections-per-unit 1 opens a connection for each), and look for `consistentHash` in \
             the DestinationRule and for ports that are not HTTP"
        }
        Kind::EndpointOut => {
            "see which pods are ready (`kubectl get pods`, `local-mesh get pods`) and which endpoints are ejected (`istioctl proxy-config endpoints POD`, outlierDetection)"
        }
        Kind::WrongHost => {
            "correct the Host of the request, `--from`, or the VirtualService's `hosts`, `gateways` and `destination.host`"
        }
        Kind::RetriedElsewhere => {
            "find out why that version fails (its errors are hidden by the retries), and route to subsets: the mesh then retries within the version"
        }
        Kind::WrongLabel => {
            "correct the image or the version that the pods report, or the label `version` of their Deployment"
        }
        Kind::OtherWeights => {
            "see the weights that the proxy has (`istioctl proxy-config routes POD -o json`, `local-mesh get routes`) and who applied them last"
        }
    }
}

/// `v1 91.2 %, v2 8.8 % of 240 answers`.
fn observed(data: &Data<'_>) -> String {
    let share =
        |(name, count): (&String, &f64)| format!("{name} {}", number::observed(count / data.n.max(1.0), 1));
    let seen = data
        .facts
        .versions
        .iter()
        .zip(&data.counts)
        .filter(|(_, count)| **count > 0.0);
    format!(
        "{} of {} answers",
        seen.map(share).collect::<Vec<_>>().join(", "),
        count(data.n)
    )
}

/// `v1 50 %, v2 50 %`.
fn shares(data: &Data<'_>, shares: &[f64]) -> String {
    let named = data
        .facts
        .versions
        .iter()
        .zip(shares)
        .filter(|(name, share)| **share > 0.0 || !name.contains('/'));
    named
        .map(|(name, share)| format!("{name} {}", number::declared(*share)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn alternative(data: &Data<'_>, index: usize) -> (String, String) {
    let alternative = &data.facts.alternatives[index];
    let says = shares(data, &data.facts.in_order(&alternative.shares));
    let what = match &alternative.of {
        Other::PreviousStage(name) => format!("the previous stage, {name}, is still in force"),
        Other::Stage(name) => format!("stage {name} is in force instead"),
        Other::Path(name) => format!("the requests come by another path: as from {name}"),
    };
    (what, format!("it gives {says}; seen: {}", observed(data)))
}

fn replica_ratio(data: &Data<'_>) -> (String, String) {
    let pods = data
        .facts
        .workloads
        .iter()
        .map(|workload| format!("{} of {}", workload.replicas, workload.version));
    let pods = pods.collect::<Vec<_>>().join(", ");
    let ratio = shares(data, &data.facts.replica_ratio().unwrap_or_default());
    (
        "no VirtualService is applied on this path: all pods share the requests".to_owned(),
        format!("{pods} pods give {ratio}; seen: {}", observed(data)),
    )
}

fn fewer_replicas(data: &Data<'_>) -> (String, String) {
    let answering = answering(data).unwrap_or_default();
    let missing = data
        .facts
        .versions
        .iter()
        .zip(&answering)
        .filter_map(|(version, answering)| {
            let of = data
                .facts
                .workloads
                .iter()
                .filter(|workload| workload.version == *version);
            let declared: f64 = of.map(|workload| f64::from(workload.replicas)).sum();
            (*answering < declared).then(|| {
                format!(
                    "{} of {} pods of {version} answered",
                    count(*answering),
                    count(declared)
                )
            })
        });
    (
        "pods are missing, and all that are left share the requests".to_owned(),
        format!(
            "{}; seen: {}",
            missing.collect::<Vec<_>>().join(", "),
            observed(data)
        ),
    )
}

fn stale(data: &Data<'_>, which: &[(String, bool)], rules: &Rules) -> (String, String) {
    let stale: Vec<&str> = which
        .iter()
        .filter(|(_, stale)| *stale)
        .map(|(name, _)| name.as_str())
        .collect();
    let named = match stale.as_slice() {
        few if few.len() <= 3 => few.join(", "),
        [first, ..] => format!("{first} and {} others", stale.len() - 1),
        [] => String::new(),
    };
    let rules = match rules {
        Rules::Alternative(index) => match &data.facts.alternatives[*index].of {
            Other::PreviousStage(name) | Other::Stage(name) => format!("by stage {name}"),
            Other::Path(name) => format!("as for {name}"),
        },
        Rules::Replicas => "by the number of pods".to_owned(),
        Rules::All(k) => format!("everything to {}", data.facts.versions[*k]),
    };
    let (some, routes) = if stale.len() == 1 {
        ("one proxy has", "routes")
    } else {
        ("some proxies have", "route")
    };
    (
        format!("{some} old rules"),
        format!(
            "{named} {routes} {rules}; the other {} of {} as declared",
            which.len() - stale.len(),
            which.len()
        ),
    )
}

fn sticky(data: &Data<'_>) -> (String, String) {
    let connections = data
        .seen
        .connections()
        .filter(|group| group.iter().sum::<u64>() > 1);
    let (mut all, mut stay) = (0, 0);
    for group in connections {
        let per_version = data.per_version(group);
        all += 1;
        stay += usize::from(per_version.iter().filter(|count| **count > 0.0).count() == 1);
    }
    (
        "each connection stays where it began: requests are not drawn one by one".to_owned(),
        format!("{stay} of {all} connections with several answers met one version only"),
    )
}

fn one_key(data: &Data<'_>) -> (String, String) {
    let most = data
        .seen
        .cells()
        .iter()
        .max_by(|a, b| a.answers().total_cmp(&b.answers()));
    let who = most.map_or(String::new(), |cell| {
        let instance = if cell.instance.is_empty() {
            &data.facts.versions[cell.version]
        } else {
            &*cell.instance
        };
        format!(
            "{instance} gave {} of {} answers",
            count(cell.answers()),
            count(data.n)
        )
    });
    (
        "all requests have one key, and a key stays with an instance".to_owned(),
        who,
    )
}

fn lost(data: &Data<'_>, k: usize) -> (String, String) {
    let version = &data.facts.versions[k];
    let worst = data.seen.lacking().iter().max_by_key(|(_, count)| **count);
    let as_what = match worst {
        Some((Lack::Status(status), _)) => format!("answered {status} by the mesh"),
        Some((Lack::Failure(failure), _)) => format!("not answered ({failure})"),
        None => String::new(),
    };
    let (lacking, all) = (number::observed(data.lacking / data.all(), 1), count(data.all()));
    (
        format!("endpoints of {version} are ejected, not ready or failing"),
        format!(
            "{lacking} of {all} requests were {as_what}, {version} is declared {} and gave {} answers",
            number::declared(data.facts.declared[k]),
            count(data.counts[k])
        ),
    )
}

fn strangers(data: &Data<'_>) -> (String, String) {
    let strangers = data
        .facts
        .versions
        .iter()
        .zip(&data.counts)
        .filter(|(name, count)| name.contains('/') && **count > 0.0);
    let each = strangers
        .map(|(name, answers)| format!("{name} gave {} of {} answers", count(*answers), count(data.n)));
    (
        "another service answers".to_owned(),
        each.collect::<Vec<_>>().join(", "),
    )
}

fn retried(data: &Data<'_>, k: usize) -> (String, String) {
    let version = &data.facts.versions[k];
    (
        format!("requests that fail at {version} are sent again and answered by others"),
        format!(
            "{} of {} answers took more than one attempt (x-envoy-attempt-count)",
            count(data.retried),
            count(data.n)
        ),
    )
}

fn mislabelled(data: &Data<'_>) -> (String, String) {
    let one = data
        .mislabelled()
        .max_by(|a, b| a.answers().total_cmp(&b.answers()));
    let evidence = one.and_then(|cell| {
        let workload = data.facts.workload_of(&cell.instance)?;
        let reported = &data.facts.versions[cell.version];
        let says = format!(
            "{} is a pod of {} (version {}) and reports {reported}",
            cell.instance, workload.name, workload.version
        );
        Some((
            format!("pods of {} report version {reported}", workload.name),
            says,
        ))
    });
    evidence.unwrap_or_default()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts
fn count(value: f64) -> String {
    number::count(value.round() as u64)
}
