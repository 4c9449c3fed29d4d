"""A ViT with the weights of a file (names of timm's), as TorchScript: from bytes to probabilities, traced and frozen.

    python torch_script.py weights.safetensors model.pt '{"hidden_d": 8, ...}' SIDE
"""
import argparse
import json
import sys

import torch
from safetensors.torch import load_file

import torch_models

# Of timm's names here.
NAMES = {"cls_token": "token", "pos_embed": "positions", "patch_embed.proj": "embedding.linear", "attn.proj": "attention.projection",
         "attn": "attention", "fc1": "0", "fc2": "2"}


class Answering(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return torch.softmax(self.model(images.float() / 255), 1)


def renamed(name):
    for theirs, ours in NAMES.items():
        name = name.replace(theirs, ours)
    return name


def main():
    weights, file, options, side = sys.argv[1:]
    options = argparse.Namespace(**json.loads(options), channels=1, side=int(side), mlp="gelu", norm="layer", block="pre_norm", stem=False,
                                 dropout=0, drop_path=0, layer_scale=0)
    model = torch_models.Vit(options).eval()
    found = {renamed(name): tensor for name, tensor in load_file(weights).items()}
    found["embedding.linear.weight"] = found["embedding.linear.weight"].flatten(1)
    model.load_state_dict(found)
    images = torch.zeros(2, 1, options.side, options.side, dtype=torch.uint8)
    torch.jit.freeze(torch.jit.trace(Answering(model).eval(), images)).save(file)


if __name__ == "__main__":
    main()
