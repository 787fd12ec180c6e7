//! The destinations of a VirtualService, of all its rules.

use serde_json::Value;

use super::Rule;
use crate::check::json::Json;

/// A destination, or that of copies.
pub(crate) struct Target<'a> {
    /// JSON pointer to it.
    pub(crate) pointer: String,
    /// Whether copies go there.
    pub(crate) mirror: bool,
    pub(crate) host: &'a str,
    pub(crate) subset: Option<&'a str>,
    pub(crate) port: Option<u64>,
}

impl<'a> Target<'a> {
    fn new(destination: &'a Value, pointer: String, mirror: bool) -> Option<Self> {
        Some(Target {
            host: destination.text("host")?,
            subset: destination.text("subset").filter(|subset| !subset.is_empty()),
            port: destination["port"].number("number"),
            pointer,
            mirror,
        })
    }
}

/// Those of `http`, `tls` and `tcp`, and those of copies.
pub(crate) fn of<'a>(rule: &Rule<'a>) -> Vec<Target<'a>> {
    let mut targets = Vec::new();
    for list in ["http", "tls", "tcp"] {
        for (index, entry) in rule.spec.list(list).iter().enumerate() {
            let pointer = format!("/spec/{list}/{index}");
            targets.extend(of_rule(entry, &pointer));
            if entry.has("mirror") {
                targets.extend(Target::new(&entry["mirror"], format!("{pointer}/mirror"), true));
            }
            for (at, mirror) in entry.list("mirrors").iter().enumerate() {
                let pointer = format!("{pointer}/mirrors/{at}/destination");
                targets.extend(Target::new(&mirror["destination"], pointer, true));
            }
        }
    }
    targets
}

/// The destinations in `route` of one rule.
pub(crate) fn of_rule<'a>(entry: &'a Value, pointer: &str) -> Vec<Target<'a>> {
    let destinations = entry.list("route").iter().enumerate();
    let target = |(at, route): (usize, &'a Value)| {
        Target::new(
            &route["destination"],
            format!("{pointer}/route/{at}/destination"),
            false,
        )
    };
    destinations.filter_map(target).collect()
}
