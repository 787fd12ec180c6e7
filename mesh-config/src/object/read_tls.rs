//! Reading `tls` of a policy. Whatever it says, on loopback everything stays plain text. Source of the checks: istiod's
//! `ValidateTLS`.

use super::destination_rule::TlsMode;
use crate::text::Value;

/// Credentials in a ConfigMap.
const CONFIG_MAP: &str = "configmap://";

/// Reads `tls` of a DestinationRule of a namespace.
pub(super) fn read(value: &Value<'_>, namespace: &str) -> Option<TlsMode> {
    value.fields(|fields| {
        let modes = [
            ("DISABLE", TlsMode::Disable),
            ("ISTIO_MUTUAL", TlsMode::IstioMutual),
            ("SIMPLE", TlsMode::Simple),
            ("MUTUAL", TlsMode::Mutual),
        ];
        let mode = fields
            .get("mode")
            .and_then(|v| v.choice(&modes))
            .unwrap_or_default();
        let credential = fields
            .get("credentialName")
            .and_then(|v| read_credential(&v, namespace));
        let mut given = |name| {
            let text = fields.get(name).and_then(|v: Value<'_>| v.text());
            text.is_some_and(|text| !text.is_empty())
        };
        let written = Written {
            certificate: given("clientCertificate"),
            key: given("privateKey"),
            authorities: given("caCertificates"),
            revoked: given("caCrl"),
            credential: credential.is_some(),
            // Even an empty list counts.
            names: value.has("subjectAltNames"),
        };
        given("sni");
        fields.get("subjectAltNames").map(|v| v.texts());
        let unverified = fields.get("insecureSkipVerify").and_then(|v| v.boolean()) == Some(true);
        written.check(mode, unverified, &|message| value.problem(message));
        mode
    })
}

fn read_credential(value: &Value<'_>, namespace: &str) -> Option<String> {
    let name = value.text().filter(|name| !name.is_empty())?;
    if let Some(rest) = name.strip_prefix(CONFIG_MAP) {
        let mut parts = rest.split('/');
        let (of, map) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if map.is_empty() || of != namespace {
            let advice =
                format!("write `{CONFIG_MAP}{namespace}/NAME`: it has to be of the rule's namespace");
            value.problem_with(
                format!("`{name}` names no ConfigMap of the namespace {namespace}"),
                advice,
            );
        }
    }
    Some(name)
}

/// What is given, the empty text being nothing.
#[allow(clippy::struct_excessive_bools)] // one per field
struct Written {
    certificate: bool,
    key: bool,
    authorities: bool,
    revoked: bool,
    credential: bool,
    names: bool,
}

impl Written {
    fn check(&self, mode: TlsMode, unverified: bool, problem: &dyn Fn(&str)) {
        let verified = match mode {
            TlsMode::Simple => self.authorities || self.names || self.credential,
            TlsMode::Mutual => self.authorities || self.names,
            TlsMode::Disable | TlsMode::IstioMutual => false,
        };
        if unverified && verified {
            problem(
                "insecureSkipVerify excludes caCertificates, subjectAltNames and (with SIMPLE) credentialName",
            );
        }
        if matches!(mode, TlsMode::Simple | TlsMode::Mutual) && self.credential {
            if self.certificate || self.key || self.authorities || self.revoked {
                problem("credentialName excludes clientCertificate, privateKey, caCertificates and caCrl");
            }
        } else if mode == TlsMode::Mutual {
            if !self.certificate {
                problem("MUTUAL needs a clientCertificate");
            }
            if !self.key {
                problem("MUTUAL needs a privateKey");
            }
        }
    }
}
