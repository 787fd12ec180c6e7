//! Plans: what is done in which order, and that no state on the way is worse than both ends.

mod oracle;
mod orders;
mod random;

use std::fs;
use std::path::{Path, PathBuf};

use mesh_config::plan::{Plan, plan};
use mesh_config::{Mesh, Source, parse};

use crate::kit::{mesh, rules};
use oracle::Oracle;

/// A change of the catalogue: two sets of manifests, of which the first begins with a sentence about it.
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) old: Mesh,
    pub(crate) new: Mesh,
}

impl Example {
    fn plan(&self) -> Plan {
        plan(&self.old, &self.new)
    }
}

/// Those that are possible, or those that are refused.
pub(crate) fn examples(which: &str) -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/plans")
        .join(which);
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let read = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let first = text.lines().next().unwrap().trim_start_matches("# ").to_owned();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let objects = parse(&[Source { name, text }]).unwrap_or_else(|problems| panic!("{problems}"));
        (first, Mesh::new().apply(objects, 0).unwrap().0)
    };
    let example = |folder: PathBuf| {
        let (about_old, old) = read(&folder.join("old.yaml"));
        let (about_new, new) = read(&folder.join("new.yaml"));
        Example {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            about: if which == "refused" { about_new } else { about_old },
            old,
            new,
        }
    };
    folders.into_iter().map(example).collect()
}

/// `1 create Deployment shop/echo-v2` and so on.
fn steps(plan: &Plan) -> Vec<String> {
    let phases = plan.phases.iter().enumerate();
    let steps = phases.flat_map(|(number, phase)| phase.steps.iter().map(move |step| (number + 1, step)));
    steps
        .map(|(number, step)| {
            let note = step.note.as_ref().map(|note| format!(" [{note}]"));
            format!(
                "{number} {:?} {}{}",
                step.what,
                step.object,
                note.unwrap_or_default()
            )
        })
        .collect()
}

fn named(name: &str) -> Example {
    let mut all = examples("possible");
    all.retain(|example| example.name == name);
    all.pop().unwrap_or_else(|| panic!("there is no example {name}"))
}

#[test]
fn a_canary_begins_with_its_pods_then_its_subset_and_then_its_share() {
    assert_eq!(
        steps(&named("canary-begins").plan()),
        [
            "1 Created Deployment shop/echo-v2",
            "2 Configured DestinationRule shop/echo",
            "3 Configured VirtualService shop/door",
            "3 Configured VirtualService shop/echo",
        ]
    );
}

#[test]
fn a_rule_that_gains_and_loses_subsets_has_both_in_between() {
    let plan = named("subsets-renamed").plan();
    assert_eq!(
        steps(&plan),
        [
            "1 Configured DestinationRule shop/echo [keeps subset v1, subset v2 until nothing leads there]",
            "2 Configured VirtualService shop/door",
            "2 Configured VirtualService shop/echo",
            "3 Configured DestinationRule shop/echo",
        ]
    );
    let between = plan.phases[0].steps[0].manifest.as_ref().unwrap();
    let names: Vec<&str> = between["spec"]["subsets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|subset| subset["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["stable", "next", "v1", "v2"]);
}

#[test]
fn what_goes_goes_when_nothing_leads_there_any_more() {
    assert_eq!(
        steps(&named("version-replaced").plan()),
        [
            "1 Created Deployment shop/echo-v2",
            "2 Configured DestinationRule shop/echo [keeps subset v1 until nothing leads there]",
            "3 Configured VirtualService shop/door",
            "3 Configured VirtualService shop/echo",
            "4 Configured DestinationRule shop/echo",
            "5 Deleted Deployment shop/echo-v1",
        ]
    );
}

#[test]
fn after_all_phases_the_mesh_is_the_new_one() {
    for example in examples("possible") {
        let plan = example.plan();
        assert!(plan.is_possible(), "{}: {plan}", example.name);
        let last = plan.enact(&example.old).unwrap();
        oracle::assert_same(&last, &example.new, &example.name);
        assert!(mesh_config::plan::plan(&last, &example.new).phases.is_empty());
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_reason_place_and_a_way_out() {
    let examples = examples("refused");
    assert!(examples.len() >= 6);
    for example in examples {
        let plan = example.plan();
        assert!(
            !plan.is_possible() && plan.phases.is_empty(),
            "{}: {plan}",
            example.name
        );
        let fits = plan
            .refusals
            .iter()
            .any(|refusal| refusal.reason.contains(&example.about));
        assert!(fits, "{}: {plan}", example.name);
        for refusal in &plan.refusals {
            let (file, line) = refusal
                .place
                .split_once(':')
                .unwrap_or_else(|| panic!("{}: {refusal:?}", example.name));
            assert!(file.ends_with(".yaml") && line.parse::<usize>().unwrap() > 0);
            assert!(!refusal.advice.is_empty() && !refusal.object.is_empty());
        }
    }
}

#[test]
fn what_stands_in_the_way_is_named_and_not_what_follows_from_it() {
    let relabelled = examples("refused")
        .into_iter()
        .find(|example| example.name == "relabelled")
        .unwrap();
    let plan = relabelled.plan();
    assert_eq!(plan.refusals.len(), 1);
    assert_eq!(plan.refusals[0].object, "Deployment shop/echo-v1");
}

#[test]
fn callers_that_only_a_condition_names_are_looked_at() {
    let side = |subset: &str| {
        let condition = "match: [{sourceNamespace: ops, sourceLabels: {app: probe}}]";
        let route = format!("- {condition}\n  route: [{{destination: {{host: auth, subset: {subset}}}}}]");
        mesh(&[&rules(&format!(
            "{route}\n- route: [{{destination: {{host: auth}}}}]"
        ))])
    };
    let plan = plan(&side("v1"), &side("v2"));
    let callers: Vec<&str> = plan
        .effects
        .iter()
        .flat_map(|effect| &effect.callers)
        .map(String::as_str)
        .collect();
    assert_eq!(callers, ["ops (app=probe)", "ops (app=probe)"], "at both ports");
}

#[test]
fn a_namespace_comes_first_and_goes_last() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n---\napiVersion: apps/v1\nkind: Deployment\n\
                metadata: {name: a, namespace: new}\nspec:\n  selector: {matchLabels: {app: a}}\n  template:\n    \
                metadata: {labels: {app: a}}\n    spec: {containers: [{name: main, image: lab/echo:v1}]}\n";
    let mesh = Mesh::new().apply(crate::kit::objects(text), 0).unwrap().0;
    let empty = Mesh::new();
    assert_eq!(
        steps(&plan(&empty, &mesh)),
        ["1 Created Namespace new", "1 Created Deployment new/a"]
    );
    assert_eq!(
        steps(&plan(&mesh, &empty)),
        ["1 Deleted Deployment new/a", "1 Deleted Namespace new"]
    );
}

#[test]
fn what_changes_for_whom_is_told_with_exact_shares() {
    let plan = named("canary-begins").plan();
    let texts: Vec<String> = plan
        .effects
        .iter()
        .map(|effect| {
            format!(
                "{} from {}: {} -> {}",
                effect.request,
                effect.callers.join(", "),
                effect.before,
                effect.after
            )
        })
        .collect();
    let change = "echo.shop subset v1 -> 90 % echo.shop subset v1, 10 % echo.shop subset v2";
    assert_eq!(
        texts,
        [
            format!("GET any.example:80/ from gateway: {change}"),
            format!("GET echo.shop:8080/ from default, shop: {change}"),
        ]
    );
    assert!(
        named("rules-renamed").plan().effects.is_empty(),
        "nothing changes for anybody"
    );
}

#[test]
fn the_text_keeps_to_80_columns_and_json_has_all_of_it() {
    for which in ["possible", "refused"] {
        for example in examples(which) {
            let plan = example.plan();
            let text = plan.to_string();
            let long = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(long, None, "{}", example.name);
            let json = plan.to_json();
            assert_eq!(json["phases"].as_array().unwrap().len(), plan.phases.len());
            assert_eq!(json["refusals"].as_array().unwrap().len(), plan.refusals.len());
        }
    }
}
