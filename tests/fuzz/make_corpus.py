"""Writes the seeds of the fuzz targets: small valid files of each format.

usage: make_corpus.py FOLDER    (makes FOLDER/<target>/...; needs only Python's standard library)
"""
import bz2
import gzip
import io
import json
import pathlib
import struct
import sys
import zipfile
import zlib


def idx(shape):
    count = 1
    for size in shape:
        count *= size
    header = struct.pack(">HBB", 0, 8, len(shape)) + struct.pack(f">{len(shape)}I", *shape)
    return header + bytes(i % 256 for i in range(count))


def npy(descr, shape, data, fortran=False, version=1):
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    start = b"\x93NUMPY" + bytes([version, 0])
    width = 2 if version == 1 else 4
    text += b" " * (-(len(start) + width + len(text) + 1) % 64) + b"\n"
    return start + len(text).to_bytes(width, "little") + text + data


def npz(arrays, compression):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in arrays.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return out.getvalue()


def mat_element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def mat(shape, kind, data, packed=False):
    matrix = mat_element(14, mat_element(6, struct.pack("<II", 6, 0))
                         + mat_element(5, struct.pack(f"<{len(shape)}i", *shape))
                         + struct.pack("<HH4s", 1, 1, b"y") + mat_element(kind, data))
    if packed:
        matrix = zlib.compress(matrix)
        matrix = struct.pack("<II", 15, len(matrix)) + matrix
    return b"MATLAB 5.0".ljust(124) + b"\0\1IM" + matrix


def safetensors(header, data):
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def png(width, height, depth, color, rows, chunks=(), interlace=0):
    def chunk(kind, body):
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def exif(orientation):
    return b"Exif\0\0" + struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)


def jpeg(width, height, channels, progressive=False, segments=()):
    """Of one value: each block is one bit for its mean, as before, and one for the end of its other frequencies."""
    def segment(marker, body):
        return struct.pack(">BBH", 0xff, marker, len(body) + 2) + body

    frame = struct.pack(">BHHB", 8, height, width, channels)
    scan = bytes([channels])
    for number in range(1, channels + 1):
        frame += bytes([number, 0x11, 0])
        scan += bytes([number, 0])
    one_code = bytes([1] + [0] * 15 + [0])  # of one bit, for the symbol 0
    blocks = -(-width // 8) * -(-height // 8) * channels
    bits = blocks if progressive else 2 * blocks
    data = "0" * bits + "1" * (-bits % 8)
    return (b"\xff\xd8" + b"".join(segment(*s) for s in segments) + segment(0xdb, b"\0" + b"\1" * 64)
            + segment(0xc2 if progressive else 0xc0, frame)
            + segment(0xc4, b"\0" + one_code) + segment(0xc4, b"\x10" + one_code)
            + segment(0xda, scan + bytes([0, 0 if progressive else 63, 0]))
            + int(data, 2).to_bytes(len(data) // 8, "big") + b"\xff\xd9")


def riff(*chunks):
    body = b"WEBP" + b"".join(chunk(*c) for c in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind, body):
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def vp8l(width, height, rgba):
    """Without loss, of one value: each channel has one symbol, of no bits."""
    red, green, blue, alpha = rgba
    fields = [(0x2f, 8), (width - 1, 14), (height - 1, 14), (1, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    for symbol in (green, red, blue, alpha):
        fields += [(1, 1), (0, 1), (1, 1), (symbol, 8)]
    fields += [(1, 1), (0, 1), (0, 1), (0, 1)]
    value = shift = 0
    for number, bits in fields:
        value |= number << shift
        shift += bits
    return value.to_bytes(-(-shift // 8), "little")


def vp8x(flags, width, height):
    return struct.pack("<I", flags) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def frame(x, y, width, height, *chunks):
    numbers = (x // 2, y // 2, width - 1, height - 1, 100)
    body = b"".join(n.to_bytes(3, "little") for n in numbers) + b"\0"
    return b"ANMF", body + b"".join(chunk(*c) for c in chunks)


def metrics():
    return {
        "format": 1, "name": "vit", "run": "20261122-101500-3fa2c1", "status": "finished",
        "exact": True, "tags": ["a"], "note": "", "started": "2026-11-22T10:15:00Z",
        "finished": None, "seed": 0, "command": ["runner", "vit.yaml"],
        "config": {"optimizer": {"type": "adam", "lr": 0.005}}, "config_sha256": "a" * 64,
        "dataset": {"type": "mnist", "sha256": "b" * 64, "train": 60000, "validation": 0,
                    "test": 10000},
        "model": {"type": "vit", "parameters": 1642, "flops_per_image": 0},
        "environment": {"vitrine": "0.1.0", "threads": 2},
        "metrics": {"test/accuracy": {"goal": "max", "unit": "fraction"}},
        "history": [{"epoch": 1, "step": 469, "train/loss": None}],
        "test": {"test/loss": 1.7, "checkpoint": "step-00000469"},
        "summary": {"test/accuracy": 0.75}, "checkpoints": {"last": "step-00000469", "best": None},
        "nonfinite": ["history[0].train/loss"],
    }


def sealed(header, data):
    """A checkpoint whose digest is yet to be filled in, as its target does."""
    metadata = {"format": "vitrine checkpoint 4", "sha256": "0" * 64,
                "state": json.dumps({"step": 469, "epoch": 1, "seed": 0, "best": None,
                                     "generators": ["1 2 3"], "losses": [0.5, -1e-9]})}
    return safetensors({"__metadata__": metadata, **header}, data)


def plan():
    first = {"name": "fake", "note": "", "seed": 0, "hidden_d": 8, "n_heads": 2, "lr": 0.1,
             "betas": [0.9, 0.99]}

    def trial(number, lr, seed):
        return {"folder": f"{number:04}-lr-{lr}", "cell": f"lr={lr}", "values": {"lr": lr},
                "seed": seed, "epochs": 3, "steps_per_epoch": 10, "cost": 1200.0,
                "confirms": False, "device": "cpu", "threads": 1, "config": 0,
                "differences": {"lr": lr, "seed": seed}}

    trials = [trial(1, 0.1, 0), trial(2, 0.1, 1), trial(3, 0.2, 0)]
    written = {"lr": 0.1, "note": "${name}", "under the default type": {"a": 1}}
    return {
        "format": 1, "id": "0a1b2c3d", "has_best": True, "jobs": 2,
        "left_out": [{"cell": "hidden_d=8 n_heads=3", "reason": "impossible"}],
        "trials": trials + [{**trial(4, 0.2, 100), "confirms": True}],
        "frozen": {"directory": "/", "environment": {"MKL_NUM_THREADS": "1"}, "drawn": 4,
                   "plugins": {"/a/plugin.so": "/b/plugin.so"}, "first": first,
                   "configs": [{"file": "sweep.yaml", "written": written,
                                "places": {"lr": ["sweep.yaml", 0, 4]}}]},
        "slurm_jobs": [{"job": "17", "tasks": [[1, 2], [3]], "cluster": "a"}],
    }


def old_plan():
    """Of a version that kept no configs."""
    out = plan()
    for key in ("id", "frozen", "slurm_jobs"):
        del out[key]
    for trial in out["trials"]:
        for key in ("config", "differences", "device", "threads"):
            del trial[key]
    return out


def report_run(seed, lr, accuracy):
    measured = {"test/accuracy": accuracy, "test/loss": 1 - accuracy, "validation/accuracy": 0.7}
    return {**metrics(), "seed": seed, "status": "finished", "nonfinite": [],
            "config": {"name": "vit", "seed": seed, "note": "", "tags": [], "threads": 1,
                       "optimizer": {"type": "adam", "lr": lr}, "model": {"n_patches": [7]}},
            "keys": {"execution": ["threads"], "label": ["name", "note", "tags"],
                     "replicate": ["seed"], "place": [], "bookkeeping": [], "set": []},
            "execution": {"threads": {"value": 1, "derived": True, "why": "one a core"}},
            "changes": [],
            "metrics": {name: {"goal": "min" if name.endswith("loss") else "max",
                               "unit": "nats" if name.endswith("loss") else "fraction"}
                        for name in ["train/loss", *measured]},
            "history": [{"epoch": epoch, "step": 469 * epoch, "train/loss": 2 / epoch,
                         "validation/accuracy": 0.7, "seconds": 0.5} for epoch in (1, 2)],
            "test": {**measured, "checkpoint": "step-00000938"},
            "summary": {**measured, "train/loss": 1.0, "seconds": 1.0}}


def test_results():
    def image(index, file):
        return {"index": index, "target": "0", "predicted": "1", "probability": 0.875,
                "probability_of_target": 0.125, "file": file}

    def each(name, images):
        return {"name": name, "images": images, "correct": 1, "recall": 0.5, "precision": None}

    return {"format": 2, "chw": [3, 1, 2],
            "tasks": {"class": {"classes": [each("0", 3), each("1", 4)],
                                "confusion": [[1, 2], [0, 4]],
                                "worst": [image(7, "worst/1.png"), image(9, "worst/2.png")]}}}


def program(image, outputs, *steps):
    """Of steps (operation, inputs, parameters, numbers), with one task of so many outputs."""
    return {
        "format": 1, "image": image, "normalize": [{"subtract": [0.5], "divide": [0.25]}],
        "tasks": [{"name": "class", "type": "classification", "names": [str(i) for i in range(outputs)],
                   "probabilities": False}],
        "scopes": [{"name": "blocks.0", "type": "pre_norm"}],
        "steps": [dict(zip(("operation", "inputs", "parameters", "numbers"), step), scope=0) for step in steps],
        "outputs": [len(steps) - 1],
    }


def programs():
    """Of every operation that one may have, over tensors that program_fuzz.cpp names by their sizes."""
    vit = program(
        [1, 4, 4], 3, ("patches", [], [], [2, 2]), ("linear", [0], ["4x4", "4"], []), ("table", [], ["4x4"], [0, 4]),
        ("add", [1, 2], [], []), ("layer_norm", [3], ["4", "4"], [1e-5, 1]), ("rms_norm", [4], ["2"], [1e-5, 2]),
        ("rotate", [5], ["4x2", "4x2"], [1, 0]), ("attention", [6, 6, 5], [], [2, 0, 0, 0]),
        ("join_tokens", [3, 7], [], []), ("tokens", [8], [], [1, 4]), ("grouped_linear", [9], ["2x2", "2x2", "2", "2"], [2]),
        ("gelu", [10], [], []), ("softmax", [11], [], []), ("weighted_sum", [12, 9], [], []), ("mean_over_tokens", [13], [], []),
        ("columns", [14], [], [0, 3]))
    lenet = program(
        [3, 6, 6], 2, ("patches", [], [], [6, 6]), ("convolution", [0], ["4x27", "4"], [6, 6, 3, 3, 1, 1, 1, 1]),
        ("relu", [1], [], []), ("max_pool", [2], [], [6, 6, 2, 2, 2, 2]), ("mean_pool", [3], [], [3, 3, 2, 2, 1, 1]),
        ("transpose", [4], [], []), ("tanh", [5], [], []), ("flatten", [6], [], []), ("columns", [7], [], [0, 12]),
        ("linear", [8], ["2x12", None], []))
    values = program(
        [1, 2, 1], 2, ("patches", [], [], [2, 1]), ("scale", [0], [], [-2.5]), ("square", [1], [], []), ("exp", [0], [], []),
        ("multiply", [2, 3], [], []), ("sigmoid", [4], [], []), ("silu", [5], [], []), ("gelu_tanh", [6], [], []),
        ("maximum", [7], [], [0.1]), ("log", [8], [], []), ("log_softmax", [9], [], []),
        ("attention_probabilities", [9, 10], [], [1]), ("mean_over_columns", [11], [], []),
        ("join_columns", [12, 12], [], []), ("flatten", [12], [], []))
    return [text_of(one) for one in (vit, lenet, values)]


def text_of(value):
    return json.dumps(value).encode()


YAML = [
    b"name: vit\nseed: 0\nmodel: {type: vit, n_patches: [7, 7], tasks: [{name: a, weight: .5}]}\n",
    b"# comment\na: &x {b: 1_000, c: 3e-4}\nd: *x\ne: |\n  text\nf: >-\n  folded\n  text\n",
    b"- 'it''s'\n- \"\\u00e9\\n\"\n- ~\n- true\n- [1, [2, [3]]]\n- {a: {b: {c: d}}}\n",
    b"base: [a.yaml, b.yaml]\ntraining:\n  epochs: 5\n  checkpoint: {every: 1 epoch, keep: 2}\n",
]

# A WebP frame of one pixel, as an encoder wrote it.
LOSSY = bytes.fromhex("30 01 00 9d 01 2a 01 00 01 00 01 00 1c 25 a4 00 03 70 00 fe fd c0 80 00")

SEEDS = {
    "idx_fuzz": [idx([5]), idx([2, 3]), idx([2, 2, 2]), idx([1, 2, 2, 2]), idx([0, 28, 28])],
    "gzip_fuzz": [gzip.compress(b"hello" * 20, mtime=0), gzip.compress(b"", mtime=0),
                  gzip.compress(b"one", mtime=0) + gzip.compress(b"two", 0, mtime=0)],
    "npy_fuzz": [npy("|u1", (2, 3), b"abcdef"), npy(">f4", (2, 1), bytes(8)),
                 npy("<i2", (2, 2), b"abcdefgh", True), npy("<f8", (0, 7), b"", False, 2),
                 npy("|b1", (), b"\1", False, 3), npy(">i8", (2, 1, 2), bytes(32), True)],
    "npz_fuzz": [npz({"x.npy": npy("|u1", (2, 3), b"abcdef"), "y.npy": npy("<i8", (2,), bytes(16))},
                     zipfile.ZIP_STORED),
                 npz({"x.npy": npy("<f4", (3, 1), bytes(12)), "notes.txt": b"text"},
                     zipfile.ZIP_DEFLATED)],
    "csv_fuzz": [b"label,a,b\n1,2,3\r\n4,5,6", b'"a ""b""","c\nd"\n\n"",\n', b"a;b\n1,5;2\n",
                 b"\xef\xbb\xbfa\tb\n1\t2"],
    "mat_fuzz": [mat((2, 1), 2, b"\1\2"), mat((1, 2), 9, struct.pack("<2d", 3, 7), True),
                 mat((2, 1, 2), 3, bytes(8))],
    "bzip2_fuzz": [bz2.compress(b"hello" * 20), bz2.compress(b""),
                   bz2.compress(b"one") + bz2.compress(b"two")],
    "json_fuzz": [b'{"a":[1,-2.5e3,true,null,"\\u00e9\\n"],"b":{"c":{}}}', b"[[[]]]", b" 7 "],
    "safetensors_fuzz": [
        safetensors({"__metadata__": {"k": "v"}, "a": tensor("F32", [2, 1], 0, 8),
                     "b": tensor("U8", [3], 8, 11)}, bytes(11)),
        safetensors({"s": tensor("F64", [], 0, 8), "n": tensor("BF16", [0, 7], 0, 0)}, bytes(8)),
        safetensors({}, b""),
    ],
    "program_fuzz": programs(),
    "png_fuzz": [
        png(2, 2, 8, 0, b"\0\1\2\1\3\4"), png(2, 1, 8, 2, b"\0\1\2\3\4\5\6"),
        png(2, 1, 16, 4, bytes(9)), png(1, 1, 8, 6, b"\0\1\2\3\4"),
        png(9, 9, 1, 0, bytes(42), (), 1),
        png(2, 1, 4, 3, b"\0\x10", [(b"PLTE", b"\1\2\3\4\5\6"), (b"tRNS", b"\x80")]),
        png(2, 1, 8, 0, b"\0\1\2", [(b"gAMA", struct.pack(">I", 45455)), (b"tRNS", b"\0\1")]),
    ],
    "jpeg_fuzz": [
        jpeg(9, 5, 1), jpeg(8, 8, 3), jpeg(8, 8, 3, True), jpeg(3, 3, 4),
        jpeg(8, 8, 4, False, [(0xee, b"Adobe\0d\0\0\0\0\2")]),
        jpeg(16, 8, 1, False, [(0xe1, exif(6)), (0xdd, b"\0\2")]),
    ],
    "webp_fuzz": [
        riff((b"VP8L", vp8l(3, 2, (1, 2, 3, 255)))), riff((b"VP8L", vp8l(1, 1, (1, 2, 3, 9)))),
        riff((b"VP8X", vp8x(8, 3, 1)), (b"VP8L", vp8l(3, 1, (9, 8, 7, 255))), (b"EXIF", exif(3))),
        riff((b"VP8X", vp8x(2, 4, 2)), (b"ANIM", bytes(6)), frame(2, 0, 2, 1, (b"VP8L", vp8l(2, 1, (1, 2, 3, 4)))),
             frame(0, 0, 1, 1, (b"VP8L", vp8l(1, 1, (1, 2, 3, 4))))),
        riff((b"VP8 ", LOSSY)),
        riff((b"VP8X", vp8x(16, 1, 1)), (b"ALPH", b"\0\x80"), (b"VP8 ", LOSSY)),
    ],
    "yaml_fuzz": YAML,
    "checkpoint_fuzz": [
        sealed({"a": tensor("F32", [2, 1], 0, 8), "b": tensor("I64", [1], 8, 16)}, bytes(16)),
        sealed({}, b""),
        sealed({"a": tensor("F64", [2], 0, 16)}, b"")[8:],
        text_of({"step": 1, "losses": [0.5, 1e-9], "a": {"b": [None, True]}, "big": 2**64 - 1}),
    ],
    "plan_fuzz": [text_of(plan()), text_of(old_plan())],
    "sweep_fuzz": [
        b"base: base.yaml\nlr: 0.1\nsweep:\n  method: grid\n"
        b"  parameters: {lr: [0.1, 0.2], hidden_d: 4..6, betas: [[0.9, 0.99], [0.8, 0.9]]}\n"
        b"  cells: [{n_heads: 2}, {name: wide, n_heads: [2, 4], note: a}]\n"
        b"  seeds: 0..2\n  confirm: {top: 2, seeds: 3}\n",
        b"note: ${name}\nsweep:\n  method: random\n  trials: 5\n  search_seed: 3\n"
        b"  parameters:\n    lr: {min: 0.001, max: 0.1, log: true}\n"
        b"    hidden_d: {min: 2, max: 16, step: 2}\n    note: [a, b]\n"
        b"\n===\nsweep.trials=7\nn_heads=1,2\nseed=0..3,7\nlr=log:1e-4..0.1\n",
        b"sweep: {method: {type: asha, min_epochs: 1, eta: 3}, trials: 4, metric: validation/loss,"
        b" configs: [base.yaml], launcher: slurm, slurm: {partition: a, time: '1:00:00'},"
        b" parameters: {lr: 0..1:0.25, betas: [[0.8, 0.9], [0.7, 0.9]]}}\n",
        b"lr: 0.1\n\n===\nlr=0.1,0.2\nsweep.cells=[{hidden_d: 4, n_heads: [1, 2]}]\nbetas+=[0.5]\n",
    ],
    "report_fuzz": [
        text_of({"a/metrics.json": report_run(0, 0.1, 0.75), "a/test.json": test_results(),
                 "a/config.yaml": "name: a\n", "b/metrics.json": report_run(0, 0.2, 0.5),
                 "a/annotations.json": {"format": 1, "note": "b", "note_before": "",
                                        "tags_added": ["a"], "tags_removed": []}}),
        text_of({"a/metrics.json": {**report_run(0, 0.1, 0.75), "status": "running"},
                 "a/metrics.jsonl": '{"kind":"epoch","step":1407,"epoch":3,"train/loss":0.5}\n',
                 "b/metrics.json": {**report_run(1, 0.1, 0.5), "changes": [
                     {"step": 469, "key": "optimizer.lr", "from": 0.2, "to": 0.1,
                      "exact": False}]}}),
        text_of(report_run(0, 0.1, 0.75)),
        text_of({"a/config.yaml": "name: a\nmodel: {type: vit}\ntags: [a]\n"}),
    ],
    "override_fuzz": [
        b"lr=0.5\nmodel.mlp={type: swiglu, ratio: 2}\nbetas.1=0.9\ntags+=[c, 'd,e']\n",
        b"model.width=${model.hidden_d}\nname=a-${lr}-$${b}\nseed=${env:HOME}\n!model.mlp\n",
        b"lr>=0.1\nmodel.mlp=gelu,swiglu\ndataset.sha256=bbbbbbbb\ntest/accuracy<0.9\nseed!=3\n",
        b"transforms.0.pixels=3\ntransforms=[\"a#b\", {type: b}]\nname=\"\\u00e9\"\nlr=1e-3\n",
    ],
    "metrics_fuzz": [
        json.dumps(metrics()).encode(),
        b'{"kind":"step","step":1,"epoch":1,"train/loss":2.3}\n'
        b'{"kind":"epoch","step":2,"epoch":1,"train/loss":null,"nonfinite":["train/loss"]}\n',
    ],
}

for target, files in SEEDS.items():
    folder = pathlib.Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(files):
        (folder / f"seed{number}").write_bytes(content)
