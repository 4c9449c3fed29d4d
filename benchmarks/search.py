"""Compares sweep.method=tpe with Optuna's multivariate TPE on functions whose smallest value is known.

    ninja -C build/release suggest
    pip install optuna==5.0.0
    python benchmarks/search.py build/release/suggest [--seeds 50] [--trials 100]

Prints, of each function, the median over the seeds of the regret: the best value after all trials,
minus the smallest that there is. Both samplers draw their first ten trials by chance, each by its
own generator, with the same seeds.
"""
import argparse
import json
import math
import statistics
import subprocess
from concurrent.futures import ProcessPoolExecutor


def branin(p):
    x, y = p["x"], p["y"]
    b, c, r, s, t = 5.1 / (4 * math.pi**2), 5 / math.pi, 6, 10, 1 / (8 * math.pi)
    return (y - b * x**2 + c * x - r) ** 2 + s * (1 - t) * math.cos(x) + s


HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]


def hartmann6(p):
    x = [p[f"x{i}"] for i in range(6)]
    return -sum(
        alpha * math.exp(-sum(a * (v - 1e-4 * c) ** 2 for a, c, v in zip(row, centre, x)))
        for alpha, row, centre in zip([1.0, 1.2, 3.0, 3.2], HARTMANN_A, HARTMANN_P))


# As a network's training might answer: a rate by orders of magnitude that depends on the kind of
# optimizer, a share, and a number of layers.
MIXED_BEST = {"sgd": -1.0, "adam": -3.0, "lion": -4.0, "rprop": -2.0}
MIXED_BASE = {"sgd": 0.1, "adam": 0.0, "lion": 0.05, "rprop": 0.4}


def mixed(p):
    rate = math.log10(p["rate"]) - MIXED_BEST[p["kind"]] + 0.1 * (p["layers"] - 5)
    return (MIXED_BASE[p["kind"]] + 0.3 * rate**2 + 2 * (p["share"] - 0.3) ** 2 + 0.02 * abs(p["layers"] - 7)
            + 0.1 * (1 - math.cos(6 * (p["share"] - 0.3))))


def smallest_mixed():
    return min(mixed({"rate": 10 ** (MIXED_BEST[kind] - 0.1 * (layers - 5)), "share": 0.3, "layers": layers, "kind": kind})
               for kind in MIXED_BEST for layers in range(1, 13))


# The function, its smallest value, and its parameters: (name, smallest, largest[, "log" or "int"]), or (name, choices).
FUNCTIONS = {
    "Branin": (branin, 0.39788735772973816, [("x", -5.0, 10.0), ("y", 0.0, 15.0)]),
    "Hartmann6": (hartmann6, -3.3223680114155125, [(f"x{i}", 0.0, 1.0) for i in range(6)]),
    "mixed": (mixed, smallest_mixed(), [("rate", 1e-5, 1.0, "log"), ("share", 0.0, 1.0), ("layers", 1, 12, "int"),
                                        ("kind", list(MIXED_BEST))]),
}


def ours(program, name, seed, trials, method):
    function, smallest, parameters = FUNCTIONS[name]
    space = {}
    for parameter in parameters:
        if len(parameter) == 2:
            space[parameter[0]] = parameter[1]
        else:
            space[parameter[0]] = {"min": parameter[1], "max": parameter[2], "log": "log" in parameter}
    options = {"method": method, "trials": trials, "search_seed": seed, "parameters": space}
    best = math.inf
    with subprocess.Popen([program, json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            value = function(json.loads(line))
            best = min(best, value)
            process.stdin.write(f"{value!r}\n")
            process.stdin.flush()
    if process.returncode:
        raise SystemExit(f"{program} failed")
    return best - smallest


def optunas(name, seed, trials):
    import optuna

    function, smallest, parameters = FUNCTIONS[name]
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        values = {}
        for parameter in parameters:
            if len(parameter) == 2:
                values[parameter[0]] = trial.suggest_categorical(*parameter)
            elif "int" in parameter:
                values[parameter[0]] = trial.suggest_int(*parameter[:3])
            else:
                values[parameter[0]] = trial.suggest_float(*parameter[:3], log="log" in parameter)
        return function(values)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=10))
    study.optimize(objective, n_trials=trials)
    return study.best_value - smallest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program `suggest`")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--method", default="tpe", help="sweep.method, as YAML")
    arguments = parser.parse_args()
    try:
        import optuna
        print("Optuna", optuna.__version__)
    except ImportError:
        raise SystemExit("Optuna is missing: pip install optuna")
    method = json.loads(arguments.method) if arguments.method.startswith("{") else arguments.method
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    print(f"{'function':<12}{'ours':>10}{'Optuna':>10}{'ratio':>8}{'random':>10}")
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for name in FUNCTIONS:
            runs = {key: [pool.submit(ours, arguments.program, name, seed, arguments.trials, value) for seed in seeds]
                    for key, value in (("ours", method), ("random", "random"))}
            runs["Optuna"] = [pool.submit(optunas, name, seed, arguments.trials) for seed in seeds]
            median = {key: statistics.median(run.result() for run in all) for key, all in runs.items()}
            print(f"{name:<12}{median['ours']:>10.4f}{median['Optuna']:>10.4f}"
                  f"{median['ours'] / median['Optuna']:>8.2f}{median['random']:>10.4f}", flush=True)


if __name__ == "__main__":
    main()
