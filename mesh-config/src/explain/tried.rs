//! The rules that were looked at, in the order in which they are.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::client::Client;
use crate::mesh::Mesh;
use crate::object::{ObjectKey, Spec};
use crate::route::matching::RequestHead;
use crate::route::{Route, RuleRef};
use crate::view::VirtualHost;

/// One rule (or one of its match blocks) that was looked at.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedRule {
    /// The VirtualService; a gateway may have several for one host.
    pub object: ObjectKey,
    /// Index in `spec.http`.
    pub rule: usize,
    /// Index in `match`; `None` without `match`.
    pub block: Option<usize>,
    /// Name of the rule, with that of the block behind a dot.
    pub name: Option<String>,
    /// Line of the source.
    pub line: usize,
    /// The condition that failed; `None`: this one decided.
    pub failed: Option<String>,
}

/// The routes of a virtual host up to the one that decided. Blocks that do not count for this client or port are told
/// in front of the next one of their rule that does.
pub(super) fn rules(
    mesh: &Mesh,
    client: &Client,
    port: u16,
    host: &VirtualHost,
    request: &RequestHead<'_>,
    decided: Option<&Route>,
) -> Vec<TriedRule> {
    let mut rows = Vec::new();
    let mut left_out = LeftOut {
        mesh,
        client,
        port,
        next: BTreeMap::new(),
    };
    for route in &host.routes {
        let Some(rule) = &route.rule else { continue };
        rows.extend(left_out.before(&rule.object, (rule.index, rule.block.unwrap_or(0))));
        rows.push(TriedRule {
            failed: route.matcher.check(request).err(),
            ..row(rule, &route.name)
        });
        // Not by its place: behind a rule that delegates several routes are of one place.
        if decided.is_some_and(|decided| std::ptr::eq(decided, route)) {
            return rows;
        }
    }
    let objects: Vec<ObjectKey> = left_out.next.keys().cloned().collect();
    for object in objects {
        rows.extend(left_out.before(&object, (usize::MAX, 0)));
    }
    rows
}

fn row(rule: &RuleRef, name: &str) -> TriedRule {
    TriedRule {
        object: rule.object.clone(),
        rule: rule.index,
        block: rule.block,
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        line: rule.line,
        failed: None,
    }
}

/// Match blocks that were decided against the client when the view was compiled.
struct LeftOut<'a> {
    mesh: &'a Mesh,
    client: &'a Client,
    port: u16,
    /// Rule and block from which to go on, by object.
    next: BTreeMap<ObjectKey, (usize, usize)>,
}

impl LeftOut<'_> {
    /// Those of an object in front of a place in it that were not told yet.
    fn before(&mut self, key: &ObjectKey, end: (usize, usize)) -> Vec<TriedRule> {
        let begin = self.next.insert(key.clone(), (end.0, end.1.saturating_add(1)));
        let begin = begin.unwrap_or_default();
        let Some(object) = self.mesh.get(key) else {
            return Vec::new();
        };
        let Spec::VirtualService(spec) = &object.spec else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        for (rule, http) in spec.http.iter().enumerate() {
            for (block, conditions) in http.matches.iter().enumerate() {
                if (rule, block) < begin || (rule, block) >= end {
                    continue;
                }
                if let Err(why) = self.mesh.admits(self.client, self.port, object, conditions) {
                    rows.push(TriedRule {
                        object: key.clone(),
                        rule,
                        block: Some(block),
                        name: http.name.clone(),
                        line: conditions.mark.line,
                        failed: Some(why),
                    });
                }
            }
        }
        rows
    }
}
