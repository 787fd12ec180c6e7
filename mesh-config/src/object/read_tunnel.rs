//! Reading `tunnel` and `proxyProtocol` of a policy: they are judged, but not acted on yet. Source of the checks:
//! istiod's `validateTunnelSettings`.

use std::net::IpAddr;

use crate::host;
use crate::text::{Fields, Value};

/// Reads both fields of a `trafficPolicy`.
pub(super) fn read(fields: &mut Fields<'_>) {
    let (tunnel, protocol) = (fields.unsupported("tunnel"), fields.unsupported("proxyProtocol"));
    if let Some(tunnel) = &tunnel {
        read_tunnel(tunnel);
    }
    if let Some(protocol) = &protocol {
        protocol.fields(|fields| {
            fields
                .get("version")
                .and_then(|v| v.choice(&[("V1", ()), ("V2", ())]))
        });
    }
    if let (Some(_), Some(protocol)) = (tunnel, protocol) {
        protocol.problem("tunnel and proxyProtocol exclude each other");
    }
}

fn read_tunnel(value: &Value<'_>) {
    value.fields(|fields| {
        fields
            .get("protocol")
            .and_then(|v| v.word(&[("CONNECT", ()), ("POST", ()), ("", ())]));
        fields.required("targetPort").and_then(|v| v.istio_port());
        if let Some(target) = fields.required("targetHost")
            && let Some(host) = target.text()
            && !host::is_plain(&host)
            && host.parse::<IpAddr>().is_err()
        {
            target.problem(format!("`{host}` is neither a host name nor an address"));
        }
    });
}
