//! Reference values, computed with 60 digits and rounded to doubles.

use std::collections::BTreeMap;

use load_client::stats::{
    Detector, ErrorEvidence, FailOn, Gate, Runs, Split, Stream, Verdict, canary, change_point, heterogeneity,
    interval, ln_gamma,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    core: Vec<Core>,
    lgamma: Vec<Gamma>,
    running_p: RunningP,
    unattributed: Vec<Unattributed>,
    change_point: Change,
    noninferior: Vec<Noninferior>,
    runs_test: Vec<RunsCase>,
    heterogeneity: Vec<Table>,
    one_sided_gate: ErrorGate,
}

#[derive(Deserialize)]
struct Core {
    name: String,
    counts: Vec<u64>,
    theta0: Vec<f64>,
    leak: bool,
    log_lik_theta0: Option<f64>,
    log_slab: Option<f64>,
    log_marginal_spike_half: Option<f64>,
    log_e: Option<f64>,
    anytime_p: f64,
    cs: BTreeMap<String, Vec<Option<[f64; 2]>>>,
    verdict: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Gamma {
    x: f64,
    lgamma: f64,
}

#[derive(Deserialize)]
struct RunningP {
    theta0: Vec<f64>,
    looks: Vec<Look>,
}

#[derive(Deserialize)]
struct Look {
    cum_counts: Vec<u64>,
    log_e: f64,
    running_p: f64,
}

#[derive(Deserialize)]
struct Unattributed {
    counts: Vec<u64>,
    unattributed: u64,
    theta0: Vec<f64>,
    min_log_e: f64,
    cs_v2_alpha_001: [f64; 2],
}

#[derive(Deserialize)]
struct Change {
    seq: Vec<usize>,
    pre: Vec<f64>,
    post: Vec<f64>,
    tau_hat: usize,
    max_loglik_diff: f64,
    set_alpha_005: [usize; 2],
    #[serde(rename = "shiryaev_H")]
    horizon: u64,
    shiryaev_log_e: Vec<f64>,
    first_alarm_alpha_005: u64,
}

#[derive(Deserialize)]
struct Noninferior {
    v2_errors: u64,
    errors: u64,
    theta2: f64,
    margin_rr: f64,
    log_e: f64,
}

#[derive(Deserialize)]
#[allow(non_snake_case)]
struct RunsCase {
    name: String,
    seq: Vec<usize>,
    R: u64,
    E: f64,
    V: f64,
    z: f64,
}

#[derive(Deserialize)]
struct Table {
    name: String,
    table: Vec<Vec<u64>>,
    chi2: f64,
    df: f64,
    ratio: f64,
    p_upper: f64,
    p_lower: f64,
    icc: f64,
}

#[derive(Deserialize)]
struct ErrorGate {
    vectors: Vec<Errors>,
}

#[derive(Deserialize)]
struct Errors {
    v2_errors: u64,
    errors: u64,
    theta2: f64,
    log_e: f64,
}

fn vectors() -> Vectors {
    // `log_e` is infinite after a leak.
    let text = include_str!("../data/split-statistics-vectors.json").replace("\"inf\"", "null");
    serde_json::from_str(&text).unwrap()
}

/// To 1e-9, or to 1e-13 of a value that is itself large.
fn close(what: &str, got: f64, expected: f64) {
    let allowed = 1e-9 + 1e-13 * expected.abs();
    assert!(
        (got - expected).abs() <= allowed,
        "{what}: {got}, expected {expected}"
    );
}

#[test]
fn the_log_gamma_function_has_its_reference_values() {
    for Gamma { x, lgamma } in vectors().lgamma {
        let allowed = 1e-14 * lgamma.abs().max(1.0);
        assert!(
            (ln_gamma(x) - lgamma).abs() <= allowed,
            "{x}: {}, expected {lgamma}",
            ln_gamma(x)
        );
    }
}

#[test]
fn evidence_has_its_reference_values() {
    for case in vectors().core {
        let split = Split::new(&case.theta0).unwrap();
        let name = case.name;
        assert_eq!(split.leaked(&case.counts), case.leak, "{name}");
        if let (false, Some(log_e)) = (case.leak, case.log_e) {
            close(&name, split.log_e(&case.counts), log_e);
            close(
                &name,
                split.log_likelihood(&case.counts),
                case.log_lik_theta0.unwrap(),
            );
            close(&name, split.log_slab(&case.counts), case.log_slab.unwrap());
            close(
                &name,
                split.log_marginal(&case.counts),
                case.log_marginal_spike_half.unwrap(),
            );
        } else {
            assert_eq!(split.log_e(&case.counts), f64::INFINITY, "{name}");
        }
        let mut stream = Stream::with_counts(split, case.counts, 0);
        stream.look();
        assert!(
            (stream.p_value() - case.anytime_p).abs() <= 1e-8 * case.anytime_p.max(1e-12),
            "{name}"
        );
    }
}

#[test]
fn intervals_have_their_reference_values() {
    for case in vectors().core.iter().filter(|case| !case.leak) {
        let split = Split::new(&case.theta0).unwrap();
        for (alpha, expected) in &case.cs {
            let got = split.intervals(&case.counts, alpha.parse().unwrap());
            for (got, expected) in got.iter().zip(expected) {
                let [low, high] = expected.unwrap();
                let wrong = (got.low - low).abs().max((got.high - high).abs());
                assert!(
                    wrong <= 1e-9,
                    "{} at {alpha}: {got:?}, expected {expected:?}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn verdicts_have_their_reference_values() {
    for case in vectors().core {
        let split = Split::new(&case.theta0).unwrap();
        for (terms, expected) in &case.verdict {
            let (alpha, delta) = terms.split_once(',').unwrap();
            let alpha = alpha.strip_prefix("alpha=").unwrap().parse().unwrap();
            let delta = delta.strip_prefix("delta=").unwrap().parse().unwrap();
            let gate = Gate::new(alpha, delta, FailOn::AnyDeviation).unwrap();
            let finding = gate.look(&mut Stream::with_counts(split.clone(), case.counts.clone(), 0));
            let got = match (finding.verdict, finding.offset) {
                (Verdict::Confirmed, false) => "CONFIRMED",
                (Verdict::Confirmed, true) => "CONFIRMED_BUT_OFFSET",
                (Verdict::Violation, _) => "VIOLATION",
                (Verdict::Leak, _) => "VIOLATION_LEAK",
                (Verdict::Undecided, _) => "UNDECIDED",
            };
            assert_eq!(got, expected, "{} at {terms}", case.name);
        }
    }
}

#[test]
fn the_p_value_is_the_smallest_so_far() {
    let RunningP { theta0, looks } = vectors().running_p;
    let mut stream = Stream::new(Split::new(&theta0).unwrap());
    for look in looks {
        for (version, count) in look.cum_counts.iter().enumerate() {
            while stream.counts()[version] < *count {
                stream.record(version);
            }
        }
        close("log_e", stream.look(), look.log_e);
        assert!((stream.p_value() - look.running_p).abs() <= 1e-9);
    }
}

#[test]
fn unattributed_requests_count_as_whatever_is_possible() {
    for case in vectors().unattributed {
        let split = Split::new(&case.theta0).unwrap();
        let stream = Stream::with_counts(split, case.counts, case.unattributed);
        close("log_e", stream.log_e(), case.min_log_e);
        let interval = stream.intervals(0.001)[1];
        let [low, high] = case.cs_v2_alpha_001;
        assert!(
            (interval.low - low).abs().max((interval.high - high).abs()) <= 1e-9,
            "{interval:?}"
        );
    }
}

#[test]
fn a_change_is_dated_and_detected_as_in_the_reference() {
    let case = vectors().change_point;
    let (pre, post) = (Split::new(&case.pre).unwrap(), Split::new(&case.post).unwrap());
    let found = change_point(&case.seq, &pre, &post, 0.05);
    assert_eq!(
        (found.estimate, [found.first, found.last]),
        (case.tau_hat, case.set_alpha_005)
    );
    close("gain", found.gain, case.max_loglik_diff);

    // An alpha that is never reached shows every value; 0.05 shows the alarm.
    let mut values = Detector::new(&pre, &post, case.horizon, 1e-12);
    let mut detector = Detector::new(&pre, &post, case.horizon, 0.05);
    for (version, expected) in case.seq.iter().zip(&case.shiryaev_log_e) {
        values.observe(*version);
        close("shiryaev", values.e_value().ln(), *expected);
        detector.observe(*version);
    }
    assert_eq!(detector.seen(), case.first_alarm_alpha_005);
}

#[test]
fn a_tenth_of_a_percent_of_leak_is_excluded_by_6905_requests_and_not_by_6904() {
    assert!(interval::leak_bound(6905.0, 0.001) <= 0.001);
    assert!(interval::leak_bound(6904.0, 0.001) > 0.001);
}

#[test]
fn evidence_that_a_canary_is_not_much_worse_has_its_reference_values() {
    for case in vectors().noninferior {
        let got = canary::noninferior(case.v2_errors, case.errors, case.theta2, case.margin_rr);
        close(&format!("{} of {}", case.v2_errors, case.errors), got, case.log_e);
    }
}

#[test]
fn the_runs_test_has_its_reference_values() {
    for case in vectors().runs_test {
        let mut runs = Runs::default();
        case.seq.iter().for_each(|version| runs.record(*version));
        let got = runs.test().unwrap();
        assert_eq!(got.runs, case.R, "{}", case.name);
        close(&case.name, got.expected, case.E);
        close(&case.name, got.variance, case.V);
        close(&case.name, got.z, case.z);
    }
}

/// Probabilities to a billionth of themselves, however small.
#[test]
fn tables_have_their_reference_values() {
    for case in vectors().heterogeneity {
        let got = heterogeneity(&case.table).unwrap();
        close(&case.name, got.chi_square, case.chi2);
        close(&case.name, got.df, case.df);
        close(&case.name, got.ratio, case.ratio);
        close(&case.name, got.icc, case.icc);
        let relative = |got: f64, expected: f64| (got - expected).abs() <= 1e-9 * expected + 1e-80;
        assert!(
            relative(got.p_upper, case.p_upper),
            "{}: {}",
            case.name,
            got.p_upper
        );
        assert!(
            relative(got.p_lower, case.p_lower),
            "{}: {}",
            case.name,
            got.p_lower
        );
    }
}

#[test]
fn evidence_of_errors_has_its_reference_values_at_once_and_one_by_one() {
    for case in vectors().one_sided_gate.vectors {
        let mut at_once = ErrorEvidence::default();
        at_once.add(case.v2_errors, case.errors, case.theta2);
        close("at once", at_once.log_e(), case.log_e);
        let mut one_by_one = ErrorEvidence::default();
        for failure in 0..case.errors {
            one_by_one.add(u64::from(failure < case.v2_errors), 1, case.theta2);
        }
        close("one by one", one_by_one.log_e(), case.log_e);
    }
}
