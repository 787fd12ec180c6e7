//! Host names: validity, completion, wildcards.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// Longest label of a name.
const LONGEST_LABEL: usize = 63;

/// Longest name.
const LONGEST: usize = 255;

/// The domain of services.
pub(crate) const DOMAIN: &str = "svc.cluster.local";

/// `name.namespace.svc.cluster.local`.
pub(crate) fn service(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}.{DOMAIN}")
}

/// The full name of a host in a rule of `namespace`. A name with any dot is taken as full already.
pub(crate) fn complete(host: &str, namespace: &str) -> String {
    if host == "*" || host.contains('.') || host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    service(host, namespace)
}

/// An address; one of IPv6 may have a zone (`fe80::1%eth0`), as for Go's `netip.ParseAddr`.
pub(crate) fn is_address(text: &str) -> bool {
    let zoned = text.split_once('%').filter(|(_, zone)| !zone.is_empty());
    text.parse::<IpAddr>().is_ok() || zoned.is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok())
}

/// A DNS label; upper case passes, as in Istio.
pub(crate) fn is_label(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    (1..=LONGEST_LABEL).contains(&text.len())
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|c| edge(c) || c == '-')
}

/// A host that a rule may name: labels with dots, the first of which may begin with `*`; for the hosts of a
/// VirtualService also an address. Source: istiod's `ValidateWildcardDomain`.
pub(crate) fn is_valid(host: &str, address: bool) -> bool {
    if is_address(host) {
        return address;
    }
    let (first, rest) = host
        .split_once('.')
        .map_or((host, None), |(first, rest)| (first, Some(rest)));
    let wildcard = first
        .strip_prefix('*')
        .map(|tail| tail.strip_prefix('-').unwrap_or(tail));
    let first = first == "*" || first.len() <= LONGEST_LABEL && is_label(wildcard.unwrap_or(first));
    (1..=LONGEST).contains(&host.len()) && first && rest.is_none_or(are_labels)
}

/// A name without wildcard. Source: istiod's `ValidateFQDN`.
pub(crate) fn is_plain(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len()) && are_labels(name)
}

/// Labels with dots between them, of which the last may be empty and is not a number.
fn are_labels(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let labels = name.strip_suffix('.').unwrap_or(name);
    last.parse::<i64>().is_err() && (name.is_empty() || labels.split('.').all(is_label))
}

/// A name as gateways use it between clusters, `outbound_.80_._.auth.shop.svc.cluster.local`, which a VirtualService
/// of gateways with rules for TLS may have for a host. Source: istiod's
/// `ValidateWildcardDomainForVirtualServiceBoundToGateway`.
pub(crate) fn is_sni_name(host: &str) -> bool {
    let mut parts = host.split('_');
    let (Some("outbound"), Some(port), Some(_), Some(name)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    host.len() <= LONGEST
        && port.contains(|c: char| c.is_ascii_digit())
        && name.contains(|c: char| c.is_ascii_alphabetic())
}

/// Whether a host that a rule names takes in another one: it is the same, or a wildcard whose end the other shares.
///
/// This is how istiod finds services and servers, so nothing need stand in front of the end; a proxy that looks up a
/// Host header asks for at least one character there (see [`crate::RouteTable::virtual_host`]).
pub(crate) fn covers(pattern: &str, host: &str) -> bool {
    match (pattern.strip_prefix('*'), host.strip_prefix('*')) {
        (Some(end), Some(other)) => other.ends_with(end),
        (Some(end), None) => host.ends_with(end),
        (None, _) => pattern == host,
    }
}

/// Whether two hosts of one VirtualService have a name in common.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    covers(a, b) || covers(b, a)
}

/// Of several hosts that cover a name the greatest is used: exact names before wildcards, longer before shorter.
pub(crate) fn specificity(host: &str) -> (bool, usize) {
    (!host.starts_with('*'), host.len())
}

/// The Host header as it is looked up: without port, in lower case. Copies only what is not in lower case.
pub(crate) fn of_authority(authority: &str) -> Cow<'_, str> {
    let end = match authority.rfind(':') {
        // The colons of an address in brackets are not the port's.
        Some(colon) if !authority[colon..].contains(']') => colon,
        _ => authority.len(),
    };
    let host = &authority[..end];
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(host.to_ascii_lowercase());
    }
    Cow::Borrowed(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_dot_is_completed_and_any_other_is_full() {
        for (host, expected) in [
            ("auth", "auth.shop.svc.cluster.local"),
            ("auth.default", "auth.default"),
            ("*", "*"),
            ("*.example.com", "*.example.com"),
            ("*-service", "*-service.shop.svc.cluster.local"),
            ("10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(complete(host, "shop"), expected);
        }
    }

    #[test]
    fn valid_hosts_are_told_from_others() {
        for host in [
            "a", "A", "a.b.c", "*", "*.b", "*.", "*foo.com", "*-x.com", "a.b.", "123", "10.0.0.1",
        ] {
            assert!(is_valid(host, true), "{host}");
        }
        for host in [
            "",
            ".",
            "a..b",
            "a..",
            "a_b",
            "-a",
            "*--a",
            "a.*",
            "a.123",
            &"a.".repeat(200),
        ] {
            assert!(!is_valid(host, true), "{host}");
        }
        assert!(!is_valid("10.0.0.1", false), "a destination is not an address");
    }

    #[test]
    fn a_wildcard_covers_what_ends_like_it() {
        for (pattern, host, expected) in [
            ("*", "anything", true),
            ("*.wild.example", "a.b.wild.example", true),
            ("*.wild.example", "wild.example", false),
            ("*bank.example", "bank.example", true),
            ("*.example", "*.wild.example", true),
            ("*.wild.example", "*.example", false),
            ("a.example", "*.example", false),
            ("a.example", "a.example", true),
            ("a.example", "A.example", false),
        ] {
            assert_eq!(covers(pattern, host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn the_port_and_the_case_of_a_host_header_do_not_count() {
        for (authority, expected) in [
            ("Auth:8080", "auth"),
            ("auth:", "auth"),
            ("auth:abc", "auth"),
            ("auth", "auth"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(of_authority(authority), expected);
        }
        assert!(
            matches!(of_authority("auth:8080"), Cow::Borrowed("auth")),
            "the usual Host is not copied"
        );
    }
}
