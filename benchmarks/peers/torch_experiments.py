"""What the experiments train, in PyTorch: a masked autoencoder (He et al. 2022) and distillation, of the models of torch_models.py.

    python torch_experiments.py MNIST_FOLDER masked_autoencoder|distillation [--hidden-d 64] [--images 6400] ...

Prints one JSON line an epoch.
"""
import argparse
import json
import time
import types

import mnist
import torch
from torch import nn
from torch.nn import functional as F
from torch_models import Block, Vit


def sincos(tokens, width):
    places, pairs = torch.arange(tokens).unsqueeze(1), torch.arange(width) // 2
    angles = places / 10000 ** (2 * pairs / width)
    return torch.where(torch.arange(width) % 2 == 0, angles.sin(), angles.cos())


class MaskedAutoencoder(nn.Module):
    def __init__(self, options):
        super().__init__()
        n, width, decoder = options.n_patches, options.hidden_d, options.decoder_d
        self.n, self.side, self.shown = n, options.side // n, n * n - round(options.hidden * n * n)
        self.encoder = Vit(options)
        self.input, self.hidden = nn.Linear(width, decoder), nn.Parameter(torch.randn(1, 1, decoder) * 0.02)
        self.register_buffer("positions", sincos(n * n + 1, decoder))
        parts = types.SimpleNamespace(**{**vars(options), "n_heads": options.decoder_heads})
        self.blocks = nn.Sequential(*(Block(parts, decoder, 0) for _ in range(options.decoder_blocks)))
        self.norm, self.output = nn.LayerNorm(decoder), nn.Linear(decoder, options.channels * self.side**2)

    def forward(self, images):
        patches = images.unflatten(3, (self.n, -1)).unflatten(2, (self.n, -1)).permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        encoder = self.encoder
        x = encoder.embedding.linear(patches) + encoder.positions[:, 1:]
        order = torch.rand(x.shape[:2]).argsort(1)
        places, shown = order.argsort(1), order[:, : self.shown]
        x = x.gather(1, shown.unsqueeze(2).expand(-1, -1, x.shape[2]))
        x = torch.cat((encoder.token.expand(len(x), -1, -1) + encoder.positions[:, :1], x), 1)
        x = self.input(encoder.norm(encoder.blocks(x)))
        all_hidden = self.hidden.expand(len(x), self.n**2 - self.shown, -1)
        y = torch.cat((x[:, 1:], all_hidden), 1).gather(1, places.unsqueeze(2).expand(-1, -1, x.shape[2]))
        y = torch.cat((x[:, :1], y), 1) + self.positions
        told = self.output(self.norm(self.blocks(y)))[:, 1:]
        mean, variance = patches.mean(2, keepdim=True), patches.var(2, keepdim=True, unbiased=False)
        difference = (told - (patches - mean) / (variance + 1e-6).sqrt()).square().mean(2)
        is_hidden = places >= self.shown
        return (difference * is_hidden).sum() / is_hidden.sum()


class Distillation(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.student = Vit(options)
        teacher = types.SimpleNamespace(**{**vars(options), "hidden_d": options.teacher_d, "n_heads": options.teacher_heads,
                                           "n_blocks": options.teacher_blocks})
        self.teacher = [Vit(teacher).eval()]  # in a list: none of the trained modules

    def forward(self, images, labels):
        with torch.no_grad():
            theirs = (self.teacher[0](images) / 3).log_softmax(1)
        logits = self.student(images)
        apart = F.kl_div((logits / 3).log_softmax(1), theirs, reduction="batchmean", log_target=True) * 9
        return 0.5 * F.cross_entropy(logits, labels) + 0.5 * apart


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("experiment", choices=("masked_autoencoder", "distillation"))
    for name, value in (("hidden-d", 64), ("n-heads", 4), ("n-blocks", 4), ("n-patches", 7), ("batch-size", 128), ("images", 6400),
                        ("epochs", 2), ("decoder-d", 64), ("decoder-heads", 4), ("decoder-blocks", 1), ("teacher-d", 64),
                        ("teacher-heads", 4), ("teacher-blocks", 4), ("channels", 1), ("side", 28), ("threads", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--hidden", type=float, default=0.75)
    options = parser.parse_args()
    for name, value in (("mlp", "gelu"), ("norm", "layer"), ("block", "pre_norm"), ("dropout", 0), ("drop_path", 0), ("layer_scale", 0),
                        ("stem", False)):
        setattr(options, name, value)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    (images, labels), _ = mnist.load(options.data)
    images, labels = images[: options.images].unsqueeze(1), labels[: options.images]
    model = (MaskedAutoencoder if options.experiment == "masked_autoencoder" else Distillation)(options)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, fused=True)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        for batch in torch.randperm(len(images)).split(options.batch_size):
            pixels = images[batch].float() / 255
            loss = model(pixels) if options.experiment == "masked_autoencoder" else model(pixels, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(json.dumps({"epoch": epoch, "seconds": time.perf_counter() - start, "loss": loss.item()}), flush=True)


if __name__ == "__main__":
    main()
