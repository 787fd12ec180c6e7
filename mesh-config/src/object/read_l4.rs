//! Reading the rules of a VirtualService for TLS and TCP: they are judged, but not acted on yet. Source of the checks:
//! istiod's `validateTLSRoute` and `validateTCPRoute`.

use std::net::IpAddr;

use super::labels;
use super::read_virtual_service::{check_gateways, check_weights, read_target};
use crate::check::warning;
use crate::host;
use crate::problem::Placed;
use crate::text::{Fields, Value};

/// Whether any rule for TLS names a server.
pub(super) fn has_sni_hosts(tls: &Value<'_>) -> bool {
    let named = |block: &Value<'_>| block.field("sniHosts").is_some_and(|hosts| !hosts.is_empty());
    let matches = tls.list().into_iter().filter_map(|rule| rule.field("match"));
    matches
        .flat_map(|blocks| blocks.list())
        .any(|block| named(&block))
}

/// `tls` of a VirtualService with these hosts.
pub(super) fn read_tls(value: &Value<'_>, hosts: &[Placed<String>], gateways: &[String], lenient: bool) {
    // As in istiod, a VirtualService that names no gateway is taken for one of gateways here.
    let sni = !gateways.iter().any(|gateway| gateway == "mesh");
    for rule in value.list() {
        rule.fields(|fields| {
            let blocks = fields.required("match").map(|v| v.list());
            if blocks.as_ref().is_some_and(Vec::is_empty) {
                fields.value().problem("a rule for TLS needs a match");
            }
            for block in blocks.unwrap_or_default() {
                block.fields(|fields| {
                    read_match(fields);
                    let names = fields.required("sniHosts").map(|v| v.list());
                    if names.as_ref().is_some_and(Vec::is_empty) {
                        fields.value().problem("there is no SNI host");
                    }
                    for name in names.unwrap_or_default() {
                        check_sni(&name, hosts, sni);
                    }
                });
            }
            read_route(fields, lenient);
        });
    }
}

/// `tcp` of a VirtualService.
pub(super) fn read_tcp(value: &Value<'_>, lenient: bool) {
    for rule in value.list() {
        rule.fields(|fields| {
            for block in fields.get("match").map(|v| v.list()).unwrap_or_default() {
                block.fields(|fields| {
                    read_match(fields);
                    // Not looked at any further.
                    fields.get("sourceSubnet").and_then(|v| v.text());
                });
            }
            read_route(fields, lenient);
        });
    }
}

/// What the conditions of both have in common.
fn read_match(fields: &mut Fields<'_>) {
    let subnets = fields
        .get("destinationSubnets")
        .map(|v| v.list())
        .unwrap_or_default();
    for subnet in subnets {
        if subnet.text().is_some_and(|text| !is_subnet(&text)) {
            subnet.problem_with(
                "this is no address or range of addresses",
                "write 10.0.0.0/8 or 10.1.2.3",
            );
        }
    }
    if let Some(port) = fields.get("port") {
        port.optional_port();
    }
    fields.get("sourceLabels").map(|v| labels::read(&v));
    fields.get("sourceNamespace").and_then(|v| v.text());
    if let Some(gateways) = fields.get("gateways") {
        check_gateways(&gateways, None);
    }
}

fn read_route(fields: &mut Fields<'_>, lenient: bool) {
    let route = fields.get("route");
    let Some(route) = route.filter(|route| !route.list().is_empty()) else {
        fields
            .value()
            .problem("the rule leads nowhere: `route` is missing or empty");
        return;
    };
    for destination in route.list() {
        destination.fields(|fields| {
            fields
                .required("destination")
                .and_then(|v| read_target(&v, lenient));
            fields.get("weight").and_then(|v| v.count());
        });
    }
    check_weights(&route);
}

fn check_sni(value: &Value<'_>, hosts: &[Placed<String>], sni: bool) {
    let Some(name) = value.text() else { return };
    if name.parse::<IpAddr>().is_ok() {
        value.say(&warning::SNI_ADDRESS, format!("`{name}` is an address"), None);
    } else if !(host::is_valid(&name, false) || sni && host::is_sni_name(&name)) {
        value.problem(format!("`{name}` is not a host name"));
    } else if !hosts.iter().any(|host| host::covers(&host.value, &name)) {
        value.problem(format!("`{name}` is none of the hosts of this VirtualService"));
    }
}

/// `10.0.0.0/8` or an address alone, as Go reads it: without a `+` or leading zeros in the length.
fn is_subnet(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse::<IpAddr>().is_ok();
    };
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = length == "0" || !length.starts_with(['0', '+']);
    digits && length.parse::<u8>().is_ok_and(|length| length <= longest)
}

#[cfg(test)]
mod tests {
    use super::is_subnet;

    #[test]
    fn a_subnet_is_an_address_with_or_without_a_length() {
        for text in ["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::1", "0.0.0.0/0"] {
            assert!(is_subnet(text), "{text}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "a/8",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "1.2.3.4/8/9",
            "::/129",
        ] {
            assert!(!is_subnet(text), "{text}");
        }
    }
}
