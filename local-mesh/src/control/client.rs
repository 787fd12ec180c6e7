//! `--client NAMESPACE/NAME[,LABEL=VALUE]...@ADDR[:PORT]`: somebody outside who calls as a workload of the mesh.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use mesh_config::{Client, Locality, Role};

/// A client and where it is listened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientSpec {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) address: IpAddr,
    /// An HTTP proxy at this port; `None`: transparent, at every port that a Service has.
    pub(crate) port: Option<u16>,
}

/// The text is no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadClient {
    #[error("expected NAMESPACE/NAME[,LABEL=VALUE]...@ADDRESS[:PORT]; there is no `@`")]
    NoAddress,
    #[error("`{0}` is not an address; write 127.0.0.1, 127.0.0.1:15001 or [::1]:15001")]
    Address(String),
    #[error("`{0}` is not NAMESPACE/NAME")]
    Name(String),
    #[error("`{0}` is not LABEL=VALUE")]
    Label(String),
    #[error("the label `{0}` is given twice")]
    Twice(String),
}

impl FromStr for ClientSpec {
    type Err = BadClient;

    fn from_str(text: &str) -> Result<Self, BadClient> {
        let (who, place) = text.rsplit_once('@').ok_or(BadClient::NoAddress)?;
        let (address, port) = parse_address(place).ok_or_else(|| BadClient::Address(place.to_owned()))?;
        let mut words = who.split(',');
        let full_name = words.next().unwrap_or_default();
        let (namespace, name) = full_name
            .split_once('/')
            .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty() && !name.contains('/'))
            .ok_or_else(|| BadClient::Name(full_name.to_owned()))?;
        let mut labels = BTreeMap::new();
        for word in words {
            let (key, value) = word
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| BadClient::Label(word.to_owned()))?;
            if labels.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(BadClient::Twice(key.to_owned()));
            }
        }
        Ok(ClientSpec {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            labels,
            address,
            port,
        })
    }
}

impl ClientSpec {
    /// Who calls, as the routing rules see it.
    pub(crate) fn client(&self, locality: Option<&Locality>) -> Client {
        Client {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            labels: self.labels.clone(),
            locality: locality.cloned(),
            role: Role::Sidecar,
        }
    }

    /// `default/curl`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// `ADDR` or `ADDR:PORT`; the name `localhost` is 127.0.0.1.
pub(super) fn parse_address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let numeric = match text.strip_prefix("localhost") {
        Some(rest) if rest.is_empty() || rest.starts_with(':') => format!("127.0.0.1{rest}"),
        _ => text.to_owned(),
    };
    if let Ok(address) = numeric.parse::<SocketAddr>() {
        return Some((address.ip(), Some(address.port())));
    }
    let bare = numeric
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(&numeric);
    Some((bare.parse().ok()?, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_name_labels_and_an_address() {
        let spec: ClientSpec = "shop/curl,app=curl,version=v1@127.0.0.1:15001".parse().unwrap();
        assert_eq!(spec.full_name(), "shop/curl");
        assert_eq!(spec.labels["app"], "curl");
        assert_eq!(spec.labels["version"], "v1");
        assert_eq!(
            (spec.address.to_string(), spec.port),
            ("127.0.0.1".to_owned(), Some(15001))
        );
    }

    #[test]
    fn an_address_may_lack_a_port_or_be_of_version_6() {
        for (text, address, port) in [
            ("127.0.0.2", "127.0.0.2", None),
            ("localhost", "127.0.0.1", None),
            ("localhost:80", "127.0.0.1", Some(80)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[::1]:80", "::1", Some(80)),
        ] {
            let expected = (address.parse().unwrap(), port);
            assert_eq!(parse_address(text), Some(expected), "{text}");
        }
        assert_eq!(parse_address("localhosts"), None);
        assert_eq!(parse_address("127.0.0.1:http"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, problem) in [
            ("shop/curl", BadClient::NoAddress),
            ("shop/curl@here", BadClient::Address("here".to_owned())),
            ("curl@127.0.0.1", BadClient::Name("curl".to_owned())),
            ("a/b/c@127.0.0.1", BadClient::Name("a/b/c".to_owned())),
            ("/b@127.0.0.1", BadClient::Name("/b".to_owned())),
            ("a/b,c@127.0.0.1", BadClient::Label("c".to_owned())),
            ("a/b,c=1,c=2@127.0.0.1", BadClient::Twice("c".to_owned())),
        ] {
            assert_eq!(text.parse::<ClientSpec>(), Err(problem), "{text}");
        }
    }
}
