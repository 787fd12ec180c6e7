"""Reference values where doubles are at their limits: writes edge-vectors.json. Needs mpmath; 60 digits."""
import json

from mpmath import exp, gammainc, log, loggamma as lgamma, mp, mpf

mp.dps = 60


def log_e(counts, theta):
    theta = [mpf(t) for t in theta]
    total = sum(theta)
    theta = [t / total for t in theta]
    active = [(n, t) for n, t in zip(counts, theta) if t > 0]
    n = sum(k for k, _ in active)
    likelihood = sum(k * log(t) for k, t in active)

    def marginal(c):
        return lgamma(c) - lgamma(c + n) + sum(lgamma(c * t + k) - lgamma(c * t) for k, t in active)

    slab = log(sum(exp(marginal(mpf(c)) - likelihood) for c in (10, 100, 1000, 10000)) / 4)
    return log((1 + exp(slab)) / 2), likelihood


def intervals(counts, theta, alpha):
    n = sum(counts)
    value, likelihood = log_e(counts, theta)
    level = value + likelihood + log(mpf(alpha))

    def g(k, t):
        rest = n - counts[k]
        others = sum(m * log(mpf(m) / rest) for j, m in enumerate(counts) if j != k and m)
        return (counts[k] * log(t) if counts[k] else 0) + (rest * log(1 - t) if rest else 0) + others - level

    def root(k, inside, outside):
        for _ in range(200):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if g(k, middle) > 0 else (inside, middle)
        return inside

    ends = []
    for k, count in enumerate(counts):
        peak = mpf(count) / n
        ends.append([0.0 if count == 0 else float(root(k, peak, mpf(0))), 1.0 if count == n else float(root(k, peak, mpf(1)))])
    return ends


CORE = [
    ([900_000_000, 100_000_000], [0.9, 0.1]),
    ([900_000_000_000, 100_000_000_000], [0.9, 0.1]),
    ([900_100_000, 99_900_000], [0.9, 0.1]),
    ([500_000_000, 500_000_000], [0.9, 0.1]),
    ([3, 0], [1e-9, 1.0]),
    ([1_000_000, 2], [1.0, 1e-6]),
    ([999_999, 1], [1.0, 1e-300]),
    ([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120], [1.0] * 12),
    ([5, 0, 3, 0, 1, 0, 0, 2], [0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.04, 0.01]),
    ([700, 150, 100, 50], [70, 15, 10, 5]),
    ([1, 0], [0.5, 0.5]),
    ([123_456_789, 98_765_432, 55_555_555], [0.45, 0.35, 0.2]),
]
TAILS = [(1, 1e-6), (1, 40.0), (3, 400.0), (63, 20.0), (63, 63.0), (999, 1200.0), (9999, 9700.0), (200_000, 201_500.0), (2, 1400.0)]
UNATTRIBUTED = [([80, 12, 6], 6, [0.8, 0.15, 0.05]), ([700, 0, 60], 9, [0.8, 0.15, 0.05]), ([9, 1], 12, [0.9, 0.1])]


def smallest(counts, unattributed, theta):
    def ways(left, cells):
        if cells == 1:
            yield [left]
            return
        for here in range(left + 1):
            for rest in ways(left - here, cells - 1):
                yield [here] + rest

    return min(log_e([a + b for a, b in zip(counts, way)], theta)[0] for way in ways(unattributed, len(counts)))


out = {
    "core": [
        {"counts": c, "weights": w, "log_e": float(log_e(c, w)[0]), "intervals": intervals(c, w, 0.001)} for c, w in CORE
    ],
    "tails": [
        {"df": df, "x": x, "upper": float(gammainc(mpf(df) / 2, mpf(x) / 2, regularized=True)),
         "lower": float(gammainc(mpf(df) / 2, 0, mpf(x) / 2, regularized=True))} for df, x in TAILS
    ],
    "unattributed": [
        {"counts": c, "unattributed": u, "weights": w, "log_e": float(smallest(c, u, w))} for c, u, w in UNATTRIBUTED
    ],
}
with open("edge-vectors.json", "w") as file:
    json.dump(out, file, indent=1)
    file.write("\n")
