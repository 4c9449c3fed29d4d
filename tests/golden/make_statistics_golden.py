"""What SciPy and statsmodels say of samples, for tests/framework/comparing/statistics_test.cpp.

    python make_statistics_golden.py         writes statistics.json beside this file
"""
import json, pathlib
import numpy, scipy, statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

random = numpy.random.default_rng(0)


def sample(mean, deviation, n):
    return random.normal(mean, deviation, n).tolist()


def bounds(interval):
    return [float(interval[0]), float(interval[1])]


def spread(values):
    mean, error = numpy.mean(values), stats.sem(values)
    interval = stats.t.interval(0.95, len(values) - 1, mean, error)
    return {"values": values, "mean": float(mean), "deviation": float(numpy.std(values, ddof=1)),
            "interval": bounds(interval)}


def difference(a, b, test):
    return {"a": a, "b": b, "mean": float(numpy.mean(b) - numpy.mean(a)), "p": float(test.pvalue),
            "interval": bounds(test.confidence_interval(0.95))}


def paired(a, b):
    return difference(a, b, stats.ttest_rel(b, a))


def welch(a, b):
    return difference(a, b, stats.ttest_ind(b, a, equal_var=False))


def related(a, shift, deviation):
    return (numpy.array(a) + random.normal(shift, deviation, len(a))).tolist()


def holm(p):
    pairs = len(p) * (len(p) + 1) // 2  # of as many groups and the one that they are compared with
    all_pairs = multipletests(p + [1.0] * (pairs - len(p)), method="holm")[1]
    return {"p": p, "corrected": multipletests(p, method="holm")[1].tolist(), "all_pairs": all_pairs[:len(p)].tolist()}


base = sample(0.87, 0.01, 10)
spreads = [sample(0.87, 0.01, n) for n in (2, 3, 5, 10, 1000)] + [[1e6, 1e6 + 1, 1e6 + 3], [-1.0, 2.0, 2.0]]
pairs = [(base[:n], related(base[:n], shift, 0.005)) for n in (2, 3, 10) for shift in (0, 0.012, -0.3)]
samples = [(sample(0.87, s, n), sample(0.88, t, m)) for n, s, m, t in
           ((2, 0.01, 2, 0.01), (3, 0.01, 10, 0.05), (10, 0.01, 12, 0.01), (200, 1e-6, 5, 100.0), (5, 1e-3, 5, 1e-6))]
samples.append(([0.5, 0.5, 0.5], [0.5, 0.6, 0.7]))
p_values = [[0.03], [0.01, 0.04, 0.03, 0.005], [0.5, 0.6, 0.9], [0.02, 0.02, 1e-30, 1.0, 0.02], [0.0, 0.05]]

golden = {
    "scipy": scipy.__version__,
    "statsmodels": statsmodels.__version__,
    "spread": [spread(values) for values in spreads],
    "paired": [paired(a, b) for a, b in pairs],
    "welch": [welch(a, b) for a, b in samples],
    "holm": [holm(p) for p in p_values],
}
path = pathlib.Path(__file__).parent / "statistics.json"
path.write_text(json.dumps(golden) + "\n")
