#!/usr/bin/env python3
"""Compares with the real timm and transformers: weights of theirs here, and weights of ours there.

    python tests/peers/weights.py [RUNNER]      (by hand; needs torch, torchvision, timm, transformers, pillow)

Models are randomly initialised, of several sizes. Of eight images each the logarithms of all probabilities, which are
the logits but for a constant, are compared; they must agree to 1e-5. timm's own conversions stand beside ours where
grid or channels are other ones.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed
from timm.models import VisionTransformer, adapt_input_conv
from transformers import ViTConfig, ViTForImageClassification

RUNNER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release/runner").absolute()
#        channels, side, patches a side, width, heads, blocks, ratio, classes
SIZES = [(1, 28, 4, 24, 3, 2, 4, 10),
         (3, 32, 8, 64, 4, 3, 2, 7),
         (3, 48, 3, 96, 6, 1, 3, 2)]
worst = 0.0


def timm_model(size, **other):
    channels, side, patches, width, heads, blocks, ratio, classes = size
    return VisionTransformer(img_size=side, patch_size=side // patches, in_chans=channels, num_classes=classes,
                             embed_dim=width, depth=blocks, num_heads=heads, mlp_ratio=ratio, **other)


def huggingface_model(size):
    channels, side, patches, width, heads, blocks, ratio, classes = size
    return ViTForImageClassification(ViTConfig(
        hidden_size=width, num_hidden_layers=blocks, num_attention_heads=heads, intermediate_size=ratio * width,
        image_size=side, patch_size=side // patches, num_channels=channels, num_labels=classes))


def randomised(model):
    """Every weight random: biases and tokens begin as zeros, which would hide a mistake."""
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model.eval()


def logits(model, images):
    with torch.no_grad():
        out = model(torch.from_numpy(images).float() / 255)
    return getattr(out, "logits", out)


def config(size, eps, block="pre_norm", attention="multi_head"):
    _, _, patches, width, heads, blocks, ratio, _ = size
    return (f"{{type: vit, n_patches: {patches}, hidden_d: {width}, n_heads: {heads}, n_blocks: {blocks}, "
            f"position: learned, norm: {{type: layer, eps: {eps}}}, mlp: {{type: gelu, ratio: {ratio}}}, "
            f"block: {block}, attention: {attention}}}")


class Place:
    """A folder with images, and what the runner does there."""

    def __init__(self, folder, size):
        self.folder, self.runs = pathlib.Path(folder), 0
        channels, side, classes = size[0], size[1], size[-1]
        random = numpy.random.default_rng(0)
        self.images = random.integers(0, 256, (8, channels, side, side), numpy.uint8)
        labels = numpy.arange(8) % classes
        both = {"images": torch.from_numpy(self.images), "labels": torch.from_numpy(labels)}
        save_file({f"{split}/{key}": value.clone() for split in ("train", "test") for key, value in both.items()},
                  self.folder / "data.safetensors")
        for i, image in enumerate(self.images):
            Image.fromarray(image[0] if channels == 1 else image.transpose(1, 2, 0)).save(self.folder / f"{i}.png")
        self.dataset = f"{{type: arrays, path: data.safetensors, class_names: {[str(i) for i in range(classes)]}}}"

    def call(self, *arguments):
        return subprocess.run([RUNNER, *arguments], cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def train(self, model, *arguments):
        self.runs += 1
        (self.folder / "c.yaml").write_text(f"name: c\ndataset: {self.dataset}\nmodel: {model}\n")
        self.call("c.yaml", "--run-dir", f"run{self.runs}", *arguments)
        return f"run{self.runs}"

    def with_weights(self, model, weights):
        """A run whose weights are those of the file, as they are."""
        return self.train(model, f"model.weights={weights}", "optimizer.lr=0", "training.max_steps=1")

    def log_probabilities(self, run):
        answers = json.loads(self.call("predict", run, *[f"{i}.png" for i in range(8)], "--json"))
        answers = answers["images"] if isinstance(answers, dict) else answers
        return torch.tensor([list(each["tasks"][0]["probabilities"].values()) for each in answers]).log()

    def check(self, what, run, model):
        global worst
        difference = (self.log_probabilities(run) - logits(model, self.images).log_softmax(1)).abs().max().item()
        worst = max(worst, difference)
        print(f"{what}: {difference:.1e}{'' if difference < 1e-5 else '  TOO MUCH'}")


def compare(size):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, size)
        from_timm(place, size)
        from_huggingface(place, size)
        to_others(place, size)


def from_timm(place, size):
    for name, other, block, attention in [
            ("plain", {}, "pre_norm", "multi_head"),
            ("layer scale, no bias, q and k normalised", {"init_values": 0.1, "qkv_bias": False, "qk_norm": True},
             "{type: pre_norm, layer_scale: 0.1}", "{type: multi_head, qkv_bias: false, qk_norm: true}")]:
        model = randomised(timm_model(size, **other))
        save_file(model.state_dict(), place.folder / "theirs.safetensors")
        run = place.with_weights(config(size, 1e-6, block, attention), "theirs.safetensors")
        place.check(f"{size} timm here, {name}", run, model)
        place.call("export", run, "again.safetensors", "--layout", "timm")
        again = load_file(place.folder / "again.safetensors")
        assert again.keys() == model.state_dict().keys()
        assert all(torch.equal(again[key], value) for key, value in model.state_dict().items())
    other = randomised(timm_model((4 - size[0], 2 * size[1], 2 * size[2], *size[3:])))  # 3 channels for 1 and the reverse
    wrapped = {"model._orig_mod." + key: value for key, value in other.state_dict().items()}
    save_file(wrapped, place.folder / "other.safetensors")
    run = place.with_weights(config(size, 1e-6), "other.safetensors")
    weights = dict(other.state_dict())
    weights["pos_embed"] = resample_abs_pos_embed(weights["pos_embed"], [size[2], size[2]])
    kernel = weights["patch_embed.proj.weight"]
    # timm itself makes no three channels of one.
    weights["patch_embed.proj.weight"] = adapt_input_conv(1, kernel) if size[0] == 1 else kernel.repeat(1, 3, 1, 1) / 3
    model = timm_model(size).eval()
    model.load_state_dict(weights)
    place.check(f"{size} timm here, another grid and other channels", run, model)


def from_huggingface(place, size):
    model = randomised(huggingface_model(size))
    model.save_pretrained(place.folder / "theirs")
    run = place.with_weights(config(size, 1e-12), "theirs")  # a folder with a model.safetensors
    place.check(f"{size} transformers here", run, model)
    place.call("export", run, "again.safetensors", "--layout", "huggingface")
    again, before = load_file(place.folder / "again.safetensors"), load_file(place.folder / "theirs/model.safetensors")
    assert again.keys() == before.keys() and all(torch.equal(again[key], before[key]) for key in before)


def to_others(place, size):
    run = place.train(config(size, 1e-6), "training.epochs=3", "training.batch_size=4", "optimizer.lr=0.01")
    place.call("export", run, "timm.safetensors", "--layout", "timm")
    model = timm_model(size).eval()
    model.load_state_dict(load_file(place.folder / "timm.safetensors"), strict=True)
    place.check(f"{size} ours in timm", run, model)
    run = place.train(config(size, 1e-12), "training.epochs=3", "training.batch_size=4", "optimizer.lr=0.01")
    theirs = place.folder / "ours"
    huggingface_model(size).config.save_pretrained(theirs)
    place.call("export", run, "ours/model.safetensors", "--layout", "huggingface")
    model, report = ViTForImageClassification.from_pretrained(theirs, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    place.check(f"{size} ours in transformers", run, model.eval())


torch.manual_seed(0)
for each in SIZES:
    compare(each)
print(f"largest difference {worst:.1e}")
sys.exit(worst >= 1e-5)
