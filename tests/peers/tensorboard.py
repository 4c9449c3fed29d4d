#!/usr/bin/env python3
"""Reads what `loggers: [tensorboard]` and `export --to tensorboard` write with the real TensorBoard.

    python tests/peers/tensorboard.py [RUNNER]      (by hand; needs tensorboard)

Every row of metrics.jsonl must be there once, under its name; histograms, text and images can be read; and the plug-in
hparams finds each run with its values and its metrics at the end. Runs are finished, resumed, and taken further.
"""
import collections
import io
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import urllib.request

sys.path.pop(0)  # this file is no package of its name
from tensorboard.backend.event_processing import event_accumulator  # noqa: E402

RUNNER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release/runner").absolute()
CONFIG = """
threads: 1
dataset: {type: digits, train: 256, test: 64, validation: 64}
model: {type: vit, n_patches: 4, hidden_d: 8, n_heads: 2, n_blocks: 1}
training: {epochs: 3, batch_size: 64, log_every: 2, checkpoint: {every: 1 steps}}
loggers: [tensorboard]
"""
NO_METRIC = {"kind", "epoch", "step", "nonfinite"}
ALL = {event_accumulator.SCALARS: 0, event_accumulator.HISTOGRAMS: 0, event_accumulator.IMAGES: 0,
       event_accumulator.TENSORS: 0}


def call(folder, *words, code=0):
    done = subprocess.run([RUNNER, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, done.stderr


def read(folder):
    out = event_accumulator.EventAccumulator(str(folder), size_guidance=ALL)
    out.Reload()
    return out


def check_scalars(events, run, kind, more=()):
    wanted = collections.defaultdict(list)
    for line in (run / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        for name in row if row["kind"] == kind else ():
            if name not in NO_METRIC:
                wanted[name].append((row["step"], row[name]))
    for name, value in more:
        wanted[name].append(value)
    assert set(events.Tags()["scalars"]) == set(wanted), (events.Tags()["scalars"], list(wanted))
    for name, values in wanted.items():
        got = [(event.step, event.value) for event in events.Scalars(name)]
        assert [step for step, _ in got] == [step for step, _ in values], (name, got, values)
        assert all(math.isclose(a, b, rel_tol=1e-6) for (_, a), (_, b) in zip(got, values)), (name, got, values)


def check_run(run, folder, has_histograms):
    metrics = json.loads((run / "metrics.json").read_text())
    step = metrics["history"][-1]["step"]
    test = [(name, (step, value)) for name, value in metrics["test"].items() if name != "checkpoint"]
    events = read(folder)
    check_scalars(events, run, "epoch", test)
    check_scalars(read(folder / "steps"), run, "step")
    tags = events.Tags()
    assert "config" in tags["tensors"] and "test/worst" in tags["images"] and "test/worst" in tags["tensors"], tags
    text = events.Tensors("config")
    assert len(text) == 1 and text[0].tensor_proto.string_val[0].startswith(b"    name: "), text
    image = events.Images("test/worst")[0]
    assert (image.width, image.height) == (231, 231) and image.encoded_image_string[1:4] == b"PNG"
    assert struct.unpack(">II", image.encoded_image_string[16:24]) == (231, 231)
    assert bool(tags["histograms"]) == has_histograms
    for name in tags["histograms"]:
        values = events.Histograms(name)
        assert [event.step for event in values] == [row["step"] for row in metrics["history"]], name
        for event in values:
            assert event.histogram_value.num == sum(event.histogram_value.bucket) > 0
    print(f"{folder.name}: {len(tags['scalars'])} scalars, {len(tags['histograms'])} histograms")


def ask(port, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://localhost:{port}/data/plugin/{path}", data,
                                     {"Content-Type": "application/json"} if data else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(io.TextIOWrapper(answer, "utf-8"))


def check_hparams(logdir, names, runs):
    """As the page of hparams asks for it."""
    from tensorboard import program
    board = program.TensorBoard()
    board.configure(argv=[None, "--logdir", str(logdir), "--load_fast", "false", "--port", "0"])
    port = int(board.launch().rstrip("/").rsplit(":", 1)[1])
    for _ in range(60):
        experiment = ask(port, "hparams/experiment", {"experimentName": ""})
        metrics = {info["name"]["tag"] for info in experiment.get("metricInfos", [])}
        if "test/accuracy" in metrics and len(ask(port, "scalars/tags")) == 2 * len(names):
            break
    assert {"test/accuracy", "test/loss", "validation/accuracy"} <= metrics, metrics
    found = {info["name"] for info in experiment["hparamInfos"]}
    assert {"optimizer.lr", "dataset", "model.n_patches"} <= found, found
    groups = ask(port, "hparams/session_groups", {
        "experimentName": "", "allowedStatuses": ["STATUS_SUCCESS"],
        "colParams": [{"metric": {"tag": "test/accuracy", "group": ""}}], "startIndex": 0, "sliceSize": 100})
    sessions = {session["name"]: (group["hparams"], session)
                for group in groups["sessionGroups"] for session in group["sessions"]}
    assert set(sessions) == set(names), sessions.keys()
    for name, run in zip(names, runs):
        hparams, session = sessions[name]
        told = json.loads((run / "metrics.json").read_text())
        assert hparams["optimizer.lr"] == told["config"]["optimizer"]["lr"], hparams
        values = {value["name"]["tag"]: value["value"] for value in session["metricValues"]}
        assert math.isclose(values["test/accuracy"], told["test"]["test/accuracy"], rel_tol=1e-6), values
    print(f"hparams: {len(found)} values and {len(metrics)} metrics of {len(names)} runs")


with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    (place / "c.yaml").write_text(CONFIG)
    call(place, "c.yaml", "--run-dir", "whole", "optimizer.lr=0.01")
    call(place, "c.yaml", "--run-dir", "resumed", "optimizer.lr=0.02", "--stop-after", "4", code=75)
    call(place, "resume", "resumed", "--stop-after", "5", code=75)
    call(place, "resume", "resumed")
    call(place, "c.yaml", "--run-dir", "further", "optimizer.lr=0.03", "training.epochs=2")
    call(place, "resume", "further", "training.epochs=3")
    names = ["further", "resumed", "whole"]
    runs = [place / name for name in names]
    for run in runs:
        check_run(run, run / "tensorboard", True)
    call(place, "export", *names, "events", "--to", "tensorboard")
    for run in runs:
        check_run(run, place / "events" / run.name, False)
    check_hparams(place / "events", names, runs)
    check_hparams(place, [f"{name}/tensorboard" for name in names] + [f"events/{name}" for name in names], runs + runs)
print("all as it should be")
