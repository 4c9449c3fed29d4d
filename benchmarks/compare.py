"""Runs Vitrine and its peers in turn and tells medians and ratios; compare.sh builds and starts it."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
CONFIG = ROOT / "configs" / "vit_mnist.yaml"


def find_mnist():
    places = os.environ.get("VITRINE_DATA", "").split(":") + [ROOT / p for p in ("data", "../data", "../shared/data")]
    for place in filter(None, places):
        for folder in (pathlib.Path(place) / "mnist", pathlib.Path(place)):
            if any(folder.glob("train-images-idx3-ubyte*")):
                return folder.resolve()
    sys.exit("MNIST was not found; put its four files into data/mnist, or set VITRINE_DATA")


class Bench:
    def __init__(self, options):
        self.options, self.mnist = options, find_mnist()
        self.environment = dict(os.environ, VITRINE_DATA=str(self.mnist.parent))

    def measured(self, command):
        """(seconds, peak bytes, standard output) of a command that must succeed."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            start = time.perf_counter()
            process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=err, env=self.environment)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            out.seek(0), err.seek(0)
            if status != 0:
                sys.exit(f"{' '.join(map(str, command))}: failed\n{err.read()}")
            return seconds, usage.ru_maxrss * 1024, out.read()

    def train(self, *overrides):
        """A run of the tutorial's config: seconds of each epoch, of the whole command, and its peak memory."""
        with tempfile.TemporaryDirectory() as folder:
            run = pathlib.Path(folder) / "run"
            seconds, peak, _ = self.measured([self.options.runner, CONFIG, "--run-dir", run, *overrides])
            metrics = json.loads((run / "metrics.json").read_text())
        return {"epochs": [row["seconds"] for row in metrics["history"]], "total": seconds, "peak": peak,
                "accuracy": metrics["summary"].get("test/accuracy")}

    def peer(self, script, *arguments):
        _, _, out = self.measured([sys.executable, PEERS / script, self.mnist, *arguments])
        return [json.loads(line) for line in out.splitlines()]

    def noise_epochs(self, script, *arguments):
        _, _, out = self.measured([sys.executable, PEERS / script, "noise", *arguments])
        return [json.loads(line)["seconds"] for line in out.splitlines()]

    def epochs_of(self, script, *arguments, skip=0):
        """Seconds of a peer's epochs, without the first `skip`."""
        return [row["seconds"] for row in self.peer(script, *arguments) if "seconds" in row][skip:]

    def in_turn(self, *programs):
        """Medians over all repeats of programs that give lists of seconds, run A B A B ..."""
        seconds = [[] for _ in programs]
        for _ in range(self.options.repeats):
            for i, program in enumerate(programs):
                seconds[i] += program()
        return [statistics.median(values) for values in seconds]


def row(what, ours, peer, bar):
    return [what, f"{ours:.3g} s", f"{peer:.3g} s", f"{peer / ours:.3g}", bar]


def main_job(bench):
    ours = lambda: bench.train()["epochs"]
    sdpa = lambda: bench.epochs_of("torch_vit.py", "--mode", "sdpa", "--epochs", 2)
    a, b = bench.in_turn(ours, sdpa)
    yield row("an epoch of the main job; PyTorch, sdpa", a, b, "12")
    compiled = lambda: bench.epochs_of("torch_vit.py", "--mode", "compile", "--epochs", 3, skip=1)
    a, b = bench.in_turn(ours, compiled)
    yield row("the same; PyTorch, torch.compile (compilation not counted)", a, b, "12")
    total = lambda: [bench.train()["total"]]
    tutorial = lambda: [5 * bench.peer("tutorial_loop.py")[0]["seconds_an_epoch"]]
    a, b = bench.in_turn(total, tutorial)
    yield row("the whole command; the tutorial's 5 epochs, from 40 of their steps", a, b, "180")
    try:
        import jax  # noqa: F401
    except ImportError:
        print("JAX is not installed: not measured", file=sys.stderr)
        return
    a, b = bench.in_turn(ours, lambda: bench.epochs_of("jax_vit.py", "--epochs", 3, skip=1))
    yield row("an epoch of the main job; JAX, jit of the whole step", a, b, "")


def layers(bench):
    ours = lambda: bench.train("backend=layers", "training.epochs=2")["epochs"]
    a, b = bench.in_turn(ours, lambda: bench.epochs_of("torch_vit.py", "--mode", "eager", "--epochs", 2))
    yield row("an epoch with `backend: layers`; PyTorch, eager", a, b, "1.5")


def shapes(bench):
    for d, heads, blocks, images, bar in ((16, 4, 4, 25600, "6"), (32, 4, 4, 12800, "4"), (64, 4, 4, 6400, "2"),
                                          (192, 3, 12, 640, "1.0")):
        ours = lambda: bench.train(f"model.hidden_d={d}", f"model.n_heads={heads}", f"model.n_blocks={blocks}",
                                   f"dataset.limit_train={images}", "dataset.limit_test=100", "training.epochs=2")["epochs"]
        sdpa = lambda: bench.epochs_of("torch_vit.py", "--mode", "sdpa", "--epochs", 2, "--hidden-d", d, "--n-heads",
                                       heads, "--n-blocks", blocks, "--images", images)
        a, b = bench.in_turn(ours, sdpa)
        yield row(f"{images} images, hidden_d {d}, {heads} heads, {blocks} blocks; PyTorch, sdpa", a, b, bar)


# A ViT of the tutorial's size with parts of today, changed in one thing or two.
BASE = {"vit": ["model.hidden_d=8", "model.n_heads=2", "model.n_blocks=2", "model.n_patches=7", "model.attention=multi_head",
                "model.final_norm=true", "model.head=linear", "model.position=learned"]}
COMPOSITIONS = {
    "mlp swiglu, norm rms": (["model.mlp=swiglu", "model.norm=rms"], ["--mlp", "swiglu", "--norm", "rms"]),
    "block post_norm": (["model.block=post_norm"], ["--block", "post_norm"]),
    "layer_scale, drop_path and dropout": (["model.block={type: pre_norm, layer_scale: 0.1, drop_path: 0.1, dropout: 0.1}"],
                                           ["--layer-scale", 0.1, "--drop-path", 0.1, "--dropout", 0.1]),
    "embedding conv_stem": (["model.embedding=conv_stem"], ["--stem"]),
    "mlp relu": (["model.mlp=relu"], ["--mlp", "relu"]),
}


def pair(bench, title, ours, theirs, images, bar):
    """Epochs on so many images of MNIST."""
    limit = [f"dataset.limit_train={images}", "dataset.limit_test=100", "training.epochs=2"]
    a, b = bench.in_turn(lambda: bench.train(*ours, *limit)["epochs"],
                         lambda: bench.epochs_of("torch_models.py", *theirs, "--images", images))
    return row(f"{images} images, {title}; PyTorch, sdpa", a, b, bar)


def compositions(bench):
    yield pair(bench, "parts of today", BASE["vit"], [], 25600, "")
    for title, (ours, theirs) in COMPOSITIONS.items():
        yield pair(bench, title, BASE["vit"] + ours, theirs, 25600, "0.7 of the main job")


# Models that are no ViT, and one of many tokens: title, ours, theirs.
MODELS = [
    ("mixer", ["model={type: mixer}"], ["--model", "mixer", "--hidden-d", 32, "--n-blocks", 4]),
    ("lenet", ["model={type: lenet}"], ["--model", "lenet"]),
    ("28 x 28 patches of a pixel, hidden_d 64, batch 16",
     BASE["vit"] + ["model.n_patches=28", "model.hidden_d=64", "model.n_heads=4", "model.n_blocks=2", "training.batch_size=16"],
     ["--n-patches", 28, "--hidden-d", 64, "--n-heads", 4, "--batch-size", 16]),
]


def models(bench):
    for (title, ours, theirs), images, bar in zip(MODELS, (25600, 25600, 160), ("5", "3", "2")):
        yield pair(bench, title, ours, theirs, images, bar)


def experiments(bench):
    """Epochs on so many images of MNIST, without validation."""
    model = "model={type: vit, n_patches: 7, hidden_d: %d, n_heads: 4, n_blocks: 4, position: learned, attention: multi_head, " \
            "final_norm: true, head: linear}"
    def limited(images):
        return [f"dataset.limit_train={images}", "dataset.limit_test=100", "training.epochs=2", "optimizer=adamw"]
    for d, images in ((64, 6400), (32, 6400), (16, 12800)):
        ours = [f"experiment={{type: masked_autoencoder, decoder_d: {d}}}", model % d, *limited(images)]
        a, b = bench.in_turn(lambda: bench.train(*ours)["epochs"],
                             lambda: bench.epochs_of("torch_experiments.py", "masked_autoencoder", "--hidden-d", d, "--decoder-d", d,
                                                     "--images", images))
        yield row(f"{images} images, masked autoencoder, hidden_d {d} and decoder_d {d}; PyTorch, sdpa", a, b, "3")
    with tempfile.TemporaryDirectory() as folder:
        teacher = pathlib.Path(folder) / "teacher"
        bench.measured([bench.options.runner, CONFIG, "--run-dir", teacher, model % 64, *limited(128)])
        ours = [f"experiment={{type: distillation, teacher: {teacher}}}", model % 16, *limited(12800)]
        a, b = bench.in_turn(lambda: bench.train(*ours)["epochs"],
                             lambda: bench.epochs_of("torch_experiments.py", "distillation", "--hidden-d", 16, "--images", 12800))
    yield row("12800 images, distillation of hidden_d 64 into 16; PyTorch, sdpa", a, b, "3")


def write_noise(file, images, side):
    """A data set `arrays` of colour images, as safetensors."""
    header, parts, offset = {}, [], 0
    for split, count in (("train", images), ("test", 8)):
        for name, dtype, shape, data in (("images", "U8", [count, 3, side, side], os.urandom(count * 3 * side * side)),
                                         ("labels", "I64", [count], b"".join((i % 10).to_bytes(8, "little") for i in range(count)))):
            header[f"{split}/{name}"] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
            parts.append(data)
            offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))


def with_photos(work):
    """What `work` yields of each model for 64 images of noise: title, ours, theirs."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "noise.safetensors"
        write_noise(data, 64, 224)
        for name, d, heads in (("ViT-Ti", 192, 3), ("ViT-S", 384, 6)):
            ours = ["dataset={type: arrays, path: %s}" % data, f"model.hidden_d={d}", f"model.n_heads={heads}", "model.n_blocks=12",
                    "model.n_patches=14", *BASE["vit"][4:], "training.batch_size=16", "training.epochs=2"]
            theirs = ["--hidden-d", d, "--n-heads", heads, "--n-blocks", 12, "--n-patches", 14, "--batch-size", 16, "--images", 64,
                      "--channels", 3, "--side", 224]
            yield work(name, ours, theirs)


def photos(bench):
    def measured(name, ours, theirs):
        a, b = bench.in_turn(lambda: bench.train(*ours)["epochs"], lambda: bench.noise_epochs("torch_models.py", *theirs))
        return row(f"64 images of 224 px, {name}, batch 16; PyTorch, sdpa", a, b, {"ViT-Ti": "1.2", "ViT-S": "1.0"}[name])
    yield from with_photos(measured)


def memory(bench):
    """Peak memory of training, of whole processes."""
    def measured(title, ours, data, script, *theirs):
        a = bench.train(*ours)["peak"]
        b = bench.measured([sys.executable, PEERS / script, data, *theirs])[1]
        return [f"peak memory: {title}; PyTorch, sdpa", f"{a / 1e6:.0f} MB", f"{b / 1e6:.0f} MB", f"{b / a:.3g}", "1.0"]
    yield measured("the main job", ["training.epochs=1"], bench.mnist, "torch_vit.py", "--mode", "sdpa", "--epochs", 1)
    for title, ours, theirs in MODELS:
        limit = ["dataset.limit_train=160", "dataset.limit_test=100", "training.epochs=1"]
        yield measured(title, ours + limit, bench.mnist, "torch_models.py", *theirs, "--images", 160)
    yield from with_photos(lambda name, ours, theirs: measured(f"{name}, batch 16", ours, "noise", "torch_models.py", *theirs))


def micro(bench, name):
    """What a benchmark of the program micro_benchmarks tells; None where it was not built."""
    program = pathlib.Path(bench.options.runner).parent / "micro_benchmarks"
    if not program.exists():
        return None
    out = bench.measured([program, f"--benchmark_filter={name}", "--benchmark_format=json"])[2]
    return json.loads(out)["benchmarks"][0]


def predict(bench):
    ours = lambda: [micro(bench, "predict_vit_ti")["real_time"] / 1000]
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        print("ONNX Runtime is not installed: not measured", file=sys.stderr)
        return
    theirs = lambda: [json.loads(bench.measured([sys.executable, PEERS / "onnx_vit.py"])[2].splitlines()[-1])["seconds"]]
    a, b = bench.in_turn(ours, theirs)
    yield row("predict one image of 224 px, ViT-Ti, one core; ONNX Runtime", a, b, "0.7")


def small(bench):
    runner = bench.options.runner
    wall = lambda *command: lambda: [bench.measured([runner, *command])[0] for _ in range(5)]
    [start] = bench.in_turn(wall(CONFIG, "--dry-run"))
    yield ["launch, one step, and exit (`--dry-run`)", f"{start:.3g} s", "", "", "0.8 s"]
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        _, peak, _ = bench.measured([runner, CONFIG, "--run-dir", run])
        image = next((run / "worst").glob("*.png"))
        helps, status, answer = bench.in_turn(wall("--help"), wall("status", run), wall("predict", run, image))
    yield ["`runner --help`", f"{1000 * helps:.3g} ms", "", "", "50 ms"]
    yield ["`runner status` of a run", f"{1000 * status:.3g} ms", "", "", "50 ms"]
    yield ["`runner predict` of a run and an image", f"{1000 * answer:.3g} ms", "", "", "40 ms"]
    yield ["peak memory of the main job", f"{peak / 1e6:.0f} MB", "", "", "450 MB"]
    digits = micro(bench, "digits")
    if digits:
        rate = digits["items_per_second"]
        yield ["`digits`, all cores", f"{rate:,.0f} images/s", "", "", "100,000 images/s"]


PARTS = {"main": main_job, "layers": layers, "shapes": shapes, "compositions": compositions, "models": models, "experiments": experiments, "photos": photos,
         "memory": memory, "predict": predict, "small": small}


def machine():
    model = platform.processor()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    versions = [f"Python {platform.python_version()}"]
    for name in ("torch", "jax"):
        try:
            versions.append(f"{name} {__import__(name).__version__}")
        except ImportError:
            pass
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return f"{model}, {os.cpu_count()} cores; {', '.join(versions)}; Vitrine {commit.stdout.strip() or 'unknown'}"


def table(rows):
    head = ["what; against", "Vitrine", "peer", "times faster", "bar"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", required=True)
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given several times")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    bench, rows = Bench(options), []
    for name in options.only or PARTS:
        for line in PARTS[name](bench):
            rows.append(line)
            print("  ".join(filter(None, line)), flush=True)
    text = f"""# Benchmarks

Written by `benchmarks/compare.sh` on {datetime.date.today()}. {machine()}.

The programs ran in turn, {options.repeats} times each; the figures are medians. Machines differ and are noisy: only the ratios of one
run say something. The same model, batches of 128, Adam, MNIST. Peers are in `benchmarks/peers`.

{table(rows)}
"""
    if options.only:
        print(table(rows))
    else:
        options.output.write_text(text)
        print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
