//! `outlierDetection`.

use std::time::Duration;

use mesh_config::OutlierDetection;

use super::of_subset;

#[test]
fn outlier_detection_has_istios_defaults_and_a_share_of_zero_is_none_given() {
    let outlier = |fields: &str| {
        of_subset(&format!("outlierDetection: {{{fields}}}"), "")
            .outlier
            .unwrap()
    };
    let default = OutlierDetection {
        consecutive_5xx: 5,
        consecutive_gateway: 0,
        consecutive_local: None,
        interval: Duration::from_secs(10),
        base_ejection_time: Duration::from_secs(30),
        max_ejection_percent: 10,
        min_health_percent: 0,
    };
    assert_eq!(outlier(""), default);
    assert_eq!(outlier("maxEjectionPercent: 0, consecutiveErrors: 1"), default);
    let given = "consecutive5xxErrors: 0, consecutiveGatewayErrors: 2, interval: 1s, baseEjectionTime: 3s, maxEjectionPercent: 100, minHealthPercent: 40, splitExternalLocalOriginErrors: true";
    let expected = OutlierDetection {
        consecutive_5xx: 0,
        consecutive_gateway: 2,
        consecutive_local: Some(5),
        interval: Duration::from_secs(1),
        base_ejection_time: Duration::from_secs(3),
        max_ejection_percent: 100,
        min_health_percent: 40,
    };
    assert_eq!(outlier(given), expected);
}
