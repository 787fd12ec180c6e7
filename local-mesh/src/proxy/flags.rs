//! Envoy's response flags: why a proxy answered as it did, in the words of its access log.

use std::fmt;

/// One response flag. The names are those of Envoy's access log command `%RESPONSE_FLAGS%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Flag {
    /// A fault delayed the request.
    DelayInjected,
    /// A fault ended the request.
    FaultInjected,
    /// No route matched.
    NoRoute,
    /// The route's cluster does not exist.
    NoCluster,
    /// The cluster has no healthy endpoint.
    NoHealthyUpstream,
    /// The connection to the endpoint failed.
    UpstreamConnectionFailure,
    /// The endpoint closed the connection before it answered.
    UpstreamConnectionTermination,
    /// The endpoint reset the stream of the request.
    UpstreamRemoteReset,
    /// A limit of the connection pool was reached.
    UpstreamOverflow,
    /// The endpoint's answer was not HTTP.
    UpstreamProtocolError,
    /// The route's or the try's timeout passed.
    UpstreamRequestTimeout,
    /// The allowed retries were used up.
    RetryLimitExceeded,
    /// The client left before the answer was complete.
    DownstreamConnectionTermination,
    /// The client's request was not acceptable HTTP.
    DownstreamProtocolError,
}

impl Flag {
    /// The short form that access logs use, such as `UH`.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::DelayInjected => "DI",
            Self::FaultInjected => "FI",
            Self::NoRoute => "NR",
            Self::NoCluster => "NC",
            Self::NoHealthyUpstream => "UH",
            Self::UpstreamConnectionFailure => "UF",
            Self::UpstreamConnectionTermination => "UC",
            Self::UpstreamRemoteReset => "UR",
            Self::UpstreamOverflow => "UO",
            Self::UpstreamProtocolError => "UPE",
            Self::UpstreamRequestTimeout => "UT",
            Self::RetryLimitExceeded => "URX",
            Self::DownstreamConnectionTermination => "DC",
            Self::DownstreamProtocolError => "DPE",
        }
    }

    /// The long form, as in Envoy's `%RESPONSE_FLAGS_LONG%`.
    fn name(self) -> &'static str {
        match self {
            Self::DelayInjected => "DelayInjected",
            Self::FaultInjected => "FaultInjected",
            Self::NoRoute => "NoRouteFound",
            Self::NoCluster => "NoClusterFound",
            Self::NoHealthyUpstream => "NoHealthyUpstream",
            Self::UpstreamConnectionFailure => "UpstreamConnectionFailure",
            Self::UpstreamConnectionTermination => "UpstreamConnectionTermination",
            Self::UpstreamRemoteReset => "UpstreamRemoteReset",
            Self::UpstreamOverflow => "UpstreamOverflow",
            Self::UpstreamProtocolError => "UpstreamProtocolError",
            Self::UpstreamRequestTimeout => "UpstreamRequestTimeout",
            Self::RetryLimitExceeded => "UpstreamRetryLimitExceeded",
            Self::DownstreamConnectionTermination => "DownstreamConnectionTermination",
            Self::DownstreamProtocolError => "DownstreamProtocolError",
        }
    }
}

/// The flags of one request in the order they were set, which is the order Envoy prints them in (`URX,UF`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Flags {
    set: [Option<Flag>; 4],
}

impl Flags {
    /// No flag: prints as `-`.
    pub(super) const NONE: Self = Self { set: [None; 4] };

    /// Just this flag.
    pub(super) fn of(flag: Flag) -> Self {
        Self {
            set: [Some(flag), None, None, None],
        }
    }

    /// Appends a flag; one that is there already stays where it is.
    pub(super) fn add(&mut self, flag: Flag) {
        if self.set.contains(&Some(flag)) {
            return;
        }
        if let Some(free) = self.set.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(flag);
        }
    }

    /// These flags followed by those of `other`.
    pub(super) fn then(mut self, other: Self) -> Self {
        other.set.iter().flatten().for_each(|flag| self.add(*flag));
        self
    }
}

impl fmt::Display for Flags {
    /// With commas; `{:#}` in words, as in `%RESPONSE_FLAGS_LONG%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if f.alternate() { Flag::name } else { Flag::code };
        let mut flags = self.set.into_iter().flatten();
        match flags.next() {
            None => f.write_str("-"),
            Some(first) => {
                f.write_str(word(first))?;
                flags.try_for_each(|flag| write!(f, ",{}", word(flag)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_in_the_order_they_were_set() {
        let flags = Flags::of(Flag::RetryLimitExceeded).then(Flags::of(Flag::UpstreamConnectionFailure));
        assert_eq!(flags.to_string(), "URX,UF");
        assert_eq!(
            format!("{flags:#}"),
            "UpstreamRetryLimitExceeded,UpstreamConnectionFailure"
        );
        assert_eq!(Flags::NONE.to_string(), "-");
    }

    #[test]
    fn a_flag_is_set_once() {
        let mut flags = Flags::of(Flag::NoRoute);
        flags.add(Flag::NoRoute);
        assert_eq!(flags.to_string(), "NR");
    }
}
