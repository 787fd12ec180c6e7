//! The same edges as claims, as the proxies that route them see them.

use std::collections::BTreeMap;

use mesh_config::{Client, Mesh};

use super::call::Call;
use super::caller;
use super::chain::{self, Chain, Edge};
use super::routed::NotDeclared;
use super::variants::Variant;

/// Cluster names with their shares of a request, which sum to 1.
pub type Shares = BTreeMap<String, f64>;

/// What a proxy of a caller has to answer: where does this request go?
#[derive(Clone, Debug)]
pub struct Question {
    /// The edge it is about.
    pub edge: Edge,
    /// Whose proxy is asked.
    pub caller: Client,
    /// The port that is dialled; of a gateway the port of its server.
    pub port: u16,
    /// The request.
    pub call: Call,
    /// What the manifests declare.
    pub declared: Shares,
}

/// One question for each caller of each edge that is used, in the order of [`claims`](super::claims).
///
/// # Errors
/// The manifests declare no split for one of them.
pub fn questions(mesh: &Mesh, chain: &Chain, variants: &[Variant]) -> Result<Vec<Question>, NotDeclared> {
    let mut questions = of_request(mesh, chain, None)?;
    for variant in variants {
        let varied = Chain {
            call: chain.call.with(&variant.headers)?,
            ..chain.clone()
        };
        questions.extend(of_request(mesh, &varied, Some(variant))?);
    }
    Ok(questions)
}

fn of_request(mesh: &Mesh, chain: &Chain, variant: Option<&Variant>) -> Result<Vec<Question>, NotDeclared> {
    let (routed, first) = chain::first_hop(mesh, chain)?;
    let service = first.services().join(" + ");
    let ask = |from: &str, caller: Client, call: Call| {
        let port = caller::port(&caller, mesh, &call)?;
        let (declared, to) = declared(mesh, &caller, port, &call);
        let edge = Edge {
            from: from.to_owned(),
            to,
            variant: variant.map(ToString::to_string),
        };
        Ok::<_, NotDeclared>(Question {
            edge,
            caller,
            port,
            call,
            declared,
        })
    };
    let mut questions = vec![ask(
        chain.caller.name(),
        chain.caller.client(mesh)?,
        chain.call.clone(),
    )?];
    let Some(then) = &chain.then else {
        return Ok(questions);
    };
    for (version, share) in first.versions() {
        if share > 0.0 {
            for (caller, headers) in chain::second_callers(mesh, &routed, version) {
                questions.push(ask(
                    &format!("{service} {version}"),
                    caller,
                    then.with_only(headers),
                )?);
            }
        }
    }
    Ok(questions)
}

/// The shares of the clusters, and the services behind them as tables call them.
fn declared(mesh: &Mesh, caller: &Client, port: u16, call: &Call) -> (Shares, String) {
    let view = mesh.view(caller, &[]);
    let mut shares = Shares::new();
    let mut services = Vec::new();
    let head = call.head();
    if let Some(mesh_config::Routing::Route(_, route)) = view.table(port).map(|table| table.route(&head))
        && let Some(forward) = route.forward()
    {
        for destination in &forward.destinations {
            let name = match &destination.cluster {
                Ok(id) => {
                    let cluster = view.cluster(*id);
                    services.push(cluster.service_name.clone());
                    cluster.name.clone()
                }
                Err(name) => name.clone(),
            };
            #[allow(clippy::cast_precision_loss)] // sums of 32-bit weights are exact in a double
            let share = f64::from(destination.weight) / forward.total_weight as f64;
            *shares.entry(name).or_default() += share;
        }
    }
    services.sort();
    services.dedup();
    (shares, services.join(" + "))
}
