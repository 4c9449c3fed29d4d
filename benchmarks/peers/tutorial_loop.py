"""The tutorial's way of training, step for step: images converted one by one, cut patch by patch, attended image by image and head
by head in Python; the loss is read back after every step.

    python tutorial_loop.py MNIST_FOLDER [--steps 40]

Prints one JSON line: seconds a step, and what an epoch of 469 steps would take.
"""
import argparse
import json
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import mnist
from torch_vit import sincos

WIDTH, HEADS, PATCHES = 8, 2, 7


class Images(Dataset):
    """An image is converted when it is asked for, as by torchvision's ToTensor."""

    def __init__(self, folder):
        (self.images, self.labels), _ = mnist.load(folder)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i][None].float().div(255), int(self.labels[i])


def cut(images):
    """[B, 1, 28, 28] -> [B, 49, 16], one patch after the other."""
    side = images.shape[2] // PATCHES
    out = torch.zeros(len(images), PATCHES**2, side**2)
    for b, image in enumerate(images):
        for row in range(PATCHES):
            for column in range(PATCHES):
                patch = image[:, row * side : (row + 1) * side, column * side : (column + 1) * side]
                out[b, row * PATCHES + column] = patch.flatten()
    return out


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.d, self.softmax = WIDTH // HEADS, nn.Softmax(-1)
        self.maps = nn.ModuleList(nn.ModuleList(nn.Linear(self.d, self.d) for _ in range(3)) for _ in range(HEADS))

    def forward(self, x):
        images = []
        for tokens in x:
            heads = []
            for head, (to_q, to_k, to_v) in enumerate(self.maps):
                part = tokens[:, head * self.d : (head + 1) * self.d]
                q, k, v = to_q(part), to_k(part), to_v(part)
                heads.append(self.softmax(q @ k.T / self.d**0.5) @ v)
            images.append(torch.hstack(heads))
        return torch.cat([image[None] for image in images])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2, self.attention = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH), Attention()
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.token = nn.Linear(16, WIDTH), nn.Parameter(torch.rand(1, WIDTH))
        self.register_buffer("positions", sincos(PATCHES**2 + 1, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Sequential(nn.Linear(WIDTH, 10), nn.Softmax(-1))

    def forward(self, images):
        x = self.embedding(cut(images))
        x = torch.stack([torch.vstack((self.token, tokens)) for tokens in x])
        x = x + self.positions.repeat(len(x), 1, 1)
        for block in self.blocks:
            x = block(x)
        return self.head(x[:, 0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mnist")
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    data, total = Images(options.mnist), 0.0
    model, loss_of = Vit(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    start = time.perf_counter()
    for step, (x, y) in enumerate(DataLoader(data, shuffle=True, batch_size=128)):
        if step == options.steps:
            break
        loss = loss_of(model(x), y)
        total += loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seconds = (time.perf_counter() - start) / options.steps
    print(json.dumps({"seconds_a_step": seconds, "seconds_an_epoch": 469 * seconds}))


if __name__ == "__main__":
    main()
