//! The edges of a call chain and what is declared for each.

use std::fmt;

use http::HeaderMap;
use mesh_config::{Client, Mesh, Spec};
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::caller::{self, Caller};
use super::routed::{NotDeclared, Routed};
use super::variants::Variant;
use super::{Expected, known};

/// The requests of a client, and the one that the service behind it makes for each.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Who sends the first request.
    pub caller: Caller,
    /// The first request.
    pub call: Call,
    /// Method and URL of the second one; its headers are those that services pass on.
    pub then: Option<Call>,
}

/// An edge of the chain: what tables show a row for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// `client`, or a service and its version.
    pub from: String,
    /// The service.
    pub to: String,
    /// Headers besides those of the plain request, `x-canary: true`.
    pub variant: Option<String>,
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)?;
        match &self.variant {
            Some(variant) => write!(f, " [{variant}]"),
            None => Ok(()),
        }
    }
}

/// What is declared for an edge, and which answers speak about it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// For people.
    pub edge: Edge,
    /// Index of the request of the mix: 0 is the plain one.
    pub variant: usize,
    /// Version of the first hop for which the second is judged; `None`: this is the first hop.
    pub given: Option<String>,
    /// The split; `None` if no traffic is declared for the edge.
    pub expected: Option<Expected>,
}

impl Claim {
    /// A split of the first hop that was stated rather than declared.
    pub fn stated(to: &str, expected: Expected) -> Self {
        let edge = Edge {
            from: Caller::Gateway.name().to_owned(),
            to: to.to_owned(),
            variant: None,
        };
        Self {
            edge,
            variant: 0,
            given: None,
            expected: Some(expected),
        }
    }
}

/// The edges of the chain for the plain request, then for each variant: the first hop, then the second for each
/// version of the first. A version that gets no traffic makes no calls: its edge is not used.
///
/// # Errors
/// The manifests declare no split for one of them.
pub fn claims(mesh: &Mesh, chain: &Chain, variants: &[Variant]) -> Result<Vec<Claim>, NotDeclared> {
    let mut claims = of_request(mesh, chain, 0, None)?;
    for (index, variant) in variants.iter().enumerate() {
        let varied = Chain {
            call: chain.call.with(&variant.headers)?,
            ..chain.clone()
        };
        let mut more = of_request(mesh, &varied, index + 1, Some(variant))?;
        // That an edge exists is shown by the plain request.
        more.retain(|claim| claim.expected.is_some());
        claims.extend(more);
    }
    Ok(claims)
}

fn of_request(
    mesh: &Mesh,
    chain: &Chain,
    index: usize,
    variant: Option<&Variant>,
) -> Result<Vec<Claim>, NotDeclared> {
    let (routed, first) = first_hop(mesh, chain)?;
    let service = first.services().join(" + ");
    let edge = |from: &str, to: &str| Edge {
        from: from.to_owned(),
        to: to.to_owned(),
        variant: variant.map(ToString::to_string),
    };
    let mut claims = vec![Claim {
        edge: edge(chain.caller.name(), &service),
        variant: index,
        given: None,
        expected: Some(first.clone()),
    }];
    let Some(then) = &chain.then else {
        return Ok(claims);
    };
    let mut to = then.authority().to_owned();
    for (version, share) in first.versions() {
        let expected = if share > 0.0 {
            Some(second_hop(mesh, &routed, version, then)?)
        } else {
            None
        };
        if let Some(expected) = &expected {
            to = expected.services().join(" + ");
        }
        let from = format!("{service} {version}");
        claims.push(Claim {
            edge: edge(&from, ""),
            variant: index,
            given: Some(version.to_owned()),
            expected,
        });
    }
    for claim in &mut claims[1..] {
        claim.edge.to.clone_from(&to);
    }
    Ok(claims)
}

pub(super) fn first_hop(mesh: &Mesh, chain: &Chain) -> Result<(Routed, Expected), NotDeclared> {
    let routed = Routed::new(mesh, &chain.caller.client(mesh)?, &chain.call)?;
    let expected = routed.expected(mesh)?;
    Ok((routed, expected))
}

/// Who makes the calls of a version of the first service, and the headers that it passes on: its pods are those of the
/// Deployment that the Service selects and that has this `version` label.
pub(super) fn second_callers(mesh: &Mesh, first: &Routed, version: &str) -> Vec<(Client, HeaderMap)> {
    let mut callers = Vec::new();
    for leg in first.legs.iter().filter(|leg| leg.version == version) {
        let running = known::behind(mesh, &leg.service).filter(|(object, labels)| {
            matches!(object.spec, Spec::Deployment(_)) && labels.get("version").is_some_and(|v| v == version)
        });
        for (object, labels) in running {
            let client = caller::sidecar(&object.metadata.namespace, &object.metadata.name, labels.clone());
            callers.push((client, passed_on(&leg.headers)));
        }
    }
    callers
}

/// What is declared for the calls that a version of the first service makes.
pub(super) fn second_hop(
    mesh: &Mesh,
    first: &Routed,
    version: &str,
    then: &Call,
) -> Result<Expected, NotDeclared> {
    let mut found: Option<Expected> = None;
    let service = first
        .legs
        .iter()
        .find(|leg| leg.version == version)
        .map(|leg| leg.service.name.clone())
        .unwrap_or_default();
    for (client, headers) in second_callers(mesh, first, version) {
        let call = then.with_only(headers);
        let expected = Routed::new(mesh, &client, &call)?.expected(mesh)?;
        if found
            .as_ref()
            .is_some_and(|other| !other.versions().eq(expected.versions()))
        {
            return Err(NotDeclared::Ambiguous {
                service,
                version: version.to_owned(),
            });
        }
        found = Some(expected);
    }
    found.ok_or_else(|| NotDeclared::NoDeployment {
        service,
        version: version.to_owned(),
    })
}

/// The headers that a service passes on to the next one: trace context, the request's identifier, who the user is,
/// and what routes match on. A proxy cannot do it for the service.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    const NAMES: [&str; 8] = [
        "x-request-id",
        "traceparent",
        "tracestate",
        "b3",
        "x-canary",
        "end-user",
        "authorization",
        "cookie",
    ];
    let is_passed = |name: &str| NAMES.contains(&name) || name.starts_with("x-b3-");
    let lines = headers.iter().filter(|(name, _)| is_passed(name.as_str()));
    lines.map(|(name, value)| (name.clone(), value.clone())).collect()
}
