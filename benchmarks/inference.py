#!/usr/bin/env python3
"""Answers of libvitrine_infer and of ONNX Runtime to the same images, on one core, in alternation: the model of the tutorial and ViT-Ti
at 224 px, of one, 8 and 128 images. Needs numpy and onnxruntime.
usage: inference.py --runner build/release/runner [--repeats 5]"""
import argparse
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
TUTORIAL = {"n_patches": 7, "n_blocks": 2, "hidden_d": 8, "n_heads": 2}
TINY = {"n_patches": 14, "n_blocks": 12, "hidden_d": 192, "n_heads": 3}
#         name, options of the model, side of an image, batches
MODELS = [("tutorial's model", TUTORIAL, 28, (1, 8, 128)), ("ViT-Ti, 224 px", TINY, 224, (1, 8, 128))]
ENGINES = ("vitrine", "onnxruntime")


def make_model(runner, folder, options, side):
    """A run of one step, for its files."""
    config = {"name": "model", "dataset": {"type": "digits", "train": 64, "validation": 32, "test": 32, "size": side},
              "model": {"type": "vit", **options}, "training": {"max_steps": 1, "batch_size": 8}}
    (folder / "config.yaml").write_text(json.dumps(config))
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run([runner, folder / "config.yaml", "--run-dir", folder / "run"], **quiet)
    subprocess.run([runner, "export", folder / "run", folder / "model.onnx"], **quiet)
    return {"vitrine": folder / "run/model.safetensors", "onnxruntime": folder / "model.onnx"}


def answers(engine, file):
    """What answers for images, on one thread."""
    if engine == "vitrine":
        sys.path.insert(0, str(ROOT / "python"))
        import vitrine_infer
        return vitrine_infer.Model(file).run
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["class.probabilities"], {"images": images})[0]


def measure(engine, file, side, batch):
    """In a process of its own: seconds to the first answer, of which Python's own start and numpy are left out, and of those after it."""
    import numpy
    images = numpy.random.default_rng(0).integers(0, 256, (batch, 1, side, side), dtype=numpy.uint8)
    start = time.perf_counter()
    run = answers(engine, file)
    first = run(images)
    out = {"first": time.perf_counter() - start, "seconds": [], "answer": first[:1].tolist()}
    end = time.perf_counter() + 3
    while len(out["seconds"]) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        run(images)
        out["seconds"].append(time.perf_counter() - start)
    out["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(out))


def size_of(engine):
    """Megabytes of what is shipped besides the model."""
    if engine == "vitrine":
        return (ROOT / "build/release/libvitrine_infer.so.0").stat().st_size / 1e6
    import onnxruntime
    folder = pathlib.Path(onnxruntime.__file__).parent / "capi"
    return sum(file.stat().st_size for file in folder.iterdir() if ".so" in file.name) / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--measure", nargs=4)
    options = parser.parse_args()
    if options.measure:
        engine, file, side, batch = options.measure
        return measure(engine, file, int(side), int(batch))
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        for name, model, side, batches in MODELS:
            folder = pathlib.Path(scratch) / str(side)
            folder.mkdir()
            files = make_model(options.runner.absolute(), folder, model, side)
            for batch in batches:
                found = {engine: [] for engine in ENGINES}
                for _ in range(options.repeats):
                    for engine in ENGINES:
                        said = subprocess.run(["taskset", "-c", str(core), sys.executable, __file__, "--measure", engine, files[engine],
                                               str(side), str(batch)], capture_output=True, text=True, check=True)
                        found[engine].append(json.loads(said.stdout))
                apart = max(abs(a - b) for a, b in zip(found["vitrine"][0]["answer"][0], found["onnxruntime"][0]["answer"][0]))
                if apart > 1e-5:
                    sys.exit(f"{name}: the answers are {apart} apart")
                print(f"{name}, {batch} images:")
                ratios = []
                for engine in ENGINES:
                    typical = [statistics.median(one["seconds"]) for one in found[engine]]
                    ratios.append(typical)
                    print(f"  {engine:12} {statistics.median(typical) * 1e3:9.3f} ms, {batch / statistics.median(typical):9.0f} images/s, first answer "
                          f"{statistics.median(one['first'] for one in found[engine]) * 1e3:7.1f} ms, {statistics.median(one['memory'] for one in found[engine]):6.0f} MB")
                print(f"  times as fast: {statistics.median(b / a for a, b in zip(*ratios)):.2f}")
    for engine in ENGINES:
        print(f"{engine}: {size_of(engine):.1f} MB of libraries")


if __name__ == "__main__":
    main()
