//! Requests that the plain one says nothing about: with a header that a rule asks for, they go elsewhere.

use std::fmt;

use http::HeaderName;
use mesh_config::{HeaderMatch, MatchedName, Mesh, Spec, StringMatch};

use super::chain::{Chain, first_hop, second_hop};
use super::routed::NotDeclared;

/// Headers to send besides those of the plain request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Name and value of each.
    pub headers: Vec<(HeaderName, String)>,
}

impl fmt::Display for Variant {
    /// `x-canary: true`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.headers.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            write!(f, "{separator}{name}: {value}")?;
        }
        Ok(())
    }
}

/// The variants of a request that lead to another split than the plain one, on either hop: a header canary is proved
/// by requests with the header, never by those without.
///
/// Candidates are the exact header conditions of every match block of every VirtualService; conditions of other kinds
/// (prefix, regex, presence) name no value to send.
///
/// # Errors
/// As for the plain request.
pub fn variants(mesh: &Mesh, chain: &Chain) -> Result<Vec<Variant>, NotDeclared> {
    let plain = splits(mesh, chain)?;
    let mut found: Vec<Variant> = Vec::new();
    for variant in candidates(mesh) {
        let call = chain.call.with(&variant.headers)?;
        let varied = Chain {
            call,
            ..chain.clone()
        };
        if !found.contains(&variant) && splits(mesh, &varied)? != plain {
            found.push(variant);
        }
    }
    Ok(found)
}

/// The shares of the first hop, then of the second hop for each version that makes it.
fn splits(mesh: &Mesh, chain: &Chain) -> Result<Vec<Vec<(String, f64)>>, NotDeclared> {
    let (routed, first) = first_hop(mesh, chain)?;
    let mut splits = vec![shares(&first)];
    if let Some(then) = &chain.then {
        for (version, _) in first.versions().filter(|(_, share)| *share > 0.0) {
            splits.push(shares(&second_hop(mesh, &routed, version, then)?));
        }
    }
    Ok(splits)
}

fn shares(expected: &super::Expected) -> Vec<(String, f64)> {
    expected
        .versions()
        .map(|(version, share)| (version.to_owned(), share))
        .collect()
}

fn candidates(mesh: &Mesh) -> impl Iterator<Item = Variant> {
    let rules = mesh.objects().filter_map(|object| match &object.spec {
        Spec::VirtualService(rules) => Some(rules),
        _ => None,
    });
    let blocks = rules.flat_map(|rules| &rules.http).flat_map(|http| &http.matches);
    let variants = blocks.map(|block| Variant {
        headers: block.request.headers.iter().filter_map(exact).collect(),
    });
    variants.filter(|variant| !variant.headers.is_empty())
}

fn exact(condition: &HeaderMatch) -> Option<(HeaderName, String)> {
    match (&condition.name, &condition.value) {
        (MatchedName::Header(name), Some(StringMatch::Exact(value))) => Some((name.clone(), value.clone())),
        _ => None,
    }
}
