#!/usr/bin/env python3
"""Answers of libvitrine_infer, ONNX Runtime and libtorch (a TorchScript file, traced and frozen) to the same images, on one core, in
alternation: the model of the tutorial and ViT-Ti at 224 px, of one, 8 and 128 images. Needs numpy and onnxruntime; torch and safetensors
where libtorch is to be measured.
usage: inference.py --runner build/release/runner [--repeats 5] [--first-only]"""
import argparse
import importlib.util
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks/peers"
TUTORIAL = {"n_patches": 7, "n_blocks": 2, "hidden_d": 8, "n_heads": 2}
TINY = {"n_patches": 14, "n_blocks": 12, "hidden_d": 192, "n_heads": 3}
#         name, options of the model, side of an image, batches
MODELS = [("tutorial's model", TUTORIAL, 28, (1, 8, 128)), ("ViT-Ti, 224 px", TINY, 224, (1, 8, 128))]
ENGINES = ["vitrine", "onnxruntime"] + (["torch"] if importlib.util.find_spec("torch") else [])


def make_model(runner, folder, options, side):
    """A run of one step, for its files."""
    config = {"name": "model", "dataset": {"type": "digits", "train": 64, "validation": 32, "test": 32, "size": side},
              "model": {"type": "vit", **options}, "training": {"max_steps": 1, "batch_size": 8}}
    (folder / "config.yaml").write_text(json.dumps(config))
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run([runner, folder / "config.yaml", "--run-dir", folder / "run"], **quiet)
    subprocess.run([runner, "export", folder / "run", folder / "model.onnx"], **quiet)
    subprocess.run([runner, "export", folder / "run", folder / "weights.safetensors", "--layout", "timm"], **quiet)
    if "torch" in ENGINES:
        subprocess.run([sys.executable, PEERS / "torch_script.py", folder / "weights.safetensors", folder / "model.pt", json.dumps(options),
                        str(side)], **quiet)
    return {"vitrine": folder / "run/model.safetensors", "onnxruntime": folder / "model.onnx", "torch": folder / "model.pt"}


def answers(engine, file):
    """What answers for images, on one thread."""
    if engine == "vitrine":
        sys.path.insert(0, str(ROOT / "python"))
        import vitrine_infer
        return vitrine_infer.Model(file).run
    if engine == "torch":
        import torch
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        module = torch.jit.load(file)
        return lambda images: module(torch.from_numpy(images)).numpy()
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["class.probabilities"], {"images": images})[0]


def measure(engine, file, side, batch, seconds):
    """In a process of its own: seconds to the first answer, of which Python's own start and numpy are left out, and of those after it."""
    import numpy
    images = numpy.random.default_rng(0).integers(0, 256, (batch, 1, side, side), dtype=numpy.uint8)
    start, busy = time.perf_counter(), time.process_time()
    run = answers(engine, file)
    first = run(images)
    out = {"first": time.perf_counter() - start, "busy": time.process_time() - busy, "seconds": [], "answer": first[:1].tolist()}
    end = time.perf_counter() + seconds
    while seconds and (len(out["seconds"]) < 5 or time.perf_counter() < end):
        start = time.perf_counter()
        run(images)
        out["seconds"].append(time.perf_counter() - start)
    out["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(out))


def size_of(engine):
    """Megabytes of what is shipped besides the model."""
    if engine == "vitrine":
        return (ROOT / "build/release/libvitrine_infer.so.0").stat().st_size / 1e6
    package = pathlib.Path(importlib.util.find_spec(engine).origin).parent
    folder = package / ("lib" if engine == "torch" else "capi")
    return sum(file.stat().st_size for file in folder.iterdir() if ".so" in file.name) / 1e6


class Measured:
    """What the engines do with a model's files, each time in a process of its own on one core, in alternation."""

    def __init__(self, files, side, scratch):
        # Modules as an installation has them: compiled. Of the first launch, which does that, no median is made.
        self.environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{scratch}/compiled"}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.files, self.side = files, side

    def once(self, engine, batch, seconds):
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), sys.executable, __file__, "--measure", engine, self.files[engine],
                   self.side, batch, seconds]
        return json.loads(subprocess.run(map(str, command), capture_output=True, text=True, check=True, env=self.environment).stdout)

    def in_turn(self, repeats, batch, seconds):
        found = {engine: [] for engine in ENGINES}
        for _ in range(repeats):
            for engine in ENGINES:
                found[engine].append(self.once(engine, batch, seconds))
        for engine in ENGINES:
            apart = max(abs(a - b) for a, b in zip(found["vitrine"][0]["answer"][0], found[engine][0]["answer"][0]))
            if apart > 1e-5:
                sys.exit(f"{self.files[engine]}: the answers of {engine} are {apart} apart")
        return found


def show_first(name, found):
    print(f"{name}, start to first answer:")
    for engine in ENGINES:
        first, busy = ([1e3 * one[what] for one in found[engine]] for what in ("first", "busy"))
        print(f"  {engine:12} {statistics.median(first):8.2f} ms, least {min(first):8.2f}; {statistics.median(busy):8.2f} ms of the core")
    for engine in ENGINES[1:]:
        ratio = statistics.median(b["first"] / a["first"] for a, b in zip(found["vitrine"], found[engine]))
        print(f"  times as fast as {engine}: {ratio:.1f}")


def show_steady(name, batch, found):
    print(f"{name}, {batch} images:")
    of = {}
    for engine in ENGINES:
        typical = of[engine] = [statistics.median(one["seconds"]) for one in found[engine]]
        print(f"  {engine:12} {statistics.median(typical) * 1e3:9.3f} ms, {batch / statistics.median(typical):9.0f} images/s, "
              f"{statistics.median(one['memory'] for one in found[engine]):6.0f} MB")
    for engine in ENGINES[1:]:
        print(f"  times as fast as {engine}: {statistics.median(b / a for a, b in zip(of['vitrine'], of[engine])):.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--first-only", action="store_true")
    parser.add_argument("--measure", nargs=5)
    options = parser.parse_args()
    if options.measure:
        engine, file, side, batch, seconds = options.measure
        return measure(engine, file, int(side), int(batch), float(seconds))
    with tempfile.TemporaryDirectory() as scratch:
        for name, model, side, batches in MODELS:
            folder = pathlib.Path(scratch) / str(side)
            folder.mkdir()
            measured = Measured(make_model(options.runner.absolute(), folder, model, side), side, scratch)
            show_first(name, measured.in_turn(4 * options.repeats, 1, 0))
            for batch in batches if not options.first_only else ():
                show_steady(name, batch, measured.in_turn(options.repeats, batch, 3))
    for engine in ENGINES:
        print(f"{engine}: {size_of(engine):.1f} MB of libraries")


if __name__ == "__main__":
    main()
