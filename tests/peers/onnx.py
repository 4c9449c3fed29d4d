#!/usr/bin/env python3
"""Runs models that are written as ONNX with ONNX Runtime, and compares their answers with our own.

    ninja -C build/release runner models.onnx_test
    python tests/peers/onnx.py [BUILD]      (by hand; needs onnx, onnxruntime, safetensors, numpy, pillow)

Every registered model and part, every operation and 150 random programs, for several opsets and for 1 and 7 images,
as tests/models/onnx_test.cpp writes them beside their answers; then what `runner export` makes of runs, beside
`runner predict`. onnx' own checker must find nothing, and no number may differ by more than 1e-5 of the largest.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.pop(0)  # this file is no package of its name
import numpy  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors import safe_open  # noqa: E402

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release").absolute()
LIMIT = 1e-5
worst = 0.0
wrong = []
onnxruntime.set_default_logger_severity(3)


def session_of(file):
    onnx.checker.check_model(str(file), full_check=True)
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


def compare(what, got, wanted):
    global worst
    assert got.shape == wanted.shape, (what, got.shape, wanted.shape)
    by = float(numpy.abs(got - wanted).max() / max(float(numpy.abs(wanted).max()), 1e-30))
    worst = max(worst, by)
    if not by <= LIMIT:
        wrong.append(f"{what}: differs by {by:.1e} of the largest")


def check_cases(folder):
    environment = dict(os.environ, VITRINE_ONNX_CASES=folder)
    subprocess.run([BUILD / "tests/models/onnx_test", "models as ONNX beside their answers"], env=environment, check=True, stdout=subprocess.DEVNULL)
    models = 0
    for case in sorted(pathlib.Path(folder).glob("*.safetensors")):
        with safe_open(case, "numpy") as file:
            name = file.metadata()["model"]
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        images = tensors.pop("images")
        for model in sorted(pathlib.Path(folder).glob(case.stem + ".*.onnx")):
            what = f"{model.stem} {name}"
            try:
                session = session_of(model)
            except Exception as error:
                wrong.append(f"{what}: {error}")
                continue
            models += 1
            names = [output.name for output in session.get_outputs()]
            assert {"outputs." + each for each in names} == set(tensors), (what, names, list(tensors))
            for batch in (1, 7):
                for output, got in zip(names, session.run(None, {"images": images[:batch]})):
                    compare(f"{what}: {output} of {batch}", got, tensors["outputs." + output][:batch])
    print(f"{models} models, largest difference {worst:.1e}")
    return models


CONFIG = """
threads: 1
dataset: {type: digits, train: 256, test: 64, transforms: [{type: normalize, mean: 0.3, std: 0.4}]}
training: {epochs: 1, batch_size: 64}
"""
RUNS = {
    "vit": "{type: vit, n_patches: 4, hidden_d: 16, n_heads: 2, n_blocks: 2}",
    "tutorial": "{type: vit, n_patches: 7, n_blocks: 2, hidden_d: 8, n_heads: 2, attention: per_head, head: softmax}",
    "tasks": "{type: mixer, n_patches: 4, hidden_d: 8, tasks: [{name: digit}, {name: large, target: {above: 4}}]}",
    "lenet": "{type: lenet}",
}


def check_runs(place):
    def call(*words):
        return subprocess.run([BUILD / "runner", *words], cwd=place, check=True, capture_output=True, text=True).stdout

    random = numpy.random.default_rng(0)
    images = random.integers(0, 256, (5, 1, 28, 28), numpy.uint8)
    for i, image in enumerate(images):
        Image.fromarray(image[0]).save(place / f"{i}.png")
    for run, model in RUNS.items():
        (place / "c.yaml").write_text(CONFIG + f"model: {model}\n")
        call("c.yaml", "--run-dir", run)
        answers = json.loads(call("predict", run, *[f"{i}.png" for i in range(5)], "--json"))
        answers = answers["images"] if isinstance(answers, dict) else answers
        for opset in ("17", "23"):
            print(call("export", run, f"{run}.onnx", "--opset", opset), end="")
            session = session_of(place / f"{run}.onnx")
            tasks = json.loads(session.get_modelmeta().custom_metadata_map["tasks"])
            for number, task in enumerate(tasks):
                got, = session.run([task["probabilities"]], {"images": images})
                wanted = [[answer["tasks"][number]["probabilities"][name] for name in task["names"]] for answer in answers]
                compare(f"{run} with opset {opset}: {task['name']}", got, numpy.array(wanted, numpy.float32))
        call("export", run, "floats.onnx", "--input", "float32")
        session = session_of(place / "floats.onnx")
        floats = (images.astype(numpy.float32) / 255 - numpy.float32(0.3)) / numpy.float32(0.4)
        name = tasks[0]["output"]
        compare(f"{run} of floats", session.run([name], {"images": floats})[0],
                session_of(place / f"{run}.onnx").run([name], {"images": images})[0])


with tempfile.TemporaryDirectory() as temporary:
    assert check_cases(temporary) > 0
with tempfile.TemporaryDirectory() as temporary:
    check_runs(pathlib.Path(temporary))
print("\n".join(wrong) if wrong else f"all as it should be, with onnx {onnx.__version__} and ONNX Runtime {onnxruntime.__version__}")
sys.exit(bool(wrong))
