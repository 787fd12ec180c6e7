//! `outlierDetection`: an endpoint that keeps failing gets no traffic for a while.

use std::time::Duration;

use crate::check::warning;
use crate::text::Value;

/// Passive health check: an endpoint that keeps failing gets no traffic for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlierDetection {
    /// 5xx in a row; 0 is off, default 5.
    pub consecutive_5xx: u32,
    /// 502, 503, 504 in a row; 0 (default) is off.
    pub consecutive_gateway: u32,
    /// `splitExternalLocalOriginErrors`: failures to connect, resets and timeouts in a row are counted by themselves,
    /// and this many (default 5, 0 is off) count. `None`: they count as 503 and 504.
    pub consecutive_local: Option<u32>,
    /// How often ejected endpoints are looked at; default 10 s.
    pub interval: Duration,
    /// Times the number of ejections; default 30 s.
    pub base_ejection_time: Duration,
    /// Of all endpoints of the cluster; default 10.
    pub max_ejection_percent: u32,
    /// Below this share of healthy endpoints all are used; default 0: never.
    pub min_health_percent: u32,
}

impl Default for OutlierDetection {
    fn default() -> Self {
        OutlierDetection {
            consecutive_5xx: 5,
            consecutive_gateway: 0,
            consecutive_local: None,
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_percent: 10,
            min_health_percent: 0,
        }
    }
}

pub(crate) fn read(value: &Value<'_>) -> Option<OutlierDetection> {
    value.fields(|fields| {
        let codes = fields.unsupported("outlierDetectionHttpErrorCodes");
        for code in codes.map(|v| v.list()).unwrap_or_default() {
            code.whole(100..=599);
        }
        let split = fields
            .get("splitExternalLocalOriginErrors")
            .and_then(|v| v.boolean());
        let default = OutlierDetection::default();
        if let Some(old) = fields.get("consecutiveErrors")
            && old.int32().is_some_and(|number| number != 0)
        {
            let advice = "write `consecutive5xxErrors` or `consecutiveGatewayErrors`".to_owned();
            old.warn(
                &warning::CONSECUTIVE_ERRORS,
                "istiod ignores this field",
                Some(advice),
            );
        }
        let mut number = |name| fields.get(name).and_then(|v| v.uint32());
        let consecutive_5xx = number("consecutive5xxErrors");
        let consecutive_gateway = number("consecutiveGatewayErrors");
        let local = number("consecutiveLocalOriginFailures");
        let mut percent = |name| fields.get(name).and_then(|v| read_percent(&v));
        // As istiod: 0 means absent.
        let max_ejection = percent("maxEjectionPercent").filter(|percent| *percent > 0);
        let min_health = percent("minHealthPercent");
        let interval = fields.get("interval").and_then(|v| v.duration());
        let base = fields.get("baseEjectionTime").and_then(|v| v.duration());
        let split = split == Some(true);
        if !split && local.is_some_and(|local| local > 0) {
            let message = "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true";
            fields.value().problem(message);
        }
        OutlierDetection {
            consecutive_5xx: consecutive_5xx.unwrap_or(default.consecutive_5xx),
            consecutive_gateway: consecutive_gateway.unwrap_or(default.consecutive_gateway),
            consecutive_local: split.then_some(local.unwrap_or(5)),
            interval: interval.unwrap_or(default.interval),
            base_ejection_time: base.unwrap_or(default.base_ejection_time),
            max_ejection_percent: max_ejection.unwrap_or(default.max_ejection_percent),
            min_health_percent: min_health.unwrap_or(default.min_health_percent),
        }
    })
}

fn read_percent(value: &Value<'_>) -> Option<u32> {
    let percent = value.int32()?;
    if !(0..=100).contains(&percent) {
        value.problem(format!("{percent} is not between 0 and 100"));
    }
    u32::try_from(percent).ok()
}
