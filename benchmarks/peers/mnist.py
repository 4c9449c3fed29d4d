"""MNIST from its four IDX files, raw or gzipped, as torch tensors."""
import gzip
import pathlib

import numpy as np
import torch


def read_idx(folder, name):
    path = pathlib.Path(folder) / name
    raw = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    sizes = np.frombuffer(raw, ">u4", offset=4, count=raw[3])
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes).copy())


def load(folder):
    """(images uint8 [N, 28, 28], labels int64 [N]) of the training set and of the test set."""
    return [
        (read_idx(folder, f"{name}-images-idx3-ubyte"), read_idx(folder, f"{name}-labels-idx1-ubyte").long())
        for name in ("train", "t10k")
    ]
