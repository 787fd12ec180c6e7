//! The commands of Envoy's formatter (`substitution_formatter`, `http_specific_formatter`, `stream_info_formatter`).

/// A command between two percent signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// A header of the request, or the second one if the first is missing.
    Request(Vec<String>),
    /// A header of the response, likewise.
    Response(Vec<String>),
    /// The first parameter of the query with this name, as written.
    Query(String),
    /// The whole query.
    WholeQuery,
    /// The path.
    Path(PathForm),
    /// The same for every request.
    Fixed(&'static str),
    /// Something that the proxy knows.
    Fact(Fact),
    /// A command of Envoy's that has no value here: certificates, metadata, what is known only at the end.
    Unknown,
}

/// What `%PATH(...)%` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathForm {
    pub(crate) query: bool,
    pub(crate) version: PathVersion,
}

/// The path before or after a rewrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathVersion {
    /// What `x-envoy-original-path` says, if anything.
    Original,
    Current,
    /// The original one if there is one.
    Either,
}

/// What a proxy knows of a request besides its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// `HTTP/1.1`.
    Protocol,
    /// Status of the endpoint's answer, 0 before there is one; also 0 on the proxy's own answers.
    ResponseCode,
    /// Status of the answer that the client gets, 0 before there is one.
    Status,
    /// As in the access log.
    ResponseCodeDetails,
    /// As in the access log, `-` for none.
    ResponseFlags,
    /// In words.
    ResponseFlagsLong,
    /// As in the access log.
    RouteName,
    /// The cluster that was chosen, by the name that its statistics have.
    UpstreamCluster,
    /// The cluster that was chosen, by its own name.
    UpstreamClusterRaw,
    /// The endpoint's address and port.
    UpstreamHost,
    /// Its address alone.
    UpstreamAddress,
    /// Its port alone.
    UpstreamPort,
    /// The number of the try.
    UpstreamAttempts,
    /// What the endpoint answered in: `HTTP/1.1` or `HTTP/2`.
    UpstreamProtocol,
    /// The proxy's address and port towards the endpoint that answered.
    UpstreamLocalAddress,
    /// Without the port.
    UpstreamLocalAddressAlone,
    /// The port alone.
    UpstreamLocalPort,
    /// The VirtualService, as the path of an object in the API server.
    RouteConfig,
    /// Milliseconds since the request came.
    Duration,
    /// The client's address and port: the last one of `x-forwarded-for` with port 0, else that of the connection.
    RemoteAddress,
    /// Without the port.
    RemoteAddressAlone,
    /// The port alone.
    RemotePort,
    /// Address and port of the connection, whatever `x-forwarded-for` says.
    DirectRemoteAddress,
    /// Without the port.
    DirectRemoteAddressAlone,
    /// The port alone.
    DirectRemotePort,
    /// The proxy's address and port.
    LocalAddress,
    /// Without the port.
    LocalAddressAlone,
    /// The port alone.
    LocalPort,
    /// When the request came; with a format of `strftime`, else RFC 3339 with milliseconds.
    StartTime(Option<String>),
    /// Bytes of the request's body that came so far.
    BytesReceived,
    /// Bytes of the response's body that went so far: none, where headers are made.
    BytesSent,
}

/// Commands without arguments.
const FACTS: [(&str, Fact); 39] = [
    ("PROTOCOL", Fact::Protocol),
    ("RESPONSE_CODE", Fact::ResponseCode),
    ("RESPONSE_CODE_DETAILS", Fact::ResponseCodeDetails),
    ("RESPONSE_FLAGS", Fact::ResponseFlags),
    ("RESPONSE_FLAGS_LONG", Fact::ResponseFlagsLong),
    ("ROUTE_NAME", Fact::RouteName),
    ("UPSTREAM_CLUSTER", Fact::UpstreamCluster),
    ("UPSTREAM_CLUSTER_RAW", Fact::UpstreamClusterRaw),
    ("UPSTREAM_HOST", Fact::UpstreamHost),
    ("UPSTREAM_HOST_NAME", Fact::UpstreamHost),
    ("UPSTREAM_HOST_NAME_WITHOUT_PORT", Fact::UpstreamAddress),
    ("UPSTREAM_REMOTE_ADDRESS", Fact::UpstreamHost),
    ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Fact::UpstreamAddress),
    ("UPSTREAM_REMOTE_PORT", Fact::UpstreamPort),
    ("UPSTREAM_REQUEST_ATTEMPT_COUNT", Fact::UpstreamAttempts),
    ("UPSTREAM_HOSTS_ATTEMPTED", Fact::UpstreamHost),
    ("UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", Fact::UpstreamAddress),
    ("UPSTREAM_HOST_NAMES_ATTEMPTED", Fact::UpstreamHost),
    ("UPSTREAM_PROTOCOL", Fact::UpstreamProtocol),
    ("UPSTREAM_LOCAL_ADDRESS", Fact::UpstreamLocalAddress),
    (
        "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
        Fact::UpstreamLocalAddressAlone,
    ),
    ("UPSTREAM_LOCAL_PORT", Fact::UpstreamLocalPort),
    ("DURATION", Fact::Duration),
    ("DOWNSTREAM_REMOTE_ADDRESS", Fact::RemoteAddress),
    ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Fact::RemoteAddressAlone),
    ("DOWNSTREAM_REMOTE_PORT", Fact::RemotePort),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Fact::DirectRemoteAddress),
    (
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
        Fact::DirectRemoteAddressAlone,
    ),
    ("DOWNSTREAM_DIRECT_REMOTE_PORT", Fact::DirectRemotePort),
    ("DOWNSTREAM_LOCAL_ADDRESS", Fact::LocalAddress),
    ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Fact::LocalAddressAlone),
    ("DOWNSTREAM_LOCAL_PORT", Fact::LocalPort),
    ("DOWNSTREAM_DIRECT_LOCAL_ADDRESS", Fact::LocalAddress),
    (
        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT",
        Fact::LocalAddressAlone,
    ),
    ("DOWNSTREAM_DIRECT_LOCAL_PORT", Fact::LocalPort),
    ("BYTES_RECEIVED", Fact::BytesReceived),
    ("BYTES_SENT", Fact::BytesSent),
    ("START_TIME", Fact::StartTime(None)),
    ("START_TIME_LOCAL", Fact::StartTime(None)),
];

/// Commands whose value is always the same where headers are made.
const FIXED: [(&str, &str); 7] = [
    ("ACCESS_LOG_TYPE", "NotSet"),
    ("BYTES_RETRANSMITTED", "0"),
    ("DOWNSTREAM_DETECTED_CLOSE_TYPE", "Normal"),
    ("DOWNSTREAM_HEADER_BYTES_SENT", "0"),
    ("DOWNSTREAM_WIRE_BYTES_SENT", "0"),
    ("PACKETS_RETRANSMITTED", "0"),
    ("RESPONSE_TRAILERS_BYTES", "0"),
];

/// Commands of Envoy's without arguments that have no value here, or none yet where headers are made.
const UNKNOWN: &[&str] = &[
    "CONNECTION_ID",
    "CONNECTION_TERMINATION_DETAILS",
    "CUSTOM_FLAGS",
    "DOWNSTREAM_HANDSHAKE_DURATION",
    "DOWNSTREAM_HEADER_BYTES_RECEIVED",
    "DOWNSTREAM_LOCAL_CLOSE_REASON",
    "DOWNSTREAM_LOCAL_DNS_SAN",
    "DOWNSTREAM_LOCAL_EMAIL_SAN",
    "DOWNSTREAM_LOCAL_IP_SAN",
    "DOWNSTREAM_LOCAL_SUBJECT",
    "DOWNSTREAM_LOCAL_URI_SAN",
    "DOWNSTREAM_PEER_CERT",
    "DOWNSTREAM_PEER_CERT_V_END",
    "DOWNSTREAM_PEER_CERT_V_START",
    "DOWNSTREAM_PEER_DNS_SAN",
    "DOWNSTREAM_PEER_EMAIL_SAN",
    "DOWNSTREAM_PEER_FINGERPRINT_1",
    "DOWNSTREAM_PEER_FINGERPRINT_256",
    "DOWNSTREAM_PEER_IP_SAN",
    "DOWNSTREAM_PEER_ISSUER",
    "DOWNSTREAM_PEER_SERIAL",
    "DOWNSTREAM_PEER_SUBJECT",
    "DOWNSTREAM_PEER_URI_SAN",
    "DOWNSTREAM_TLS_CIPHER",
    "DOWNSTREAM_TLS_SESSION_ID",
    "DOWNSTREAM_TLS_VERSION",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    "DOWNSTREAM_WIRE_BYTES_RECEIVED",
    "FILTER_CHAIN_NAME",
    "HOSTNAME",
    "LOCAL_REPLY_BODY",
    "REQUESTED_SERVER_NAME",
    "REQUEST_DURATION",
    "REQUEST_HEADERS_BYTES",
    "REQUEST_TX_DURATION",
    "RESPONSE_DURATION",
    "RESPONSE_HEADERS_BYTES",
    "RESPONSE_TX_DURATION",
    "ROUNDTRIP_DURATION",
    "SPAN_ID",
    "STREAM_ID",
    "TLS_JA3_FINGERPRINT",
    "TLS_JA4_FINGERPRINT",
    "TRACE_ID",
    "UNIQUE_ID",
    "UPSTREAM_CONNECTION_ID",
    "UPSTREAM_CONNECTION_IDS_ATTEMPTED",
    "UPSTREAM_CONNECTION_POOL_READY_DURATION",
    "UPSTREAM_DETECTED_CLOSE_TYPE",
    "UPSTREAM_HEADER_BYTES_RECEIVED",
    "UPSTREAM_HEADER_BYTES_SENT",
    "UPSTREAM_LOCAL_CLOSE_REASON",
    "UPSTREAM_PEER_CERT",
    "UPSTREAM_PEER_CERT_V_END",
    "UPSTREAM_PEER_CERT_V_START",
    "UPSTREAM_PEER_ISSUER",
    "UPSTREAM_PEER_SUBJECT",
    "UPSTREAM_TLS_CIPHER",
    "UPSTREAM_TLS_SESSION_ID",
    "UPSTREAM_TLS_VERSION",
    "UPSTREAM_TRANSPORT_FAILURE_REASON",
    "UPSTREAM_WIRE_BYTES_RECEIVED",
    "UPSTREAM_WIRE_BYTES_SENT",
    "VIRTUAL_CLUSTER_NAME",
];

/// Commands of Envoy's with arguments that have no value here.
const UNKNOWN_WITH_ARGUMENTS: &[&str] = &[
    "CLUSTER_METADATA",
    "COMMON_DURATION",
    "DOWNSTREAM_PEER_CERT_V_END",
    "DOWNSTREAM_PEER_CERT_V_START",
    "DYNAMIC_METADATA",
    "EMIT_TIME",
    "FILTER_STATE",
    "GRPC_STATUS",
    "METADATA",
    "PER_REQUEST_STATE",
    "TRAILER",
    "UPSTREAM_FILTER_STATE",
    "UPSTREAM_METADATA",
    "UPSTREAM_PEER_CERT_V_END",
    "UPSTREAM_PEER_CERT_V_START",
];

/// Reads what stands between two percent signs.
///
/// # Errors
/// Why Envoy refuses it.
pub(crate) fn parse(text: &str) -> Result<Command, String> {
    let (name, argument) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')').unwrap_or(rest))),
        None => (text, None),
    };
    match (name, argument) {
        ("REQ", Some(names)) => headers(text, names).map(Command::Request),
        ("RESP", Some(names)) => headers(text, names).map(Command::Response),
        ("QUERY_PARAMS", None) => Ok(Command::WholeQuery),
        ("PATH", form) => path_form(form.unwrap_or_default()).map(Command::Path),
        // A proxy here has no variables that anybody would ask for.
        ("ENVIRONMENT", Some(_)) => Ok(Command::Fixed("-")),
        ("METADATA", Some("ROUTE:istio:config")) => Ok(Command::Fact(Fact::RouteConfig)),
        ("QUERY_PARAM", Some(name)) => Ok(Command::Query(name.to_owned())),
        ("START_TIME" | "START_TIME_LOCAL", Some(format)) => {
            Ok(Command::Fact(Fact::StartTime(Some(format.to_owned()))))
        }
        ("EMIT_TIME" | "GRPC_STATUS" | "GRPC_STATUS_NUMBER", None) => Ok(Command::Unknown),
        (_, Some(_)) if UNKNOWN_WITH_ARGUMENTS.contains(&name) => Ok(Command::Unknown),
        (_, Some(_)) if is_fact(name) => Err(format!("`%{name}%` takes no arguments")),
        (_, None) if UNKNOWN.contains(&name) => Ok(Command::Unknown),
        (_, None) if fixed(name).is_some() => Ok(Command::Fixed(fixed(name).unwrap_or_default())),
        (_, None) => {
            let fact = FACTS.iter().find(|(known, _)| *known == name);
            fact.map(|(_, fact)| Command::Fact(fact.clone()))
                .ok_or_else(|| format!("Envoy has no command `%{text}%`"))
        }
        _ => Err(format!("Envoy has no command `%{text}%`")),
    }
}

fn fixed(name: &str) -> Option<&'static str> {
    let mut known = FIXED.iter();
    known.find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// `WQ` with the query, `NQ` without it; then which path.
fn path_form(text: &str) -> Result<PathForm, String> {
    let (query, version) = text.split_once(':').unwrap_or((text, ""));
    let query = match query {
        "" | "WQ" => true,
        "NQ" => false,
        other => return Err(format!("`%PATH(...)%` begins with WQ or NQ, not `{other}`")),
    };
    let version = match version {
        "" | "ORIG_OR_PATH" => PathVersion::Either,
        "ORIG" => PathVersion::Original,
        "PATH" => PathVersion::Current,
        other => {
            return Err(format!(
                "`%PATH(...)%` knows ORIG, PATH and ORIG_OR_PATH, not `{other}`"
            ));
        }
    };
    Ok(PathForm { query, version })
}

fn is_fact(name: &str) -> bool {
    UNKNOWN.contains(&name) || fixed(name).is_some() || FACTS.iter().any(|(known, _)| *known == name)
}

/// One name, or two with a question mark between them.
fn headers(command: &str, names: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = names.split('?').map(str::to_ascii_lowercase).collect();
    if names.len() > 2 {
        return Err(format!("`%{command}%` names more than one alternative"));
    }
    Ok(names)
}
