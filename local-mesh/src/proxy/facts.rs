//! What the commands of header values (`%ROUTE_NAME%`) can tell of a request.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use http::HeaderValue;
use mesh_config::{Fact, Facts, ObjectKey, Role, RuleRef};

use super::listener::Connection;
use super::record::Record;

/// A request as far as it has come.
pub(super) struct Progress<'a> {
    pub(super) record: &'a Record,
    pub(super) connection: Connection,
    pub(super) role: Role,
    /// As the client sent it.
    pub(super) forwarded_for: Option<&'a HeaderValue>,
    pub(super) route_name: &'a str,
    /// Of the VirtualService, if the route is of one.
    pub(super) rule: Option<&'a RuleRef>,
}

impl Progress<'_> {
    /// A sidecar believes the last address of `x-forwarded-for`, which has no port.
    fn remote(&self) -> SocketAddr {
        let chain = self.forwarded_for.filter(|_| self.role == Role::Sidecar);
        let last = chain.and_then(|chain| chain.to_str().ok()?.rsplit(',').next());
        let address = last.and_then(|last| last.trim().parse::<IpAddr>().ok());
        address.map_or(self.connection.peer, |address| SocketAddr::new(address, 0))
    }

    fn started(&self) -> Option<jiff::Zoned> {
        let now = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
        now.checked_sub(self.record.duration()).ok()
    }
}

impl Facts for Progress<'_> {
    fn tell(&self, fact: &Fact, into: &mut Vec<u8>) {
        let record = self.record;
        let host = record.host.as_ref().map(|host| host.address());
        let answered = record.answered;
        let (local, direct) = (self.connection.local, self.connection.peer);
        // Writing to memory cannot fail.
        let _ = match fact {
            Fact::Protocol => write!(into, "HTTP/1.1"),
            Fact::ResponseCode => write!(into, "{}", answered.map_or(0, |answered| answered.status)),
            Fact::Status => write!(into, "{}", record.status),
            Fact::ResponseCodeDetails => write!(into, "{}", record.details),
            Fact::ResponseFlagsLong => write!(into, "{:#}", record.flags),
            Fact::ResponseFlags => write!(into, "{}", record.flags),
            Fact::RouteName => write!(into, "{}", self.route_name),
            Fact::UpstreamCluster => record.cluster.as_ref().map_or(Ok(()), |cluster| {
                // istiod gives clusters another name for statistics, which ends so.
                write!(into, "{};", cluster.spec().name)
            }),
            Fact::UpstreamClusterRaw => record
                .cluster
                .as_ref()
                .map_or(Ok(()), |cluster| write!(into, "{}", cluster.spec().name)),
            Fact::UpstreamHost => host.map_or(Ok(()), |host| write!(into, "{host}")),
            Fact::UpstreamAddress => host.map_or(Ok(()), |host| write!(into, "{}", host.ip())),
            Fact::UpstreamPort => host.map_or(Ok(()), |host| write!(into, "{}", host.port())),
            Fact::UpstreamAttempts => write!(into, "{}", record.attempts),
            Fact::UpstreamProtocol => answered.map_or(Ok(()), |answered| {
                into.write_all(if answered.http2 { b"HTTP/2" } else { b"HTTP/1.1" })
            }),
            Fact::UpstreamLocalAddress => {
                answered.map_or(Ok(()), |answered| write!(into, "{}", answered.local))
            }
            Fact::UpstreamLocalAddressAlone => {
                answered.map_or(Ok(()), |answered| write!(into, "{}", answered.local.ip()))
            }
            Fact::UpstreamLocalPort => {
                answered.map_or(Ok(()), |answered| write!(into, "{}", answered.local.port()))
            }
            Fact::RouteConfig => self.rule.map_or(Ok(()), |rule| {
                let ObjectKey { namespace, name, .. } = &rule.object;
                let kind = "/apis/networking.istio.io/v1/namespaces";
                write!(into, "{kind}/{namespace}/virtual-service/{name}")
            }),
            Fact::Duration => write!(into, "{}", record.duration().as_millis()),
            Fact::RemoteAddress => write!(into, "{}", self.remote()),
            Fact::RemoteAddressAlone => write!(into, "{}", self.remote().ip()),
            Fact::RemotePort => write!(into, "{}", self.remote().port()),
            Fact::DirectRemoteAddress => write!(into, "{direct}"),
            Fact::DirectRemoteAddressAlone => write!(into, "{}", direct.ip()),
            Fact::DirectRemotePort => write!(into, "{}", direct.port()),
            Fact::LocalAddress => write!(into, "{local}"),
            Fact::LocalAddressAlone => write!(into, "{}", local.ip()),
            Fact::LocalPort => write!(into, "{}", local.port()),
            Fact::StartTime(format) => self.started().map_or(Ok(()), |at| match format {
                Some(format) => write!(into, "{}", formatted(&at, format)),
                None => write!(into, "{:.3}", at.timestamp()),
            }),
            Fact::BytesReceived => write!(into, "{}", record.received()),
            Fact::BytesSent => write!(into, "0"),
        };
    }
}

/// By `strftime`, with Envoy's own signs for fractions of a second. A format that cannot be used says nothing.
fn formatted(at: &jiff::Zoned, format: &str) -> String {
    let format = format
        .replace("%E3S", "%S%.3f")
        .replace("%E6S", "%S%.6f")
        .replace("%E9S", "%S%.9f");
    jiff::fmt::strtime::format(format, at).unwrap_or_default()
}
