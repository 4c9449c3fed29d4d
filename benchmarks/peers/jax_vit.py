"""The tutorial's Vision Transformer in JAX, the whole training step under jit.

    python jax_vit.py MNIST_FOLDER [--epochs 2]

Prints one JSON line an epoch; the first includes compilation.
"""
import argparse
import gzip
import json
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np

WIDTH, HEADS, BLOCKS, PATCHES, BATCH = 8, 2, 2, 7, 128


def read_idx(path):
    raw = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(np.frombuffer(raw, ">u4", raw[3], 4))


def linear(key, inputs, outputs):
    weight, bias = jax.random.split(key)
    draw = lambda key, shape: jax.random.uniform(key, shape, minval=-(inputs**-0.5), maxval=inputs**-0.5)
    return {"w": draw(weight, (inputs, outputs)), "b": draw(bias, (outputs,))}


def norm_parameters():
    return {"w": jnp.ones(WIDTH), "b": jnp.zeros(WIDTH)}


def initial(key):
    keys = iter(jax.random.split(key, 64))
    d = WIDTH // HEADS
    blocks = [
        {
            "norm1": norm_parameters(),
            "qkv": [[linear(next(keys), d, d) for _ in range(HEADS)] for _ in range(3)],
            "norm2": norm_parameters(),
            "fc1": linear(next(keys), WIDTH, 4 * WIDTH),
            "fc2": linear(next(keys), 4 * WIDTH, WIDTH),
        }
        for _ in range(BLOCKS)
    ]
    return {
        "embedding": linear(next(keys), (28 // PATCHES) ** 2, WIDTH),
        "token": jax.random.uniform(next(keys), (1, 1, WIDTH)),
        "blocks": blocks,
        "head": linear(next(keys), WIDTH, 10),
    }


def apply(p, x):
    return x @ p["w"] + p["b"]


def norm(p, x):
    return jax.nn.standardize(x, epsilon=1e-5) * p["w"] + p["b"]


def attention(maps, x):
    heads = []
    for part, q, k, v in zip(jnp.split(x, HEADS, -1), *maps):
        q, k, v = apply(q, part), apply(k, part), apply(v, part)
        shares = jax.nn.softmax(jnp.einsum("bnd,bmd->bnm", q, k) * part.shape[-1] ** -0.5)
        heads.append(jnp.einsum("bnm,bmd->bnd", shares, v))
    return jnp.concatenate(heads, -1)


def positions():
    i, j = np.arange(PATCHES**2 + 1)[:, None], np.arange(WIDTH)
    angles = i / 10000 ** ((j - j % 2) / WIDTH)
    return np.where(j % 2 == 0, np.sin(angles), np.cos(angles)).astype(np.float32)


def forward(p, patches):
    x = apply(p["embedding"], patches)
    x = jnp.concatenate((jnp.broadcast_to(p["token"], (len(x), 1, WIDTH)), x), 1) + positions()
    for block in p["blocks"]:
        x = x + attention(block["qkv"], norm(block["norm1"], x))
        hidden = jax.nn.gelu(apply(block["fc1"], norm(block["norm2"], x)), approximate=False)
        x = x + apply(block["fc2"], hidden)
    return jax.nn.softmax(apply(p["head"], x[:, 0]))


def loss_of(p, patches, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(forward(p, patches)), labels[:, None], 1).mean()


@jax.jit
def step(p, first, second, n, patches, labels):
    """Adam (Kingma & Ba 2015) with a learning rate of 0.005."""
    loss, gradient = jax.value_and_grad(loss_of)(p, patches, labels)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
    a, b = 1 / (1 - 0.9**n), 1 / (1 - 0.999**n)
    p = jax.tree.map(lambda p, m, v: p - 0.005 * a * m / (jnp.sqrt(b * v) + 1e-8), p, first, second)
    return p, first, second, loss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    images = read_idx(options.mnist / "train-images-idx3-ubyte").astype(np.float32) / 255
    labels = read_idx(options.mnist / "train-labels-idx1-ubyte").astype(np.int32)
    side = 28 // PATCHES
    patches = images.reshape(-1, PATCHES, side, PATCHES, side).swapaxes(2, 3).reshape(-1, PATCHES**2, side**2)
    p = initial(jax.random.PRNGKey(0))
    first = second = jax.tree.map(jnp.zeros_like, p)
    random, n = np.random.default_rng(0), 0
    for epoch in range(1, options.epochs + 1):
        start, losses = time.perf_counter(), []
        order = random.permutation(len(patches))
        for batch in np.split(order[: len(order) // BATCH * BATCH], len(order) // BATCH):
            n += 1
            p, first, second, loss = step(p, first, second, float(n), patches[batch], labels[batch])
            losses.append(loss)
        seconds = float(np.mean(losses)) and time.perf_counter() - start
        print(json.dumps({"epoch": epoch, "seconds": seconds, "loss": float(np.mean(losses))}), flush=True)


if __name__ == "__main__":
    main()
