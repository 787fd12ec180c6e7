//! What a Deployment asks for, as processes.

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_config::{Container, Deployment, Mesh, Object, ObjectKey, Spec};

use super::refusal::{CannotRun, Refusal};
use crate::kubelet::{Program, ProgramFinder, fixed_port, template_hash, unknown_fields};

/// Everything has to be gone 5 s after SIGTERM.
const LONGEST_GRACE: Duration = Duration::from_secs(3);

/// A Deployment that can run here.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) hash: String,
    pub(super) replicas: usize,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) service_account: String,
    pub(super) container: Container,
    pub(super) program: Program,
    pub(super) grace: Duration,
}

/// All Deployments of a mesh.
///
/// # Errors
/// Every Deployment that cannot run here, with the reason.
pub(super) fn all(mesh: &Mesh, programs: &ProgramFinder) -> Result<BTreeMap<ObjectKey, Template>, Refusal> {
    let mut templates = BTreeMap::new();
    let mut refused = Vec::new();
    for object in mesh.objects() {
        let Spec::Deployment(deployment) = &object.spec else {
            continue;
        };
        match of(object, deployment, programs) {
            Ok(template) => {
                templates.insert(object.key(), template);
            }
            Err(why) => refused.push(CannotRun {
                name: format!("{}/{}", object.metadata.namespace, object.metadata.name),
                place: format!("{}:{}", object.place.file, object.place.line),
                why,
            }),
        }
    }
    if refused.is_empty() {
        Ok(templates)
    } else {
        Err(Refusal::Deployments(refused))
    }
}

fn of(object: &Object, deployment: &Deployment, programs: &ProgramFinder) -> Result<Template, String> {
    let [container] = deployment.containers.as_slice() else {
        let count = deployment.containers.len();
        return Err(format!(
            "not supported yet: a pod of {count} containers; here a pod is one process"
        ));
    };
    if let Some(path) = unknown_fields(container).first() {
        return Err(format!(
            "not supported yet: `fieldRef` with the fieldPath `{path}`"
        ));
    }
    let replicas = usize::try_from(deployment.replicas).map_err(|error| error.to_string())?;
    if let Some(port) = fixed_port(container).filter(|_| replicas > 1) {
        return Err(format!(
            "APP_PORT or PORT gives {replicas} replicas the port {port}, but on one machine each needs its own: \
             remove the variable, it is set to a free port"
        ));
    }
    let program = programs.find(container).map_err(|error| error.to_string())?;
    let content = &object.content()["spec"]["template"];
    let hash = template_hash(content);
    let mut labels = deployment.template_labels.clone();
    labels.insert("pod-template-hash".to_owned(), hash.clone());
    let grace = content["spec"]["terminationGracePeriodSeconds"].as_u64();
    Ok(Template {
        hash,
        replicas,
        labels,
        service_account: deployment.service_account.clone(),
        container: container.clone(),
        program,
        grace: grace.map_or(LONGEST_GRACE, |seconds| {
            LONGEST_GRACE.min(Duration::from_secs(seconds))
        }),
    })
}
