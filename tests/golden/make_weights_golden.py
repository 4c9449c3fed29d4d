#!/usr/bin/env python3
"""Writes what timm and transformers compute with randomly initialised Vision Transformers, their weights, and
timm's conversions for other grids and channels, which tests/models/weights_test.cpp compares with.

    python tests/golden/make_weights_golden.py      (made with torch 2.13.0, timm 1.0.31 and transformers 5.24.0)
"""
import pathlib
import tempfile

import torch
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed
from timm.models import VisionTransformer, adapt_input_conv
from transformers import ViTConfig, ViTForImageClassification

FOLDER = pathlib.Path(__file__).parent


def randomised(model):
    """Every weight random: biases and tokens begin as zeros, which would hide a mistake."""
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


def from_timm():
    model = randomised(VisionTransformer(
        img_size=(12, 18), patch_size=(4, 6), in_chans=3, num_classes=5, embed_dim=12, depth=2, num_heads=3, mlp_ratio=2,
        init_values=0.1, qk_norm=True))
    images = torch.rand(4, 3, 12, 18)
    out = {f"weights/{name}": value for name, value in model.state_dict().items()}
    out |= {"images": images, "logits": model(images)}
    out |= {f"positions/{rows}x{columns}": resample_abs_pos_embed(model.pos_embed, [rows, columns])[0]
            for rows, columns in [(2, 2), (3, 5), (7, 4)]}
    weight = model.patch_embed.proj.weight
    out |= {f"channels/{count}": adapt_input_conv(count, weight).flatten(1) for count in (1, 2, 4, 7)}
    return out


def from_huggingface():
    model = randomised(ViTForImageClassification(ViTConfig(
        hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=36, image_size=12, patch_size=4,
        num_channels=1, num_labels=3)))
    images = torch.rand(4, 1, 12, 12)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        out = {f"weights/{name}": value for name, value in load_file(folder + "/model.safetensors").items()}
    return out | {"images": images, "logits": model(images).logits}


torch.manual_seed(0)
for name, make in [("timm", from_timm), ("huggingface", from_huggingface)]:
    tensors = {key: value.detach().contiguous().clone() for key, value in make().items()}
    save_file(tensors, FOLDER / f"weights_{name}.safetensors")
