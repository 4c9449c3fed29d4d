"""Writes the seeds of the fuzz targets: small valid files of each format.

usage: make_corpus.py FOLDER    (makes FOLDER/<target>/...; needs only Python's standard library)
"""
import gzip
import json
import pathlib
import struct
import sys
import zlib


def idx(shape):
    count = 1
    for size in shape:
        count *= size
    header = struct.pack(">HBB", 0, 8, len(shape)) + struct.pack(f">{len(shape)}I", *shape)
    return header + bytes(i % 256 for i in range(count))


def safetensors(header, data):
    text = json.dumps(header).encode()
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


def metrics():
    return {
        "format": 1, "name": "vit", "run": "20261122-101500-3fa2c1", "status": "finished",
        "exact": True, "tags": ["a"], "note": "", "started": "2026-11-22T10:15:00Z",
        "finished": None, "seed": 0, "command": ["runner", "vit.yaml"],
        "config": {"optimizer": {"type": "adam", "lr": 0.005}}, "config_sha256": "a" * 64,
        "dataset": {"type": "mnist", "sha256": "b" * 64, "train": 60000, "validation": 0,
                    "test": 10000},
        "model": {"type": "vit", "parameters": 1642, "flops_per_image": 0, "encoder": "layers"},
        "environment": {"vitrine": "0.1.0", "threads": 2},
        "metrics": {"test/accuracy": {"goal": "max", "unit": "fraction"}},
        "history": [{"epoch": 1, "step": 469, "train/loss": None}],
        "test": {"test/loss": 1.7, "checkpoint": "step-00000469"},
        "summary": {"test/accuracy": 0.75}, "checkpoints": {"last": "step-00000469", "best": None},
        "nonfinite": ["history[0].train/loss"],
    }


YAML = [
    b"name: vit\nseed: 0\nmodel: {type: vit, n_patches: [7, 7], tasks: [{name: a, weight: .5}]}\n",
    b"# comment\na: &x {b: 1_000, c: 3e-4}\nd: *x\ne: |\n  text\nf: >-\n  folded\n  text\n",
    b"- 'it''s'\n- \"\\u00e9\\n\"\n- ~\n- true\n- [1, [2, [3]]]\n- {a: {b: {c: d}}}\n",
    b"base: [a.yaml, b.yaml]\ntraining:\n  epochs: 5\n  checkpoint: {every: 1 epoch, keep: 2}\n",
]

SEEDS = {
    "idx_fuzz": [idx([5]), idx([2, 3]), idx([2, 2, 2]), idx([1, 2, 2, 2]), idx([0, 28, 28])],
    "gzip_fuzz": [gzip.compress(b"hello" * 20, mtime=0), gzip.compress(b"", mtime=0),
                  gzip.compress(b"one", mtime=0) + gzip.compress(b"two", 0, mtime=0)],
    "json_fuzz": [b'{"a":[1,-2.5e3,true,null,"\\u00e9\\n"],"b":{"c":{}}}', b"[[[]]]", b" 7 "],
    "safetensors_fuzz": [
        safetensors({"__metadata__": {"k": "v"}, "a": tensor("F32", [2, 1], 0, 8),
                     "b": tensor("U8", [3], 8, 11)}, bytes(11)),
        safetensors({"s": tensor("F64", [], 0, 8), "n": tensor("BF16", [0, 7], 0, 0)}, bytes(8)),
        safetensors({}, b""),
    ],
    "png_fuzz": [
        png(2, 2, 8, 0, b"\0\1\2\1\3\4"), png(2, 1, 8, 2, b"\0\1\2\3\4\5\6"),
        png(2, 1, 16, 4, bytes(9)), png(1, 1, 8, 6, b"\0\1\2\3\4"),
        png(9, 9, 1, 0, bytes(42), (), 1),
        png(2, 1, 4, 3, b"\0\x10", [(b"PLTE", b"\1\2\3\4\5\6"), (b"tRNS", b"\x80")]),
        png(2, 1, 8, 0, b"\0\1\2", [(b"gAMA", struct.pack(">I", 45455)), (b"tRNS", b"\0\1")]),
    ],
    "yaml_fuzz": YAML,
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
