//! What is accepted, but not done here as in a cluster: said once.

use mesh_config::{DestinationRule, Mesh, Object, Place, Spec, TlsMode};

/// The notes about a mesh, one a line, without those that were there before.
pub(crate) fn notes(mesh: &Mesh, before: &Mesh) -> Vec<String> {
    not_enforced(mesh, before)
        .into_iter()
        .chain(plain_text(mesh, before))
        .chain(unresolved(mesh, before))
        .collect()
}

/// Kinds that nothing here acts on.
fn not_enforced(mesh: &Mesh, before: &Mesh) -> Option<String> {
    let known = before.not_enforced();
    let others = mesh.not_enforced();
    let new = others.iter().filter(|key| !known.contains(key));
    let mut kinds: Vec<&str> = new.map(|key| key.kind.as_str()).collect();
    kinds.dedup();
    (!kinds.is_empty()).then(|| format!("accepted, but not enforced here: {}", kinds.join(", ")))
}

/// Each rule that asks for TLS: on loopback everything is plain text.
fn plain_text(mesh: &Mesh, before: &Mesh) -> impl Iterator<Item = String> {
    mesh.objects().filter_map(|object| {
        let rule = destination_rule(object)?;
        let modes = modes(rule);
        let line = rule.tls().next()?.mark.line;
        let known = before.get(&object.key()).and_then(destination_rule);
        if known.is_some_and(|known| self::modes(known) == modes) {
            return None;
        }
        let modes: Vec<String> = modes.iter().map(ToString::to_string).collect();
        let (file, key) = (&object.place.file, object.key());
        Some(format!(
            "{file}:{line}: {key}: TLS {}: plain text here",
            modes.join(", ")
        ))
    })
}

/// Each entry whose endpoints only a name server knows: nothing is looked up here.
fn unresolved(mesh: &Mesh, before: &Mesh) -> impl Iterator<Item = String> {
    mesh.objects().filter_map(|object| {
        let names = names(object);
        if names.is_empty()
            || before
                .get(&object.key())
                .is_some_and(|known| self::names(known) == names)
        {
            return None;
        }
        let Place { file, line } = &object.place;
        let (key, names) = (object.key(), names.join(", "));
        Some(format!(
            "{file}:{line}: {key}: not looked up here, so no endpoint (503 UH): {names}"
        ))
    })
}

fn names(object: &Object) -> Vec<&str> {
    match &object.spec {
        Spec::ServiceEntry(entry) => entry.unresolved().collect(),
        _ => Vec::new(),
    }
}

fn destination_rule(object: &Object) -> Option<&DestinationRule> {
    match &object.spec {
        Spec::DestinationRule(rule) => Some(rule),
        _ => None,
    }
}

/// Without repetition, in the order of the rule.
fn modes(rule: &DestinationRule) -> Vec<TlsMode> {
    let mut modes = Vec::new();
    for tls in rule.tls() {
        if !modes.contains(&tls.value) {
            modes.push(tls.value);
        }
    }
    modes
}
