//! Every pod that we write down keeps to Kubernetes' Pod Security Standard `restricted`, and to what a least-privilege pod
//! has besides. Istio's own init container is not ours: that is why the namespace warns and does not enforce.

use anyhow::{Context, Result, ensure};
use e2e::Lab;
use serde_json::Value;

use crate::manifests::objects;

/// The pod template of a Deployment or a Job.
fn pod_templates() -> Result<Vec<(String, Value)>> {
    let base = Lab::find()?.base();
    let folder = base.parent().context("manifests/base is in a folder")?;
    let mut found = Vec::new();
    for object in objects(folder)? {
        if let Some(spec) = object.pointer("/spec/template/spec") {
            let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
            found.push((name, spec.clone()));
        }
    }
    Ok(found)
}

/// What of the standard a pod does not keep, each as field and value.
fn violations(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            found.push(what);
        }
    };
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        must(!pod[field].as_bool().unwrap_or(false), format!("{field}: true"));
    }
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        let allowed = [
            "configMap",
            "csi",
            "downwardAPI",
            "emptyDir",
            "ephemeral",
            "persistentVolumeClaim",
            "projected",
            "secret",
        ];
        must(
            allowed.iter().any(|kind| volume.get(kind).is_some()),
            format!("volume {volume}"),
        );
    }
    let of_pod = &pod["securityContext"];
    for container in ["initContainers", "containers"]
        .iter()
        .flat_map(|list| pod[list].as_array().into_iter().flatten())
    {
        let own = &container["securityContext"];
        let name = &container["name"];
        let either = |field: &str| {
            own.get(field)
                .or_else(|| of_pod.get(field))
                .cloned()
                .unwrap_or_default()
        };
        must(
            own["allowPrivilegeEscalation"] == false,
            format!("{name}: allowPrivilegeEscalation"),
        );
        must(
            !own["privileged"].as_bool().unwrap_or(false),
            format!("{name}: privileged"),
        );
        must(
            own["capabilities"]["drop"] == serde_json::json!(["ALL"]),
            format!("{name}: capabilities"),
        );
        must(
            own["capabilities"].get("add").is_none(),
            format!("{name}: capabilities.add"),
        );
        must(either("runAsNonRoot") == true, format!("{name}: runAsNonRoot"));
        must(
            either("runAsUser").as_u64() != Some(0),
            format!("{name}: runAsUser"),
        );
        must(
            either("seccompProfile")["type"] == "RuntimeDefault",
            format!("{name}: seccompProfile"),
        );
        for port in container["ports"].as_array().into_iter().flatten() {
            must(port.get("hostPort").is_none(), format!("{name}: hostPort"));
        }
    }
    found
}

/// What we ask of ourselves besides.
fn excesses(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if pod["automountServiceAccountToken"] != false {
        found.push("automountServiceAccountToken".to_owned());
    }
    for container in pod["containers"].as_array().into_iter().flatten() {
        let name = &container["name"];
        if container["securityContext"]["readOnlyRootFilesystem"] != true {
            found.push(format!("{name}: readOnlyRootFilesystem"));
        }
        for pointer in [
            "/resources/requests/cpu",
            "/resources/requests/memory",
            "/resources/limits/memory",
        ] {
            if container.pointer(pointer).is_none() {
                found.push(format!("{name}: {pointer}"));
            }
        }
    }
    found
}

#[test]
fn every_pod_of_the_manifests_keeps_to_the_restricted_standard() -> Result<()> {
    let pods = pod_templates()?;
    ensure!(pods.len() >= 4, "only {} pod templates found", pods.len());
    for (name, pod) in pods {
        let found: Vec<_> = violations(&pod).into_iter().chain(excesses(&pod)).collect();
        ensure!(found.is_empty(), "{name}: {found:?}");
    }
    Ok(())
}

#[test]
fn a_pod_that_takes_more_rights_is_seen() -> Result<()> {
    let (_, good) = pod_templates()?.swap_remove(0);
    let broken = |pointer: &str, value: Value| {
        let mut pod = good.clone();
        *pod.pointer_mut(pointer).expect("a field of the template") = value;
        violations(&pod).len() + excesses(&pod).len()
    };
    let container = "/containers/0/securityContext";
    ensure!(broken("/securityContext/runAsNonRoot", false.into()) == 1);
    ensure!(broken("/securityContext/seccompProfile/type", "Unconfined".into()) == 1);
    ensure!(broken(&format!("{container}/allowPrivilegeEscalation"), true.into()) == 1);
    ensure!(
        broken(
            &format!("{container}/capabilities/drop"),
            serde_json::json!(["CHOWN"])
        ) == 1
    );
    ensure!(broken(&format!("{container}/readOnlyRootFilesystem"), false.into()) == 1);
    ensure!(broken("/automountServiceAccountToken", true.into()) == 1);
    Ok(())
}
