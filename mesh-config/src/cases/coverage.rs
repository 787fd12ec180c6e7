//! Which rules the requests of the cases reached.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::mesh::Mesh;
use crate::object::virtual_service::HttpRoute;
use crate::object::{Object, ObjectKey, Spec};
use crate::route::{Route, RuleRef};

/// A rule of a VirtualService, or one of its match blocks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReachedRule {
    /// Name of the source.
    pub file: String,
    /// 1-based line of the rule, or of the block.
    pub line: usize,
    /// The VirtualService, `VirtualService shop/auth`.
    pub object: String,
    /// `http[0].match[1]`.
    pub rule: String,
    /// `name` of the rule.
    pub name: Option<String>,
    /// Whether a request came here.
    pub reached: bool,
}

/// The rules and blocks that were reached.
#[derive(Default)]
pub(super) struct Coverage(BTreeSet<(ObjectKey, usize, Option<usize>)>);

impl Coverage {
    /// A request came to this route, and so to the rule that delegated to it.
    pub(super) fn add(&mut self, route: &Route) {
        let key = |rule: &RuleRef| (rule.object.clone(), rule.index, rule.block);
        self.0.extend(route.rule.iter().chain(&route.root).map(key));
    }

    /// All rules of a mesh, in the order of its objects.
    pub(super) fn of(&self, mesh: &Mesh) -> Vec<ReachedRule> {
        let objects = mesh.objects().filter_map(|object| match &object.spec {
            Spec::VirtualService(spec) => Some((object, spec)),
            _ => None,
        });
        let rules = objects.flat_map(|(object, spec)| {
            let rules = spec.http.iter().enumerate();
            rules.flat_map(move |(index, http)| self.of_rule(object, index, http))
        });
        rules.collect()
    }

    fn of_rule(&self, object: &Object, index: usize, http: &HttpRoute) -> Vec<ReachedRule> {
        let row = |block: Option<usize>, line: usize| ReachedRule {
            file: object.place.file.clone(),
            line,
            object: object.key().to_string(),
            rule: match block {
                Some(block) => format!("http[{index}].match[{block}]"),
                None => format!("http[{index}]"),
            },
            name: http.name.clone(),
            reached: self.0.contains(&(object.key(), index, block)),
        };
        // Of a rule that delegates the other's blocks count.
        if http.delegate.is_some() || http.matches.is_empty() {
            return vec![row(None, http.mark.line)];
        }
        let blocks = http.matches.iter().enumerate();
        blocks.map(|(block, at)| row(Some(block), at.mark.line)).collect()
    }
}
