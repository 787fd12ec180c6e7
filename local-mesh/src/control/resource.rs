//! Names of kinds, as kubectl knows them.

use mesh_config::Object;

const NETWORKING: &str = "networking.istio.io";

/// Kinds that are acted on, with their groups and short names.
const OURS: &[(&str, &str, &str)] = &[
    ("Pod", "", "po"),
    ("Service", "", "svc"),
    ("Deployment", "apps", "deploy"),
    ("Namespace", "", "ns"),
    ("ServiceAccount", "", "sa"),
    ("Gateway", NETWORKING, "gw"),
    ("VirtualService", NETWORKING, "vs"),
    ("DestinationRule", NETWORKING, "dr"),
    ("WorkloadEntry", NETWORKING, "we"),
    ("ServiceEntry", NETWORKING, "se"),
    ("Sidecar", NETWORKING, "sidecar"),
];

/// What `all` stands for: everything that acts.
const ALL: &[&str] = &[
    "Pod",
    "Service",
    "Deployment",
    "WorkloadEntry",
    "ServiceEntry",
    "Sidecar",
    "Gateway",
    "VirtualService",
    "DestinationRule",
];

/// There is no such kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind `{word}` here{}; kinds are {known}", .similar.as_ref().map(|s| format!(" (did you mean `{s}`?)")).unwrap_or_default())]
pub(super) struct UnknownKind {
    word: String,
    similar: Option<String>,
    known: String,
}

/// The kinds that a word stands for: singular, plural or short name, with or without the group, several with commas,
/// or `all`. `others` are further kinds that exist in the mesh.
pub(super) fn find<'a>(words: &str, others: &[&'a str]) -> Result<Vec<&'a str>, UnknownKind> {
    let ours = OURS.iter().map(|(kind, ..)| *kind);
    let known: Vec<&str> = ours.chain(others.iter().copied()).collect();
    let mut found: Vec<&str> = Vec::new();
    for word in words.split(',') {
        if word == "all" {
            found.extend(ALL);
            continue;
        }
        let bare = word.split('.').next().unwrap_or_default().to_lowercase();
        match known.iter().find(|kind| names(kind).contains(&bare)) {
            Some(kind) => found.push(kind),
            None => return Err(unknown(word, &bare, &known)),
        }
    }
    Ok(found)
}

fn unknown(word: &str, bare: &str, known: &[&str]) -> UnknownKind {
    let all = known.iter().flat_map(|kind| names(kind));
    let similar = all
        .map(|name| (strsim::jaro_winkler(bare, &name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let short = OURS.iter().map(|(.., short)| *short);
    UnknownKind {
        word: word.to_owned(),
        similar: similar.map(|(_, name)| name),
        known: short
            .chain(["all", "routes", "clusters", "endpoints"])
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn names(kind: &str) -> Vec<String> {
    let short = OURS.iter().find(|(known, ..)| *known == kind);
    let short = short.map(|(.., short)| (*short).to_owned());
    [kind.to_lowercase(), plural(kind)]
        .into_iter()
        .chain(short)
        .collect()
}

fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    if let Some(stem) = kind
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']))
    {
        format!("{stem}ies")
    } else if kind.ends_with('s') {
        format!("{kind}es")
    } else {
        format!("{kind}s")
    }
}

/// The group of a kind: that of the object if there is one, else what is known.
pub(super) fn group<'a>(kind: &str, object: Option<&'a Object>) -> &'a str {
    if let Some(object) = object {
        let split = object.api_version.rsplit_once('/');
        return split.map_or("", |(group, _)| group);
    }
    let known = OURS.iter().find(|(known, ..)| *known == kind);
    known.map_or("", |(_, group, _)| group)
}

/// `virtualservice.networking.istio.io`.
pub(super) fn full_name(kind: &str, group: &str) -> String {
    with_group(&kind.to_lowercase(), group)
}

/// `virtualservices.networking.istio.io`.
pub(super) fn full_plural(kind: &str, group: &str) -> String {
    with_group(&plural(kind), group)
}

fn with_group(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_the_names_that_kubectl_knows() {
        for word in [
            "vs",
            "virtualservice",
            "VirtualServices",
            "virtualservices.networking.istio.io",
        ] {
            assert_eq!(find(word, &[]), Ok(vec!["VirtualService"]), "{word}");
        }
        assert_eq!(find("po,svc", &[]), Ok(vec!["Pod", "Service"]));
        assert_eq!(find("all", &[]).unwrap().len(), ALL.len());
        let others = ["AuthorizationPolicy", "Ingress"];
        assert_eq!(
            find("authorizationpolicies", &others),
            Ok(vec!["AuthorizationPolicy"])
        );
        assert_eq!(find("ingresses", &others), Ok(vec!["Ingress"]));
        assert_eq!(
            full_plural("Gateway", "networking.istio.io"),
            "gateways.networking.istio.io"
        );
    }

    #[test]
    fn a_misspelt_kind_gets_advice() {
        let error = find("virtualservce", &[]).unwrap_err().to_string();
        assert!(error.contains("did you mean `virtualservice`?"), "{error}");
        let error = find("zebra", &[]).unwrap_err().to_string();
        assert!(
            !error.contains("did you mean") && error.contains("po, svc"),
            "{error}"
        );
    }
}
