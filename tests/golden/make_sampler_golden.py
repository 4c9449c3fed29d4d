"""Batch orders of PyTorch's DataLoader with shuffle=True, for tests/framework/data/epoch_order_test.cpp.

    python make_sampler_golden.py            writes sampler.json beside this file
"""
import hashlib, json, pathlib
import torch
from torch.utils.data import DataLoader

EPOCHS = 3


def orders(seed, n):
    torch.manual_seed(seed)
    loader = DataLoader(torch.arange(n), shuffle=True, batch_size=n)
    for _ in range(EPOCHS):
        (order,) = loader
        digest = hashlib.sha256(order.numpy().astype("<i8").tobytes()).hexdigest()
        yield {"first": order[:10].tolist(), "sha256": digest}


golden = [
    {"seed": seed, "n": n, "epochs": list(orders(seed, n))} for seed in (0, 1) for n in (10, 1000, 60000)
]
path = pathlib.Path(__file__).parent / "sampler.json"
path.write_text(json.dumps({"torch": torch.__version__, "orders": golden}, indent=1) + "\n")
