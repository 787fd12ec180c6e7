//! Requests that come to the rules of a mesh: one for each route.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, Method};

use crate::path::normalise_path;
use crate::route::Route;
use crate::route::matching::{MatchedName, RequestHead, RequestMatch, StringMatch};
use crate::view::{View, VirtualHost};

/// A request, and the port that is dialled.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) port: u16,
    pub(super) method: String,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
}

impl Probe {
    pub(super) fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            path: &self.path,
            authority: &self.authority,
            scheme: "http",
            headers: &self.headers,
        }
    }

    /// What tells it from others.
    fn key(&self) -> String {
        format!("{} {:?}", self.authority, self.shown())
    }

    /// `POST auth.shop:8080/verify x-canary: true`.
    pub(super) fn shown(&self) -> String {
        let headers = self.headers.iter();
        let headers =
            headers.map(|(name, value)| format!(" {name}: {}", String::from_utf8_lossy(value.as_bytes())));
        let authority = match self.authority.strip_suffix(".svc.cluster.local") {
            Some(short) => short,
            None => &self.authority,
        };
        format!(
            "{} {authority}:{}{}{}",
            self.method,
            self.port,
            self.path,
            headers.collect::<Vec<_>>().join(",")
        )
    }
}

/// A request per route, and one per virtual host that no condition was made for.
pub(super) fn of(view: &View) -> Vec<Probe> {
    let (mut probes, mut known) = (Vec::new(), BTreeSet::new());
    for (port, table) in &view.ports {
        for host in table.virtual_hosts() {
            let Some(authority) = authority(host) else {
                continue;
            };
            let routes = host
                .routes
                .iter()
                .filter_map(|route| probe(*port, &authority, route));
            let plain = probe_of(*port, &authority, &RequestMatch::default());
            probes.extend(routes.chain(plain).filter(|probe| known.insert(probe.key())));
        }
    }
    probes
}

/// Those of both views, each once.
pub(super) fn of_both(before: &View, after: &View) -> Vec<Probe> {
    let mut probes = of(before);
    let known: BTreeSet<String> = probes.iter().map(Probe::key).collect();
    probes.extend(
        of(after)
            .into_iter()
            .filter(|probe| !known.contains(&probe.key())),
    );
    probes
}

/// A Host that leads to the virtual host: its full name.
pub(super) fn authority(host: &VirtualHost) -> Option<String> {
    let first = host.domains.first()?;
    Some(match first.strip_prefix('*') {
        Some("") => "any.example".to_owned(),
        Some(end) => format!("any{end}"),
        None => first.clone(),
    })
}

fn probe(port: u16, authority: &str, route: &Route) -> Option<Probe> {
    let authority = match &route.matcher.authority {
        Some(StringMatch::Exact(text)) => text,
        _ => authority,
    };
    probe_of(port, authority, &route.matcher)
}

/// A request that fulfils the conditions, if one is easily found.
fn probe_of(port: u16, authority: &str, matcher: &RequestMatch) -> Option<Probe> {
    let mut path = text(matcher.uri.as_ref().map(|uri| &uri.text), "/")?;
    for (index, (name, value)) in matcher.query.iter().enumerate() {
        let sign = if index == 0 { '?' } else { '&' };
        path.push_str(&format!("{sign}{name}={}", text(value.as_ref(), "any")?));
    }
    let mut probe = Probe {
        port,
        method: text(matcher.method.as_ref(), "GET")?,
        authority: authority.to_owned(),
        path: normalise_path(&path)?.into_owned(),
        headers: HeaderMap::new(),
    };
    for header in &matcher.headers {
        let value = text(header.value.as_ref(), "any")?;
        match &header.name {
            MatchedName::Header(name) => {
                probe.headers.insert(name, HeaderValue::from_str(&value).ok()?);
            }
            MatchedName::Method => probe.method = value,
            MatchedName::Authority => probe.authority = value,
            MatchedName::Path => probe.path = value,
            MatchedName::Scheme => {}
        }
    }
    probe.method.parse::<Method>().ok()?;
    Some(probe).filter(|probe| matcher.matches(&probe.head()))
}

/// A text that fulfils a condition. Of an expression its plain beginning is tried, and that with something behind it.
fn text(condition: Option<&StringMatch>, otherwise: &str) -> Option<String> {
    match condition {
        None => Some(otherwise.to_owned()),
        Some(StringMatch::Exact(text) | StringMatch::Prefix(text)) => Some(text.clone()),
        Some(condition @ StringMatch::Regex(pattern)) => {
            let source = pattern.source().trim_start_matches('^').trim_end_matches('$');
            let plain = |c: char| c.is_ascii_alphanumeric() || "/-_".contains(c);
            let begin: String = source.chars().take_while(|c| plain(*c)).collect();
            let candidates = [
                otherwise.to_owned(),
                source.replace('\\', ""),
                format!("{begin}1"),
                format!("{begin}/any"),
                format!("{begin}any"),
                begin.clone(),
                begin.chars().take(begin.len().saturating_sub(1)).collect(),
            ];
            candidates
                .into_iter()
                .find(|text| condition.matches(text.as_bytes()))
        }
    }
}
