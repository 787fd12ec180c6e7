//! What holds for the files in `manifests/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use e2e::Lab;
use e2e::scenario::Scenario;
use serde_json::Value;

/// Files and folders of a folder, in the order of their names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Every object of a folder, and of the folders in it.
pub(crate) fn objects(folder: &Path) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for file in entries(folder)? {
        if file.is_dir() {
            objects.extend(self::objects(&file)?);
            continue;
        }
        if file.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).with_context(|| file.display().to_string())?;
        objects.extend(documents);
    }
    Ok(objects)
}

fn base() -> Result<Vec<Value>> {
    objects(&Lab::find()?.base())
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let found: Vec<&Value> = objects.iter().filter(|object| object["kind"] == kind).collect();
    assert!(!found.is_empty(), "there is no {kind}");
    found
}

/// Kind, namespace and name.
fn key(object: &Value) -> String {
    let metadata = &object["metadata"];
    format!(
        "{} {}/{}",
        object["kind"], metadata["namespace"], metadata["name"]
    )
}

/// All values that stand under this key, at any depth.
fn under<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|value| under(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|value| under(value, key, found)),
        _ => {}
    }
}

#[test]
fn every_stage_has_the_same_virtual_services_and_nothing_else() -> Result<()> {
    let mut sets: BTreeMap<BTreeSet<String>, Vec<PathBuf>> = BTreeMap::new();
    let stages = entries(&Lab::find()?.stages())?;
    assert!(stages.len() >= 5, "{stages:?}");
    for stage in stages {
        let objects = objects(&stage)?;
        for object in &objects {
            assert_eq!(
                object["kind"], "VirtualService",
                "a stage moves traffic and restarts nothing: {stage:?}"
            );
            assert_eq!(object["apiVersion"], "networking.istio.io/v1", "{stage:?}");
        }
        let names: BTreeSet<String> = objects.iter().map(key).collect();
        assert_eq!(names.len(), objects.len(), "an object stands twice in {stage:?}");
        sets.entry(names).or_default().push(stage);
    }
    assert_eq!(
        sets.len(),
        1,
        "moving between stages would need deletes: {sets:#?}"
    );
    Ok(())
}

#[test]
fn base_is_flat_and_has_no_kustomization() -> Result<()> {
    for entry in entries(&Lab::find()?.base())? {
        assert!(
            entry.is_file(),
            "-f DIR is not recursive: {entry:?} would be left out"
        );
        assert_eq!(
            entry.extension().and_then(|e| e.to_str()),
            Some("yaml"),
            "{entry:?}"
        );
    }
    for object in base()? {
        assert_ne!(
            object["kind"], "Kustomization",
            "kubectl apply -f would take it for an object"
        );
        let istio = ["Gateway", "VirtualService", "DestinationRule"]
            .iter()
            .any(|kind| object["kind"] == *kind);
        assert!(
            !istio || object["apiVersion"] == "networking.istio.io/v1",
            "{object}"
        );
    }
    Ok(())
}

#[test]
fn services_select_by_app_alone_and_name_their_port_http() -> Result<()> {
    for service in of_kind(&base()?, "Service") {
        let selector = service["spec"]["selector"]
            .as_object()
            .context("a Service selects")?;
        assert!(
            selector.keys().eq(["app"]),
            "both versions are behind one Service: {selector:?}"
        );
        for port in service["spec"]["ports"]
            .as_array()
            .context("a Service has ports")?
        {
            assert_eq!(
                port["name"], "http",
                "without the name Istio does not route HTTP: {port}"
            );
        }
    }
    Ok(())
}

#[test]
fn every_subset_selects_pods_of_its_service() -> Result<()> {
    let base = base()?;
    let templates: Vec<&Value> = of_kind(&base, "Deployment")
        .into_iter()
        .map(|deployment| &deployment["spec"]["template"]["metadata"]["labels"])
        .collect();
    let carries = |template: &Value, labels: &Value| {
        labels
            .as_object()
            .is_some_and(|labels| labels.iter().all(|(key, value)| template[key] == *value))
    };
    for rule in of_kind(&base, "DestinationRule") {
        let services = of_kind(&base, "Service");
        let service = services
            .iter()
            .find(|service| service["metadata"]["name"] == rule["spec"]["host"]);
        let selector = &service.with_context(|| format!("no Service for {rule}"))?["spec"]["selector"];
        for subset in rule["spec"]["subsets"].as_array().context("a rule has subsets")? {
            let mut own = templates.iter().filter(|template| carries(template, selector));
            assert!(
                own.any(|template| carries(template, &subset["labels"])),
                "no pod is in subset {subset}"
            );
        }
    }
    Ok(())
}

#[test]
fn every_destination_of_every_stage_exists() -> Result<()> {
    let base = base()?;
    let subsets: BTreeSet<(String, String)> = of_kind(&base, "DestinationRule")
        .into_iter()
        .flat_map(|rule| {
            let names = rule["spec"]["subsets"].as_array().into_iter().flatten();
            names.map(|subset| (rule["spec"]["host"].to_string(), subset["name"].to_string()))
        })
        .collect();
    for stage in entries(&Lab::find()?.stages())? {
        let objects = objects(&stage)?;
        let mut destinations = Vec::new();
        objects
            .iter()
            .for_each(|object| under(object, "destination", &mut destinations));
        assert!(!destinations.is_empty());
        for destination in destinations {
            let named = (destination["host"].to_string(), destination["subset"].to_string());
            assert!(
                subsets.contains(&named),
                "{stage:?} routes to {named:?}; there are {subsets:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_first_canary_is_written_as_90_and_10() -> Result<()> {
    let objects = objects(&Lab::find()?.stage("30-canary-10"))?;
    let mut routes = Vec::new();
    objects
        .iter()
        .for_each(|object| under(object, "route", &mut routes));
    assert!(!routes.is_empty());
    for route in routes {
        let weights: Vec<(&Value, &Value)> = route
            .as_array()
            .into_iter()
            .flatten()
            .map(|part| (&part["destination"]["subset"], &part["weight"]))
            .collect();
        assert_eq!(
            serde_json::to_value(weights)?,
            serde_json::json!([["v1", 90], ["v2", 10]])
        );
    }
    Ok(())
}

#[test]
fn the_gateway_has_an_object_of_its_own_for_every_host() -> Result<()> {
    for stage in entries(&Lab::find()?.stages())? {
        let objects = objects(&stage)?;
        let bound: Vec<&Value> = objects
            .iter()
            .filter(|object| !object["spec"]["gateways"].is_null())
            .collect();
        let [outside] = bound.as_slice() else {
            panic!("one object of {stage:?} is bound to a gateway: {bound:#?}")
        };
        assert_eq!(
            outside["spec"]["hosts"],
            serde_json::json!(["*"]),
            "whatever the Host"
        );
        let gateways = outside["spec"]["gateways"].as_array().context("a list")?;
        assert!(
            !gateways.iter().any(|gateway| gateway == "mesh"),
            "it would catch every request inside: {gateways:?}"
        );
    }
    Ok(())
}

#[test]
fn every_scenario_has_a_folder_with_a_page_and_restates_what_is_there_already() -> Result<()> {
    let lab = Lab::find()?;
    let stage = objects(&lab.stage("10-stable"))?;
    let known: BTreeSet<String> = base()?.iter().chain(&stage).map(key).collect();
    let folders = entries(&lab.root().join("manifests/scenarios"))?;
    let names: BTreeSet<&str> = folders
        .iter()
        .filter_map(|folder| folder.file_name()?.to_str())
        .collect();
    assert_eq!(
        names,
        Scenario::ALL.iter().map(|scenario| scenario.name()).collect()
    );
    for folder in &folders {
        let objects = objects(folder)?;
        assert!(!objects.is_empty(), "{folder:?} declares nothing");
        for object in &objects {
            assert!(
                known.contains(&key(object)),
                "{folder:?} brings {}: something would have to be deleted afterwards",
                key(object)
            );
        }
        let page = fs::read_to_string(folder.join("README.md")).with_context(|| format!("{folder:?}"))?;
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .context("a name")?;
        assert!(
            page.contains(&format!("make scenario NAME={name}")),
            "{folder:?} does not say how to run it"
        );
    }
    Ok(())
}
