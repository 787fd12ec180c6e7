//! From one mesh to another without an answer that neither would give: phases, each of which adds before the next one uses, and
//! moves before the next one removes.
//!
//! The order follows from the kinds ([`options`]); whether it is safe is not believed but looked at ([`safety`]): every state
//! on the way is compiled for every kind of caller, in several orders inside of each phase. What is not safe is tried in the
//! next order that could be, and refused if there is none.

mod callers;
mod effects;
mod limits;
mod options;
mod probe;
mod render;
mod safety;
mod search;
mod union;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::mesh::{Mesh, Verb};
use crate::object::{Object, ObjectKey};
use crate::problem::Problems;

pub use effects::Effect;

/// What to do, in order, and what comes of it.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Empty if nothing differs, or if there are refusals.
    pub phases: Vec<Phase>,
    /// What changes for whom, from the beginning to the end.
    pub effects: Vec<Effect>,
    /// Why it cannot be done without errors.
    pub refusals: Vec<Refusal>,
}

/// Steps that may be done together, in any order.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// What it is for.
    pub stage: Stage,
    /// At least one.
    pub steps: Vec<Step>,
    /// What has to be awaited before the next phase, a line each: commands for a cluster.
    pub wait: Vec<String>,
}

/// The phases that there may be, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Namespaces, workloads and names, before anything leads there.
    Workloads,
    /// Subsets, gateways and delegates, before routes name them.
    Rules,
    /// Routes move.
    Routes,
    /// Routes that others have taken over go.
    Yield,
    /// Subsets, gateways and delegates that nothing names any more go.
    Tidy,
    /// Workloads and names that nothing leads to any more go.
    Remove,
}

/// One object.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Which.
    pub object: ObjectKey,
    /// Its group and version.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `created`, `configured` or `deleted`.
    pub what: Verb,
    /// `file:line` where it was read.
    pub place: String,
    /// The object to apply; `None`: it is deleted.
    pub manifest: Option<Value>,
    /// What it has besides what was written, and until when.
    pub note: Option<String>,
    #[serde(skip)]
    pub(crate) parsed: Option<Object>,
}

/// Something that cannot be done without errors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refusal {
    /// The object that stands in the way.
    pub object: String,
    /// `file:line` of what does.
    pub place: String,
    /// What would go wrong.
    pub reason: String,
    /// A way out.
    pub advice: String,
}

impl Stage {
    /// All of them.
    pub(crate) const ALL: [Stage; 6] = [
        Stage::Workloads,
        Stage::Rules,
        Stage::Routes,
        Stage::Yield,
        Stage::Tidy,
        Stage::Remove,
    ];

    /// As files are named.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Stage::Workloads => "workloads",
            Stage::Rules => "rules",
            Stage::Routes => "routes",
            Stage::Yield => "yield",
            Stage::Tidy => "tidy",
            Stage::Remove => "remove",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Workloads => "workloads and names, before anything leads there",
            Stage::Rules => "subsets, gateways and delegates, before routes name them",
            Stage::Routes => "routes move",
            Stage::Yield => "routes that others have taken over go",
            Stage::Tidy => "subsets, gateways and delegates that nothing names any more go",
            Stage::Remove => "workloads and names that nothing leads to any more go",
        })
    }
}

/// Plans the way from `old` to `new`.
#[must_use]
pub fn plan(old: &Mesh, new: &Mesh) -> Plan {
    let target = target(old, new);
    let effects = effects::between(old, &target);
    let mut refusals = limits::refusals(old, &target);
    let mut phases = Vec::new();
    if refusals.is_empty() {
        match search::phases(old, &target) {
            Ok(found) => phases = found,
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals.sort();
    refusals.dedup();
    Plan {
        phases,
        effects,
        refusals,
    }
}

/// What a cluster has in the end: the objects of `new`, those that `old` had with their ages.
fn target(old: &Mesh, new: &Mesh) -> Mesh {
    let gone: Vec<ObjectKey> = old
        .objects()
        .map(Object::key)
        .filter(|key| new.get(key).is_none())
        .collect();
    let (left, _) = old.delete(&gone);
    left.apply(new.objects().cloned().collect(), later(old))
        .map_or_else(|_| new.clone(), |(mesh, _)| mesh)
}

/// Later than everything in a mesh.
fn later(mesh: &Mesh) -> i64 {
    mesh.aged()
        .map(|(_, created)| created)
        .max()
        .unwrap_or(0)
        .saturating_add(1)
}

impl Step {
    /// The mesh after this step.
    ///
    /// # Errors
    /// None that a plan can have: its objects have been read already.
    pub fn enact(&self, mesh: &Mesh) -> Result<Mesh, Problems> {
        match &self.parsed {
            Some(object) => mesh
                .apply(vec![object.clone()], later(mesh))
                .map(|(mesh, _)| mesh),
            None => Ok(mesh.delete(std::slice::from_ref(&self.object)).0),
        }
    }
}

impl Plan {
    /// Whether it can be done.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.refusals.is_empty()
    }

    /// The mesh after all phases.
    ///
    /// # Errors
    /// As [`Step::enact`].
    pub fn enact(&self, mesh: &Mesh) -> Result<Mesh, Problems> {
        let steps = self.phases.iter().flat_map(|phase| &phase.steps);
        steps
            .into_iter()
            .try_fold(mesh.clone(), |mesh, step| step.enact(&mesh))
    }
}
