//! Variables of a pod's process.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use mesh_config::{Container, EnvValue};

/// What a pod may know of the machine; everything else of our own environment stays out, as it would in a cluster.
const PASSED_ON: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "RUST_BACKTRACE"];
/// Where a pod learns its port, unless its manifest says so itself.
const PORT_VARIABLES: [&str; 2] = ["APP_PORT", "PORT"];

/// What a pod is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) service_account: String,
}

/// The port that the manifest prescribes through `APP_PORT` or `PORT`.
pub(crate) fn fixed_port(container: &Container) -> Option<u16> {
    PORT_VARIABLES.iter().find_map(|wanted| {
        let found = container.env.iter().rev().find(|(name, _)| name == wanted)?;
        match &found.1 {
            EnvValue::Plain(text) => text.parse().ok(),
            EnvValue::Field(_) => None,
        }
    })
}

/// Field paths of `valueFrom.fieldRef` that are not known here.
pub(crate) fn unknown_fields(container: &Container) -> Vec<&str> {
    let paths = container.env.iter().filter_map(|(_, value)| match value {
        EnvValue::Field(path) => Some(path.as_str()),
        EnvValue::Plain(_) => None,
    });
    paths
        .filter(|path| field(path, &Identity::default()).is_none())
        .collect()
}

/// The variables, in the order in which they are defined; later ones win.
///
/// `proxy` is the pod's own way out, so that the mesh knows who calls; a proxy that the manifest names gives way.
pub(crate) fn environment(
    container: &Container,
    identity: &Identity,
    port: u16,
    proxy: SocketAddr,
    ours: impl Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let mut variables = Variables::default();
    for name in PASSED_ON {
        if let Some(value) = ours(name) {
            variables.set(name, value);
        }
    }
    variables.set("HOSTNAME", identity.name.clone());
    variables.set("APP_HOST", Ipv4Addr::LOCALHOST.to_string());
    for name in PORT_VARIABLES {
        variables.set(name, port.to_string());
    }
    for (name, value) in &container.env {
        let value = match value {
            EnvValue::Plain(text) => expand(text, &variables.0),
            EnvValue::Field(path) => field(path, identity).unwrap_or_default(),
        };
        variables.set(name, value);
    }
    for name in ["HTTP_PROXY", "http_proxy"] {
        variables.set(name, format!("http://{proxy}"));
    }
    for name in ["NO_PROXY", "no_proxy"] {
        variables.set(name, String::new());
    }
    for name in ["ALL_PROXY", "all_proxy"] {
        variables.unset(name);
    }
    variables.0
}

/// In the order of definition.
#[derive(Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    fn set(&mut self, name: &str, value: String) {
        self.unset(name);
        self.0.push((name.to_owned(), value));
    }

    fn unset(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }
}

/// Kubernetes' references: `$(NAME)` is the variable, `$$(NAME)` is the text `$(NAME)`, an unknown name stays as it is.
pub(crate) fn expand(text: &str, variables: &[(String, String)]) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let reference = after
            .strip_prefix('(')
            .and_then(|inner| Some((inner, inner.find(')')?)));
        rest = if let Some(escaped) = after.strip_prefix('$') {
            result.push('$');
            escaped
        } else if let Some((inner, end)) = reference {
            match variables.iter().find(|(name, _)| *name == inner[..end]) {
                Some((_, value)) => result.push_str(value),
                None => result.push_str(&rest[at..at + end + 3]),
            }
            &inner[end + 1..]
        } else {
            result.push('$');
            after
        };
    }
    result.push_str(rest);
    result
}

/// The downward API.
fn field(path: &str, identity: &Identity) -> Option<String> {
    let of_map = |map: &str| {
        path.strip_prefix(map)?
            .strip_prefix("['")?
            .strip_suffix("']")
            .map(str::to_owned)
    };
    let value = match path {
        "metadata.name" => identity.name.clone(),
        "metadata.namespace" => identity.namespace.clone(),
        "metadata.uid" => format!("{}/{}", identity.namespace, identity.name),
        "spec.nodeName" => "localhost".to_owned(),
        "spec.serviceAccountName" => identity.service_account.clone(),
        "status.podIP" | "status.podIPs" | "status.hostIP" | "status.hostIPs" => {
            Ipv4Addr::LOCALHOST.to_string()
        }
        _ => {
            let label = of_map("metadata.labels")?;
            identity.labels.get(&label).cloned().unwrap_or_default()
        }
    };
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(name: &str, value: &str) -> (String, EnvValue) {
        (name.to_owned(), EnvValue::Plain(value.to_owned()))
    }

    fn identity() -> Identity {
        Identity {
            namespace: "shop".to_owned(),
            name: "auth-v1-x".to_owned(),
            labels: BTreeMap::from([("version".to_owned(), "v1".to_owned())]),
            service_account: "auth".to_owned(),
        }
    }

    fn environment_of(env: Vec<(String, EnvValue)>) -> BTreeMap<String, String> {
        let container = Container {
            env,
            ..Container::default()
        };
        let ours = |name: &str| ["PATH", "SECRET"].contains(&name).then(|| "/bin".to_owned());
        let proxy = "127.0.0.1:4000".parse().unwrap();
        environment(&container, &identity(), 21_000, proxy, ours)
            .into_iter()
            .collect()
    }

    #[test]
    fn a_pod_knows_its_port_and_its_proxy_and_little_else() {
        let found = environment_of(vec![
            plain("ALL_PROXY", "http://elsewhere"),
            plain("NO_PROXY", "*"),
        ]);
        for (name, value) in [
            ("PATH", "/bin"),
            ("HOSTNAME", "auth-v1-x"),
            ("APP_HOST", "127.0.0.1"),
            ("APP_PORT", "21000"),
            ("PORT", "21000"),
            ("HTTP_PROXY", "http://127.0.0.1:4000"),
            ("http_proxy", "http://127.0.0.1:4000"),
            ("NO_PROXY", ""),
            ("no_proxy", ""),
        ] {
            assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(found.len(), 9);
    }

    #[test]
    fn variables_of_the_manifest_win_and_refer_to_earlier_ones() {
        let field = |name: &str, path: &str| (name.to_owned(), EnvValue::Field(path.to_owned()));
        let found = environment_of(vec![
            plain("APP_PORT", "9000"),
            plain("URL", "http://$(APP_HOST):$(APP_PORT)/$(LATER)$$(PORT)"),
            plain("LATER", "x"),
            field("WHO", "metadata.name"),
            field("VERSION", "metadata.labels['version']"),
        ]);
        assert_eq!(found["APP_PORT"], "9000");
        assert_eq!(found["URL"], "http://127.0.0.1:9000/$(LATER)$(PORT)");
        assert_eq!(
            (found["WHO"].as_str(), found["VERSION"].as_str()),
            ("auth-v1-x", "v1")
        );
    }

    #[test]
    fn references_are_replaced_as_kubernetes_does() {
        let variables = [("A".to_owned(), "1".to_owned())];
        for (text, expected) in [
            ("$(A)", "1"),
            ("x$(A)y$(A)", "x1y1"),
            ("$(B)", "$(B)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$A $", "$A $"),
            ("$(A", "$(A"),
        ] {
            assert_eq!(expand(text, &variables), expected, "{text}");
        }
    }

    #[test]
    fn fields_that_are_not_known_are_named() {
        let field = |path: &str| ("X".to_owned(), EnvValue::Field(path.to_owned()));
        let container = Container {
            env: vec![
                field("status.podIP"),
                field("metadata.labels['a']"),
                field("spec.x"),
            ],
            ..Container::default()
        };
        assert_eq!(unknown_fields(&container), ["spec.x"]);
    }
}
