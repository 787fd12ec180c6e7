//! Gateway.

use std::collections::BTreeMap;

use crate::problem::Placed;
use crate::text::Value;

/// `Gateway`: ports and hosts that the selected gateway pods serve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gateway {
    /// Labels of the gateway pods; empty selects all.
    pub selector: BTreeMap<String, String>,
    /// What they serve.
    pub servers: Vec<Server>,
}

/// One server of a Gateway.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Server {
    /// Listener port.
    pub port: u16,
    /// Name of the port.
    pub name: String,
    /// Whether it speaks plain HTTP; others are not served here.
    pub http: bool,
    /// `tls.httpsRedirect`: everything is answered with 301 to the same URL with `https`.
    pub https_redirect: bool,
    /// `host`, `namespace/host`, `./host`, `*/host`.
    pub hosts: Vec<Placed<String>>,
}

pub(crate) fn read(value: &Value<'_>) -> Option<Gateway> {
    value.fields(|fields| {
        let servers = fields.required("servers").map(|v| v.list()).unwrap_or_default();
        Gateway {
            selector: fields.get("selector").map(|v| v.text_map()).unwrap_or_default(),
            servers: servers.iter().filter_map(read_server).collect(),
        }
    })
}

fn read_server(value: &Value<'_>) -> Option<Server> {
    value.fields(|fields| {
        fields.accept(&["name"]);
        fields.not_supported(&["bind", "defaultEndpoint"]);
        let https_redirect = fields.get("tls").and_then(|v| read_https_redirect(&v));
        let port = fields.required("port").and_then(|v| read_port(&v));
        let hosts = fields
            .required("hosts")
            .map(|v| v.placed_texts())
            .unwrap_or_default();
        if hosts.is_empty() && fields.value().has("hosts") {
            fields.value().problem("a server needs a host");
        }
        Some(Server {
            hosts,
            https_redirect: https_redirect.unwrap_or(false),
            ..port?
        })
    })?
}

/// Of `tls`, the part that means something to a server of plain HTTP.
fn read_https_redirect(value: &Value<'_>) -> Option<bool> {
    value.fields(|fields| {
        fields.not_supported(&[
            "mode",
            "credentialName",
            "credentialNames",
            "serverCertificate",
            "privateKey",
            "caCertificates",
            "caCrl",
            "caCertCredentialName",
            "subjectAltNames",
            "verifyCertificateSpki",
            "verifyCertificateHash",
            "minProtocolVersion",
            "maxProtocolVersion",
            "cipherSuites",
            "tlsCertificates",
        ]);
        fields.get("httpsRedirect").and_then(|v| v.boolean())
    })?
}

fn read_port(value: &Value<'_>) -> Option<Server> {
    value.fields(|fields| {
        fields.accept(&["targetPort"]);
        let protocol = fields.required("protocol").and_then(|v| {
            let http = v.choice(&[
                ("HTTP", true),
                ("HTTP2", true),
                ("GRPC", true),
                ("GRPC-WEB", true),
                ("HTTPS", false),
                ("MONGO", false),
                ("TCP", false),
                ("TLS", false),
            ])?;
            if !http {
                v.not_supported();
            }
            Some(http)
        });
        Some(Server {
            port: fields.required("number").and_then(|v| v.port())?,
            name: fields.required("name").and_then(|v| v.text()).unwrap_or_default(),
            http: protocol?,
            https_redirect: false,
            hosts: Vec::new(),
        })
    })?
}
