"""The tutorial's Vision Transformer in PyTorch, vectorised, its data resident in memory.

    python torch_vit.py MNIST_FOLDER --mode eager|sdpa|compile [--epochs 5] [--hidden-d 8 --n-heads 2 --n-blocks 2]

eager: attention written out, Adam as it comes. sdpa: scaled_dot_product_attention and fused Adam. compile: that
under torch.compile. Prints one JSON line an epoch, then one with the test accuracy.
"""
import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

import mnist

SIDE, CLASSES = 28, 10


class HeadwiseAttention(nn.Module):
    """Each head maps its own slice of the columns by matrices of its own."""

    def __init__(self, width, heads, fused):
        super().__init__()
        self.heads, self.fused, d = heads, fused, width // heads
        bound = d**-0.5
        self.weight = nn.Parameter(torch.empty(3, heads, d, d).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(3, heads, 1, d).uniform_(-bound, bound))

    def forward(self, x):
        slices = x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # [B, H, N, d]
        q, k, v = (slices @ w.mT + b for w, b in zip(self.weight, self.bias))
        if self.fused:
            out = F.scaled_dot_product_attention(q, k, v)
        else:
            out = (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1) @ v
        return out.transpose(1, 2).flatten(2)


class Block(nn.Module):
    def __init__(self, width, heads, fused):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = HeadwiseAttention(width, heads, fused)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def sincos(tokens, width):
    i, j = torch.arange(float(tokens)).unsqueeze(1), torch.arange(width)
    angles = i / 10000 ** ((j - j % 2) / width)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())


class Vit(nn.Module):
    def __init__(self, width, heads, blocks, fused, patches=7):
        super().__init__()
        self.patches, self.pixels = patches, SIDE // patches
        self.embedding = nn.Linear(self.pixels**2, width)
        self.token = nn.Parameter(torch.rand(1, 1, width))
        self.register_buffer("positions", sincos(patches**2 + 1, width))
        self.blocks = nn.Sequential(*(Block(width, heads, fused) for _ in range(blocks)))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, images):  # float [B, 28, 28]
        grid = images.unflatten(2, (self.patches, -1)).unflatten(1, (self.patches, -1))
        x = self.embedding(grid.transpose(2, 3).flatten(3).flatten(1, 2))
        x = torch.cat((self.token.expand(len(x), -1, -1), x), 1) + self.positions
        return self.head(self.blocks(x)[:, 0]).softmax(-1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mnist")
    parser.add_argument("--mode", choices=("eager", "sdpa", "compile"), default="sdpa")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--hidden-d", type=int, default=8)
    parser.add_argument("--n-heads", type=int, default=2)
    parser.add_argument("--n-blocks", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--images", type=int, default=60000, help="only so many of the training set")
    options = parser.parse_args()
    fused = options.mode != "eager"
    torch.manual_seed(0)
    (train, labels), (test, answers) = mnist.load(options.mnist)
    train, labels = train[: options.images].float() / 255, labels[: options.images]
    model = Vit(options.hidden_d, options.n_heads, options.n_blocks, fused)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005, fused=fused)

    def loss_of(images, targets):
        return F.cross_entropy(model(images), targets)

    if options.mode == "compile":
        loss_of = torch.compile(loss_of)
    for epoch in range(1, options.epochs + 1):
        start, total = time.perf_counter(), 0.0
        for batch in torch.randperm(len(train)).split(options.batch_size):
            loss = loss_of(train[batch], labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        seconds = time.perf_counter() - start
        print(json.dumps({"epoch": epoch, "seconds": seconds, "loss": total / len(train)}), flush=True)
    with torch.inference_mode():
        guesses = torch.cat([model(images.float() / 255).argmax(1) for images in test.split(1000)])
    print(json.dumps({"accuracy": (guesses == answers).double().mean().item()}), flush=True)


if __name__ == "__main__":
    main()
