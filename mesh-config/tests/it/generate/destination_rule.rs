//! DestinationRules.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Any, NETWORKING, map, maybe, named, one_of, only, policy, united, words};

pub(super) fn any() -> Any<Value> {
    let host =
        prop_oneof![6 => one_of(words::HOSTS), 1 => one_of(&["*.shop.svc.cluster.local", "*.example"])];
    let spec = map(vec![
        ("host", host.boxed()),
        ("trafficPolicy", maybe(policy::any())),
        ("subsets", maybe(policy::subsets())),
    ]);
    let for_some = only("workloadSelector", only("matchLabels", words::labels()));
    let who =
        prop_oneof![4 => map(vec![("exportTo", words::export_to())]), 1 => for_some, 1 => Just(json!({}))];
    named(
        NETWORKING,
        "DestinationRule",
        words::name(),
        united(spec, who.boxed()),
    )
}
