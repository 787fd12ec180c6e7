//! Rules of a VirtualService together with those that they delegate to. Source: istiod's `MergeHTTPRoutes`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::registry::{Named, Registry};
use crate::host;
use crate::object::Object;
use crate::object::virtual_service::{
    Delegate, HttpMatch, HttpRoute, Mirroring, RouteDestination, VirtualService,
};
use crate::route::matching::{HeaderMatch, StringMatch};

/// A rule as it counts: as it was written, or merged from two.
pub(crate) struct Effective<'a> {
    pub(crate) http: Cow<'a, HttpRoute>,
    /// The VirtualService in which the rule itself is, and its index there.
    pub(crate) object: &'a Object,
    pub(crate) index: usize,
    /// Index of each match block in that rule; `None`: the block is the delegating rule's.
    pub(crate) blocks: Vec<Option<usize>>,
    /// Index of the rule that delegates, in the VirtualService looked at.
    pub(crate) root: Option<usize>,
}

/// The rules of a VirtualService in order. One that delegates to nothing, or to what contradicts it, is left out.
pub(crate) fn rules<'a>(registry: &Registry<'a>, rule: &Named<'a, VirtualService>) -> Vec<Effective<'a>> {
    let mut rules = Vec::new();
    for (index, http) in rule.spec.http.iter().enumerate() {
        let Some(delegate) = &http.delegate else {
            rules.push(Effective {
                http: Cow::Borrowed(http),
                object: rule.object,
                index,
                blocks: (0..http.matches.len()).map(Some).collect(),
                root: None,
            });
            continue;
        };
        let Some(target) = find(registry, delegate, &rule.metadata().namespace) else {
            continue;
        };
        let root = qualified(http, &rule.metadata().namespace);
        for (leaf_index, leaf) in target.spec.http.iter().enumerate() {
            let leaf = qualified(leaf, &target.metadata().namespace);
            if let Some((matches, blocks)) = matches(&root.matches, &leaf.matches) {
                rules.push(Effective {
                    http: Cow::Owned(merged(&root, leaf, matches)),
                    object: target.object,
                    index: leaf_index,
                    blocks,
                    root: Some(index),
                });
            }
        }
    }
    rules
}

/// Whether a rule of a delegate contradicts the rule that delegates to it, so that istiod leaves it out. The namespaces
/// are those of the two VirtualServices.
pub(crate) fn contradicts(root: (&HttpRoute, &str), leaf: (&HttpRoute, &str)) -> bool {
    let (root, leaf) = (qualified(root.0, root.1), qualified(leaf.0, leaf.1));
    matches(&root.matches, &leaf.matches).is_none()
}

/// The VirtualService without hosts of this name, if it is exported to the namespace of the rule that names it.
fn find<'a>(
    registry: &Registry<'a>,
    delegate: &Delegate,
    namespace: &str,
) -> Option<Named<'a, VirtualService>> {
    let of = delegate.namespace.as_deref().unwrap_or(namespace);
    let found = registry.virtual_services.iter().find(|rule| {
        let metadata = rule.metadata();
        metadata.name == delegate.name && metadata.namespace == of && rule.spec.hosts.is_empty()
    })?;
    let to = &found.spec.export_to;
    let visible = to.is_empty()
        || to
            .iter()
            .any(|to| to == "*" || to == namespace || to == "." && of == namespace);
    visible.then_some(*found)
}

/// A rule that means the same in every namespace: hosts and gateways with their full names.
fn qualified(http: &HttpRoute, namespace: &str) -> HttpRoute {
    let mut http = http.clone();
    let complete = |target: &mut RouteDestination| {
        target.host.value = host::complete(&target.host.value, namespace);
    };
    http.route.iter_mut().for_each(complete);
    http.mirroring.mirror.iter_mut().for_each(complete);
    http.mirroring
        .mirrors
        .iter_mut()
        .for_each(|(target, _)| complete(target));
    for gateway in http.matches.iter_mut().flat_map(|block| &mut block.gateways) {
        if gateway != "mesh" && !gateway.contains(['/', '.']) {
            *gateway = format!("{namespace}/{gateway}");
        }
    }
    http
}

/// The delegate's rule where it says something, the delegating one's elsewhere; a redirect is not inherited.
fn merged(root: &HttpRoute, leaf: HttpRoute, matches: Vec<HttpMatch>) -> HttpRoute {
    let root = root.clone();
    let (own, of_root) = (leaf.mirroring, root.mirroring);
    HttpRoute {
        name: joined(root.name.as_deref(), leaf.name.as_deref()),
        matches,
        timeout: leaf.timeout.or(root.timeout),
        retries: leaf.retries.or(root.retries),
        rewrite: leaf.rewrite.or(root.rewrite),
        headers: leaf.headers.or(root.headers),
        direct_response: leaf.direct_response.or(root.direct_response),
        fault: leaf.fault.or(root.fault),
        cors: leaf.cors.or(root.cors),
        mirroring: Mirroring {
            mirror: own.mirror.or(of_root.mirror),
            percentage: own.percentage.or(of_root.percentage),
            percent: own.percent.or(of_root.percent),
            mirrors: if own.mirrors.is_empty() {
                of_root.mirrors
            } else {
                own.mirrors
            },
        },
        mark: leaf.mark,
        route: leaf.route,
        redirect: leaf.redirect,
        delegate: None,
    }
}

fn joined(root: Option<&str>, leaf: Option<&str>) -> Option<String> {
    match (
        root.filter(|name| !name.is_empty()),
        leaf.filter(|name| !name.is_empty()),
    ) {
        (Some(root), Some(leaf)) => Some(format!("{root}-{leaf}")),
        (name, other) => name.or(other).map(str::to_owned),
    }
}

/// Every pair of blocks that do not contradict each other. `None`: some block of the delegate contradicts all.
fn matches(root: &[HttpMatch], leaf: &[HttpMatch]) -> Option<(Vec<HttpMatch>, Vec<Option<usize>>)> {
    if leaf.is_empty() {
        return Some((root.to_vec(), vec![None; root.len()]));
    }
    if root.is_empty() {
        return Some((leaf.to_vec(), (0..leaf.len()).map(Some).collect()));
    }
    let mut pairs = (Vec::new(), Vec::new());
    for (index, block) in leaf.iter().enumerate() {
        let fitting: Vec<&HttpMatch> = root.iter().filter(|root| !contradict(root, block)).collect();
        if fitting.is_empty() {
            return None;
        }
        for root in fitting {
            pairs.0.push(united(root, block));
            pairs.1.push(Some(index));
        }
    }
    Some(pairs)
}

fn united(root: &HttpMatch, leaf: &HttpMatch) -> HttpMatch {
    let (of_root, mut request) = (&root.request, leaf.request.clone());
    request.uri = request.uri.or(of_root.uri.clone());
    request.method = request.method.or(of_root.method.clone());
    request.scheme = request.scheme.or(of_root.scheme.clone());
    request.authority = request.authority.or(of_root.authority.clone());
    request.headers = with_missing(request.headers, &of_root.headers, |header| &header.name);
    request.without_headers = with_missing(request.without_headers, &of_root.without_headers, |header| {
        &header.name
    });
    request.query = with_missing(request.query, &of_root.query, |(name, _)| name);
    let mut labels: BTreeMap<String, String> = root.source_labels.clone();
    labels.extend(leaf.source_labels.clone());
    HttpMatch {
        mark: leaf.mark,
        name: joined(root.name.as_deref(), leaf.name.as_deref()),
        ignore_uri_case: leaf.ignore_uri_case,
        names_uri: leaf.names_uri || root.names_uri,
        port: leaf.port.or(root.port),
        gateways: if leaf.gateways.is_empty() {
            &root.gateways
        } else {
            &leaf.gateways
        }
        .clone(),
        source_labels: labels,
        source_namespace: leaf.source_namespace.clone().or(root.source_namespace.clone()),
        request,
    }
}

/// The delegate's conditions and those of the other's that are on something else.
fn with_missing<T: Clone, K: PartialEq>(mut own: Vec<T>, root: &[T], key: impl Fn(&T) -> &K) -> Vec<T> {
    let missing = root
        .iter()
        .filter(|other| !own.iter().any(|one| key(one) == key(other)));
    let missing: Vec<T> = missing.cloned().collect();
    own.extend(missing);
    own
}

fn contradict(root: &HttpMatch, leaf: &HttpMatch) -> bool {
    let (a, b) = (&root.request, &leaf.request);
    let uris = (
        a.uri.as_ref().map(|uri| &uri.text),
        b.uri.as_ref().map(|uri| &uri.text),
    );
    let pairs = [
        (a.method.as_ref(), b.method.as_ref()),
        (a.scheme.as_ref(), b.scheme.as_ref()),
        (a.authority.as_ref(), b.authority.as_ref()),
    ];
    root.names_uri && leaf.names_uri && texts(uris.0, uris.1)
        || pairs
            .into_iter()
            .any(|(root, leaf)| root.is_some() && leaf.is_some() && texts(root, leaf))
        || headers(&a.headers, &b.headers)
        || headers(&a.without_headers, &b.without_headers)
        || b.query.iter().any(|(name, leaf)| {
            let root = a.query.iter().find(|(other, _)| other == name);
            root.is_some_and(|(_, root)| texts(root.as_ref(), leaf.as_ref()))
        })
        || root.ignore_uri_case != leaf.ignore_uri_case
        || root.port.is_some() && leaf.port.is_some() && root.port != leaf.port
        || root.source_namespace.is_some() && root.source_namespace != leaf.source_namespace
        || leaf
            .source_labels
            .iter()
            .any(|(key, value)| root.source_labels.get(key).is_some_and(|other| other != value))
        || !root.gateways.is_empty()
            && !leaf
                .gateways
                .iter()
                .all(|gateway| root.gateways.contains(gateway))
}

fn headers(root: &[HeaderMatch], leaf: &[HeaderMatch]) -> bool {
    leaf.iter().any(|leaf| {
        let root = root.iter().find(|root| root.name == leaf.name);
        root.is_some_and(|root| texts(root.value.as_ref(), leaf.value.as_ref()))
    })
}

/// Whether two conditions on one thing contradict each other: the delegate's must lie inside the other's, and nothing
/// is known of expressions. A condition without a text contradicts every other.
fn texts(root: Option<&StringMatch>, leaf: Option<&StringMatch>) -> bool {
    match (root, leaf) {
        (Some(StringMatch::Exact(root)), Some(StringMatch::Exact(leaf))) => root.is_empty() || root != leaf,
        (Some(StringMatch::Prefix(root)), Some(StringMatch::Exact(leaf) | StringMatch::Prefix(leaf))) => {
            root.is_empty() || leaf.is_empty() || !leaf.starts_with(root.as_str())
        }
        _ => true,
    }
}
