//! Looking for an order that is safe.

use super::options::{Act, Change, changes};
use super::safety::Safety;
use super::{Phase, Refusal, Stage, Step};
use crate::mesh::{Mesh, Verb};
use crate::object::{ObjectKey, Spec};

/// Up to so many steps of a phase every subset of them is looked at; of more, each alone, and all beginnings in both directions.
const ALL_SUBSETS: usize = 5;

/// The phases from `old` to `new`.
///
/// # Errors
/// There is none without errors.
pub(super) fn phases(old: &Mesh, new: &Mesh) -> Result<Vec<Phase>, Refusal> {
    let changes = changes(old, new);
    let safety = Safety::new(old, new);
    let mut chosen = vec![0; changes.len()];
    // Of all that fails, what fails in the best order says most.
    let mut first: Option<Refusal> = None;
    loop {
        match walk(old, &changes, &chosen, &safety) {
            Ok(phases) => return Ok(phases),
            Err((suspects, fault)) => {
                let refusal = first
                    .take()
                    .unwrap_or_else(|| refusal(&changes, &suspects, &fault));
                let has_other = |index: &&usize| chosen[**index] + 1 < changes[**index].ways.len();
                match suspects.iter().find(has_other) {
                    Some(index) => chosen[*index] += 1,
                    None => return Err(refusal),
                }
                first = Some(refusal);
            }
        }
    }
}

/// Those whose steps may be to blame, most likely first, and what went wrong.
type Fault = (Vec<usize>, String);

fn walk(old: &Mesh, changes: &[Change<'_>], chosen: &[usize], safety: &Safety) -> Result<Vec<Phase>, Fault> {
    let mut mesh = old.clone();
    let mut phases = Vec::new();
    for stage in Stage::ALL {
        let steps = steps(changes, chosen, stage);
        if steps.is_empty() {
            continue;
        }
        for subset in subsets(steps.len()) {
            let state = enact(&mesh, subset.iter().map(|at| &steps[*at].1));
            if let Some(fault) = safety.fault(&state) {
                let suspects = subset.iter().rev().map(|at| steps[*at].0);
                return Err((suspects.collect(), fault));
            }
        }
        mesh = enact(&mesh, steps.iter().map(|(_, step)| step));
        let steps: Vec<Step> = steps.into_iter().map(|(_, step)| step).collect();
        let wait = waits(&steps);
        phases.push(Phase { stage, steps, wait });
    }
    // After the last one there is nothing to wait for.
    if let Some(last) = phases.last_mut() {
        last.wait.clear();
    }
    Ok(phases)
}

/// The steps of a phase. What others live in is made first, and goes last: a cluster takes no pod for a Namespace that is
/// not there.
fn steps(changes: &[Change<'_>], chosen: &[usize], stage: Stage) -> Vec<(usize, Step)> {
    let mut steps: Vec<(usize, Step)> = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let acts = change.ways[chosen[index]].iter().filter(|(at, _)| *at == stage);
        steps.extend(acts.map(|(_, act)| (index, step(change, act))));
    }
    steps.sort_by_key(|(_, step)| {
        let rank = match step.object.kind.as_str() {
            "Namespace" => 2,
            "ServiceAccount" => 1,
            _ => 0,
        };
        if step.what == Verb::Deleted { rank } else { -rank }
    });
    steps
}

fn enact<'a>(mesh: &Mesh, steps: impl Iterator<Item = &'a Step>) -> Mesh {
    steps.fold(mesh.clone(), |mesh, step| step.enact(&mesh).unwrap_or(mesh))
}

/// Sets of steps that may have been done while a phase is under way, small ones first; the whole is the last.
fn subsets(number: usize) -> Vec<Vec<usize>> {
    if number <= ALL_SUBSETS {
        let mut all: Vec<Vec<usize>> = (1..1_usize << number)
            .map(|bits| (0..number).filter(|at| bits & (1 << at) != 0).collect())
            .collect();
        all.sort_by_key(Vec::len);
        return all;
    }
    let alone = (0..number).map(|at| vec![at]);
    let forward = (2..=number).map(|end| (0..end).collect());
    let backward = (1..number - 1).map(|begin| (begin..number).rev().collect());
    alone.chain(backward).chain(forward).collect()
}

fn step(change: &Change<'_>, act: &Act) -> Step {
    let object = change.object;
    let verb = if change.existed {
        Verb::Configured
    } else {
        Verb::Created
    };
    let (what, parsed, note) = match act {
        Act::Between(object, note) => (verb, Some((**object).clone()), Some(note.clone())),
        Act::Final => (verb, Some(object.clone()), None),
        Act::Delete => (Verb::Deleted, None, None),
    };
    Step {
        object: object.key(),
        api_version: object.api_version.clone(),
        what,
        place: format!("{}:{}", object.place.file, object.place.line),
        manifest: parsed.as_ref().map(|object| object.content().clone()),
        note,
        parsed,
    }
}

/// What to await on a cluster: pods, and that every proxy has what was applied.
fn waits(steps: &[Step]) -> Vec<String> {
    let mut wait: Vec<String> = Vec::new();
    for step in steps {
        let Some(Spec::Deployment(_)) = step.parsed.as_ref().map(|object| &object.spec) else {
            continue;
        };
        let ObjectKey { namespace, name, .. } = &step.object;
        wait.push(format!("kubectl -n {namespace} rollout status deployment/{name}"));
    }
    wait.push("istioctl proxy-status: every proxy is SYNCED".to_owned());
    wait
}

fn refusal(changes: &[Change<'_>], suspects: &[usize], fault: &str) -> Refusal {
    let object = suspects.first().map(|index| changes[*index].object);
    let advice = match object.map_or("", |object| object.kind.as_str()) {
        "Deployment" => {
            "let the Deployment be: add the new pods as another one, move the routes there, and then remove this one"
        }
        "DestinationRule" => {
            "give what is new a name of its own (a subset, a rule for another host), move the routes there, then remove the old"
        }
        "Service" | "ServiceEntry" | "WorkloadEntry" => {
            "add what is new beside what is there, move the routes to it, and then remove the old"
        }
        _ => "make it in two changes: first one in which both the old and the new are there, then the rest",
    };
    Refusal {
        object: object.map(|object| object.key().to_string()).unwrap_or_default(),
        place: object
            .map(|object| format!("{}:{}", object.place.file, object.place.line))
            .unwrap_or_default(),
        reason: format!("on the way {fault}"),
        advice: advice.to_owned(),
    }
}
