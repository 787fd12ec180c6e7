//! Logarithms of the gamma function and of sums.

/// `½ ln 2π`.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;
/// From here on Stirling's series to `x^-13` is exact to the last bits.
const LARGE: f64 = 15.0;

/// `ln Γ(x)` for `x > 0`: recurrence up to 15, then Stirling's series to `x^-13`. Relative error about 5e-15.
///
/// The standard library's `f64::ln_gamma` is not stable.
pub fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < LARGE {
        shift -= x.ln();
        x += 1.0;
    }
    (x - 0.5) * x.ln() - x + HALF_LN_TAU + stirling(x) + shift
}

/// What Stirling's formula lacks: `ln Γ(x) - [(x-½) ln x - x + ½ ln 2π]`, for `x >= 15`.
fn stirling(x: f64) -> f64 {
    let r = 1.0 / (x * x);
    let tail = 1.0 / 1188.0 - r * (691.0 / 360_360.0 - r / 156.0);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r * tail)))) / x
}

/// `ln Γ(a + m) - m ln m + m`, for `a > 0` and `m >= 0`.
///
/// In a Dirichlet marginal the terms `m ln m` sum to the likelihood at the observed shares. Without them what is left
/// grows as `a ln m`, so that nothing cancels at a billion counts, where `ln Γ` itself has an ulp of 4e-6.
pub(super) fn ln_gamma_beyond(a: f64, m: f64) -> f64 {
    if m == 0.0 {
        return ln_gamma(a);
    }
    let x = a + m;
    if x < LARGE {
        return ln_gamma(x) - m * m.ln() + m;
    }
    // m ln((a+m)/m) is a sum of two large terms when a is the larger one.
    let growth = if a < m {
        m * (a / m).ln_1p()
    } else {
        m * (x / m).ln()
    };
    growth + (a - 0.5) * x.ln() - a + HALF_LN_TAU + stirling(x)
}

/// Upper tail of the chi-square distribution with `df` degrees of freedom.
pub fn chi_square_upper(df: f64, x: f64) -> f64 {
    tails(df / 2.0, x / 2.0).1
}

/// Lower tail of the chi-square distribution with `df` degrees of freedom.
pub fn chi_square_lower(df: f64, x: f64) -> f64 {
    tails(df / 2.0, x / 2.0).0
}

/// The regularised incomplete gamma functions `P(a, x)` and `Q(a, x)`: whichever is the smaller one is computed, so
/// that a tail of 1e-23 has as many digits as one of 0.1 (series below `a + 1`, Lentz's continued fraction above;
/// Press et al., Numerical Recipes, 6.2).
fn tails(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 || a.is_nan() || x.is_nan() {
        return (0.0, 1.0);
    }
    if x.is_infinite() {
        return (1.0, 0.0);
    }
    let density = ln_density(a, x).exp();
    if x < a + 1.0 {
        let lower = (density * series(a, x)).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (density * fraction(a, x)).min(1.0);
        (1.0 - upper, upper)
    }
}

/// `a ln x - x - ln Γ(a)`.
fn ln_density(a: f64, x: f64) -> f64 {
    if a < LARGE {
        return a * x.ln() - x - ln_gamma(a);
    }
    let away = (x - a) / a;
    let bulk = if away.abs() < 0.5 {
        away.ln_1p() - away
    } else {
        (x / a).ln() - away
    };
    a * bulk + 0.5 * a.ln() - HALF_LN_TAU - stirling(a)
}

/// More steps than any table of a load test needs: about the square root of its degrees of freedom.
const STEPS: u32 = 100_000;

fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
    for _ in 0..STEPS {
        k += 1.0;
        term *= x / k;
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    sum
}

fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / nonzero(b);
    let mut value = d;
    for step in 1..STEPS {
        let i = f64::from(step);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b);
        c = nonzero(b + an / c);
        value *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// `ln Σ exp(term)`, shifted by the largest term so that nothing overflows.
pub(super) fn log_sum_exp(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()
}
