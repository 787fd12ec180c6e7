//! Host names: validity, completion, wildcards.

use std::net::IpAddr;

/// The domain of services.
pub(crate) const DOMAIN: &str = "svc.cluster.local";

/// `name.namespace.svc.cluster.local`.
pub(crate) fn service(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}.{DOMAIN}")
}

/// The full name of a host in a rule of `namespace`. A name with any dot is taken as full already.
pub(crate) fn complete(host: &str, namespace: &str) -> String {
    if host.contains('*') || host.contains('.') || host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    service(host, namespace)
}

/// A DNS label; upper case passes, as in Istio.
pub(crate) fn is_label(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    (1..=63).contains(&text.len())
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|c| edge(c) || c == '-')
}

/// A host that a rule may name: labels with dots, the first of which may begin with `*`; for the hosts of a
/// VirtualService also an address.
pub(crate) fn is_valid(host: &str, address: bool) -> bool {
    if host.parse::<IpAddr>().is_ok() {
        return address;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.len() > 255 {
        return false;
    }
    let (first, rest) = host
        .split_once('.')
        .map_or((host, None), |(first, rest)| (first, Some(rest)));
    let first = match first.strip_prefix('*') {
        Some("") => true,
        Some(tail) => is_label(tail.trim_start_matches('-')),
        None => is_label(first),
    };
    let numeric = |rest: &str| {
        let last = rest.rsplit('.').next().unwrap_or_default();
        last.chars().all(|c| c.is_ascii_digit())
    };
    first && rest.is_none_or(|rest| rest.split('.').all(is_label) && !numeric(rest))
}

/// Whether the pattern (`*suffix`, `*` or a full name) takes the name. At least one character must stand in front of
/// the suffix. Both in lower case.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => name.len() > suffix.len() && name.ends_with(suffix),
        None => pattern == name,
    }
}

/// Whether two hosts of one VirtualService have a name in common.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    a == b || matches(a, b) || matches(b, a)
}

/// The Host header as it is looked up: without port, in lower case.
pub(crate) fn of_authority(authority: &str) -> String {
    let end = match authority.rfind(':') {
        // The colons of an address in brackets are not the port's.
        Some(colon) if !authority[colon..].contains(']') => colon,
        _ => authority.len(),
    };
    authority[..end].to_ascii_lowercase()
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
            ("10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(complete(host, "shop"), expected);
        }
    }

    #[test]
    fn valid_hosts_are_told_from_others() {
        for host in [
            "a", "A", "a.b.c", "*", "*.b", "*foo.com", "*-x.com", "a.b.", "123", "10.0.0.1",
        ] {
            assert!(is_valid(host, true), "{host}");
        }
        for host in ["", ".", "a..b", "a_b", "-a", "a.*", "a.123", &"a.".repeat(200)] {
            assert!(!is_valid(host, true), "{host}");
        }
        assert!(!is_valid("10.0.0.1", false), "a destination is not an address");
    }

    #[test]
    fn a_wildcard_needs_at_least_one_character_in_front() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("*.wild.example", "a.b.wild.example", true),
            ("*.wild.example", "wild.example", false),
            ("*bank.example", "mybank.example", true),
            ("*bank.example", "bank.example", false),
            ("a.example", "a.example", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
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
    }
}
