"""Models other than the tutorial's in PyTorch, written with torch's own modules, scaled_dot_product_attention and fused Adam.

    python torch_models.py MNIST_FOLDER|noise [--model vit|mixer|lenet] [--mlp swiglu] [--norm rms] [--images 6400] ...

noise: images of noise, of --channels and --side. Prints one JSON line an epoch.
"""
import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.projection = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.projection(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Swiglu(nn.Module):
    def __init__(self, width):
        super().__init__()
        hidden = (8 * width + 23) // 24 * 8
        self.gate, self.up, self.down = nn.Linear(width, hidden), nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


def mlp(kind, width, hidden=None):
    if kind == "swiglu":
        return Swiglu(width)
    hidden = hidden or 4 * width
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU() if kind == "relu" else nn.GELU(), nn.Linear(hidden, width))


def norm(kind, width):
    return nn.RMSNorm(width, eps=1e-6) if kind == "rms" else nn.LayerNorm(width)


class Branch(nn.Module):
    """What a residual branch's output goes through."""

    def __init__(self, options, width, share):
        super().__init__()
        self.dropout, self.drop_path = nn.Dropout(options.dropout), options.drop_path * share
        self.scale = nn.Parameter(torch.full((width,), options.layer_scale)) if options.layer_scale else None

    def forward(self, x):
        x = self.dropout(x)
        if self.scale is not None:
            x = x * self.scale
        if self.drop_path and self.training:
            x = x * x.new_empty(len(x), 1, 1).bernoulli_(1 - self.drop_path).div_(1 - self.drop_path)
        return x


class Block(nn.Module):
    def __init__(self, options, width, share):
        super().__init__()
        self.post = options.block == "post_norm"
        self.norm1, self.norm2 = norm(options.norm, width), norm(options.norm, width)
        self.attention, self.mlp = Attention(width, options.n_heads), mlp(options.mlp, width)
        self.branch1, self.branch2 = Branch(options, width, share), Branch(options, width, share)

    def forward(self, x):
        if self.post:
            x = self.norm1(x + self.branch1(self.attention(x)))
            return self.norm2(x + self.branch2(self.mlp(x)))
        x = x + self.branch1(self.attention(self.norm1(x)))
        return x + self.branch2(self.mlp(self.norm2(x)))


class MixerBlock(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.across, self.along = mlp("gelu", tokens, width // 2), mlp("gelu", width)

    def forward(self, x):
        x = x + self.across(self.norm1(x).mT).mT
        return x + self.along(self.norm2(x))


class Patches(nn.Module):
    def __init__(self, options, width):
        super().__init__()
        self.n, side = options.n_patches, options.side // options.n_patches
        self.linear = nn.Linear(options.channels * side**2, width)

    def forward(self, x):  # [B, C, H, W]
        grid = x.unflatten(3, (self.n, -1)).unflatten(2, (self.n, -1))
        return self.linear(grid.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2))


class Stem(nn.Module):
    def __init__(self, options, width):
        super().__init__()
        halvings, channels, layers = (options.side // options.n_patches).bit_length() - 1, options.channels, []
        for left in reversed(range(halvings)):
            layers += [nn.Conv2d(channels, max(width >> left, 8), 3, stride=2, padding=1), nn.GELU()]
            channels = max(width >> left, 8)
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, width, 1))

    def forward(self, x):
        return self.layers(x).flatten(2).mT


class Vit(nn.Module):
    def __init__(self, options):
        super().__init__()
        width, tokens = options.hidden_d, options.n_patches**2 + 1
        self.embedding = (Stem if options.stem else Patches)(options, width)
        self.token = nn.Parameter(torch.rand(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, tokens, width) * 0.02)
        last = max(options.n_blocks - 1, 1)
        self.blocks = nn.Sequential(*(Block(options, width, i / last) for i in range(options.n_blocks)))
        self.norm, self.head = norm(options.norm, width), nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.embedding(x)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.positions
        return self.head(self.norm(self.blocks(x)[:, 0]))


class Mixer(nn.Module):
    def __init__(self, options):
        super().__init__()
        width = options.hidden_d
        self.layers = nn.Sequential(Patches(options, width),
                                    *(MixerBlock(options.n_patches**2, width) for _ in range(options.n_blocks)),
                                    nn.LayerNorm(width))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x):
        return self.head(self.layers(x).mean(1))


class LeNet(nn.Sequential):
    def __init__(self, options):
        side = (options.side // 2 - 4) // 2
        super().__init__(nn.Conv2d(options.channels, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * side**2, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, CLASSES))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--model", choices=("vit", "mixer", "lenet"), default="vit")
    parser.add_argument("--epochs", type=int, default=2)
    for name, value in (("hidden-d", 8), ("n-heads", 2), ("n-blocks", 2), ("n-patches", 7), ("batch-size", 128), ("images", 60000),
                        ("channels", 1), ("side", 28), ("threads", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    for name in ("dropout", "drop-path", "layer-scale"):
        parser.add_argument(f"--{name}", type=float, default=0)
    parser.add_argument("--mlp", choices=("gelu", "relu", "swiglu"), default="gelu")
    parser.add_argument("--norm", choices=("layer", "rms"), default="layer")
    parser.add_argument("--block", choices=("pre_norm", "post_norm"), default="pre_norm")
    parser.add_argument("--stem", action="store_true")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.data == "noise":
        images = torch.randint(0, 256, (options.images, options.channels, options.side, options.side), dtype=torch.uint8)
        labels = torch.randint(0, CLASSES, (options.images,))
    else:
        import mnist
        (images, labels), _ = mnist.load(options.data)
        images, labels = images[: options.images].unsqueeze(1), labels[: options.images]
    model = {"vit": Vit, "mixer": Mixer, "lenet": LeNet}[options.model](options)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        for batch in torch.randperm(len(images)).split(options.batch_size):
            loss = F.cross_entropy(model(images[batch].float() / 255), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(json.dumps({"epoch": epoch, "seconds": time.perf_counter() - start, "loss": loss.item()}), flush=True)


if __name__ == "__main__":
    main()
