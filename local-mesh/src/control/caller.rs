//! Who calls: `--from`.

use mesh_config::{Client, Role};

use super::sockets::Owner;
use super::state::State;
use crate::admin::wire::Failure;

/// The word for the gateway.
const GATEWAY: &str = "gateway";

impl State {
    /// The client that a word names, and the word: the gateway, or a Deployment, pod or client as `NAMESPACE/NAME`.
    /// Without a word it is the gateway, if that is open.
    pub(super) fn caller(&self, from: Option<&str>) -> Result<(String, Client), Failure> {
        let locality = self.options.locality.as_ref();
        let open = self.sockets_of(Owner::Gateway).next().is_some();
        let word = match from {
            Some(word) => word,
            None if open => GATEWAY,
            None => {
                let text = "the gateway is closed, so say who calls with --from NAMESPACE/NAME";
                return Err(Failure::refused(format!("{text}; {}", self.known_callers())));
            }
        };
        if word == GATEWAY {
            return Ok((word.to_owned(), Client::ingress_gateway()));
        }
        let outside = self.options.clients.iter().find(|spec| spec.full_name() == word);
        let client = outside.map(|spec| spec.client(locality));
        let pod = || self.pods.iter().find(|pod| pod.full_name() == word);
        let client = client
            .or_else(|| pod().map(super::pods::Pod::client))
            .or_else(|| self.of_deployment(word));
        match client {
            Some(client) => Ok((word.to_owned(), client)),
            None => Err(Failure::not_found(format!(
                "nobody here is called \"{word}\"; {}",
                self.known_callers()
            ))),
        }
    }

    /// A pod of a Deployment, whether or not one runs.
    fn of_deployment(&self, word: &str) -> Option<Client> {
        let mut deployments = self.templates.iter();
        let found = deployments.find(|(key, _)| format!("{}/{}", key.namespace, key.name) == word);
        found.map(|(key, template)| Client {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            labels: template.labels.clone(),
            locality: None,
            role: Role::Sidecar,
        })
    }

    fn known_callers(&self) -> String {
        let deployments = self
            .templates
            .keys()
            .map(|key| format!("{}/{}", key.namespace, key.name));
        let clients = self.options.clients.iter().map(super::ClientSpec::full_name);
        let known: Vec<String> = [GATEWAY.to_owned()]
            .into_iter()
            .chain(deployments)
            .chain(clients)
            .collect();
        format!("known are {}", known.join(", "))
    }
}
