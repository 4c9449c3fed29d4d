"""Measures what a sweep costs besides training, and that killing it costs nothing but time.
    benchmarks/sweep.py --runner build/release/runner            the grid of configs/sweeps/vit_size.yaml: some minutes on 2 cores
    benchmarks/sweep.py --runner build/release/runner --kills 20 the same grid, killed and resumed, against one never killed
Needs MNIST where the program finds it without a download. Leaves its folders under --folder if one is given.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SWEEP = ROOT / "configs" / "sweeps" / "vit_size.yaml"


def trials_of(sweep):
    return sorted((sweep / "trials").glob("*"))


def metrics_of(run):
    try:
        return json.loads((run / "metrics.json").read_text())
    except FileNotFoundError:
        return {"status": "waiting", "history": []}


def share_of_training(runner, folder, words):
    """Share of the cores' time that lies inside training steps."""
    sweep = folder / "whole"
    begin = time.perf_counter()
    subprocess.run([runner, "sweep", SWEEP, "--run-dir", sweep, *words], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - begin
    inside = sum(row["seconds"] for run in trials_of(sweep) for row in metrics_of(run)["history"])
    cores = len(os.sched_getaffinity(0))
    print(f"{len(trials_of(sweep))} trials in {wall:.1f} s on {cores} cores; "
          f"inside training {100 * inside / (cores * wall):.1f} % of the cores' time (bar: 90 %)")


def launch_to_first_step(runner, folder):
    """Seconds from the start of a trial's process (its output appears) to the row of its first step."""
    sweep = folder / "starts"
    words = ["training.log_every=1", "training.max_steps=2", "--jobs", "1"]
    process = subprocess.Popen([runner, "sweep", SWEEP, "--run-dir", sweep, *words], stdout=subprocess.DEVNULL)
    launched, stepped = {}, {}
    while process.poll() is None:
        for run in trials_of(sweep):
            if run not in launched and (run / "output.txt").exists():
                launched[run] = time.perf_counter()
            rows = run / "metrics.jsonl"
            if run in launched and run not in stepped and rows.exists() and rows.stat().st_size > 0:
                stepped[run] = time.perf_counter()
        time.sleep(0.002)
    seconds = sorted(stepped[run] - launched[run] for run in stepped)
    print(f"launch to first step of {len(seconds)} trials, one at a time: "
          f"median {seconds[len(seconds) // 2]:.2f} s, most {seconds[-1]:.2f} s (bar: 0.8 s)")


def digest(run):
    """SHA-256 of all that a trial computed, times apart."""
    times = {"seconds", "images_per_second", "started", "finished", "run", "peak_memory_bytes", "command"}

    def without_times(value):
        if isinstance(value, dict):
            return {key: without_times(child) for key, child in value.items() if key not in times}
        return [without_times(child) for child in value] if isinstance(value, list) else value

    out = hashlib.sha256()
    for name in ("config.yaml", "model.safetensors", "test.json"):
        out.update((run / name).read_bytes())
    out.update(json.dumps(without_times(metrics_of(run))).encode())
    for line in (run / "metrics.jsonl").read_text().splitlines():
        out.update(json.dumps(without_times(json.loads(line))).encode())
    return out.hexdigest()


def trial_processes(sweep):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if str(sweep / "trials").encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def last_row(run):
    """The step of the newest row of metrics.jsonl; 0 where there is none."""
    try:
        rows = (run / "metrics.jsonl").read_text().split("\n")[:-1]
        return json.loads(rows[-1])["step"] if rows else 0
    except FileNotFoundError:
        return 0


def output_of(run):
    try:
        return (run / "output.txt").read_text()
    except FileNotFoundError:
        return ""


def kill_at_random(runner, folder, words, kills):
    """Kills the sweep or one of its trials at random moments; compares with a sweep never killed."""
    sweep, generator = folder / "killed", random.Random(kills)
    done, most_repeated, resumed = 0, 0, 0
    starts = re.compile(r"going on from step-\d+ \(step (\d+) of")
    while True:
        begun = (sweep / "plan.json").exists()
        finished = {run: digest(run) for run in trials_of(sweep) if metrics_of(run)["status"] == "finished"}
        reached = {run: (last_row(run), len(output_of(run))) for run in trials_of(sweep) if run not in finished}
        command = [runner, "resume", sweep] if begun else [runner, "sweep", SWEEP, "--run-dir", sweep, *words]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        if done < kills:
            time.sleep(generator.uniform(1, 15))
            trials = trial_processes(sweep)
            victim = process.pid if generator.random() < 0.5 or not trials else generator.choice(trials)
            os.kill(victim, signal.SIGKILL)
            done += 1
            if victim != process.pid:
                time.sleep(generator.uniform(1, 5))
                process.send_signal(signal.SIGINT)
        code = process.wait()
        for run, before in finished.items():
            assert digest(run) == before, f"{run}: a finished trial has changed"
        for run, (step, length) in reached.items():
            for start in starts.findall(output_of(run)[length:])[:1]:
                most_repeated = max(most_repeated, step - int(start))
                resumed += 1
        if done == kills and code == 0:
            break
    for run in trials_of(sweep):
        assert digest(run) == digest(folder / "whole" / "trials" / run.name), f"{run}: differs from one never killed"
    every = re.search(r'^ +every: "?([^"\n]*)', (trials_of(sweep)[0] / "config.yaml").read_text(), re.MULTILINE)[1]
    print(f"{kills} kills, {resumed} trials resumed: at most {most_repeated} steps repeated (a checkpoint every {every}); "
          f"{len(trials_of(sweep))} trials with the SHA-256 of those never killed, no finished one touched")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", type=pathlib.Path, default=ROOT / "build" / "release" / "runner")
    parser.add_argument("--folder", type=pathlib.Path, help="kept; default: a temporary one")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("words", nargs="*", help="for the sweep, such as training.epochs=1")
    options = parser.parse_args()
    runner = options.runner.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or pathlib.Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        share_of_training(runner, folder, options.words)
        launch_to_first_step(runner, folder)
        if options.kills:
            kill_at_random(runner, folder, options.words, options.kills)


if __name__ == "__main__":
    sys.exit(main())
