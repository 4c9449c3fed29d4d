"""Renews the golden numbers beside this file from PyTorch's own modules.

    python tests/golden/make_golden.py FOLDER_OF_MNIST

tutorial.json, tutorial_seed0_*.safetensors   the tutorial's experiment: initial weights, 50 steps of training
colour_seed1.safetensors                      the tutorial's model with other sizes, forward only
case_*.safetensors                            other compositions, shapes and seeds: weights, input, outputs and the gradients
                                              of sum(output * probe); the metadata holds the model's config. Where it says
                                              "initial", the weights are those that the seed alone gives.

Tensors of the cases have the names of this repository, those of the first two lines the tutorial's.
"""
import gzip
import json
import pathlib
import sys

import numpy
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

HERE = pathlib.Path(__file__).parent


def read_idx(path):
    raw = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(raw[4 * i + 4:4 * i + 8], "big") for i in range(raw[3])]
    return torch.from_numpy(numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * len(shape)).reshape(shape).copy())


# --- parts, named as in this repository


class LinearPatches(nn.Linear):
    def __init__(self, chw, grid, d):
        (c, h, w), (rows, columns) = chw, grid
        super().__init__(c * (h // rows) * (w // columns), d)
        self.grid = grid

    def forward(self, images):
        rows, columns = self.grid
        b, c, h, w = images.shape
        cells = images.reshape(b, c, rows, h // rows, columns, w // columns)
        return super().forward(cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2))


class ConvPatches(nn.Conv2d):
    def __init__(self, chw, grid, d):
        patch = (chw[1] // grid[0], chw[2] // grid[1])
        super().__init__(chw[0], d, patch, patch)

    def forward(self, images):
        return super().forward(images).flatten(2).transpose(1, 2)


def sincos(tokens, d):
    token = torch.arange(tokens, dtype=torch.float64).unsqueeze(1)
    column = torch.arange(d, dtype=torch.float64).unsqueeze(0)
    odd = column % 2
    angle = token / 10000 ** ((column - odd) / d)
    return torch.where(odd == 0, torch.sin(angle), torch.cos(angle)).float()


class PerHead(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.d_head = d // heads
        for name in "qkv":
            setattr(self, name, nn.ModuleList(nn.Linear(self.d_head, self.d_head) for _ in range(heads)))

    def forward(self, x):
        outputs = []
        for piece, q, k, v in zip(x.split(self.d_head, -1), self.q, self.k, self.v):
            scores = q(piece) @ k(piece).mT / self.d_head ** 0.5
            outputs.append(scores.softmax(-1) @ v(piece))
        return torch.cat(outputs, -1)


class MultiHead(nn.Module):
    """torch's own attention under this repository's names."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(d, 3 * d)
        self.projection = nn.Linear(d, d)

    def forward(self, x):
        x = x.transpose(0, 1)
        out, _ = F.multi_head_attention_forward(
            x, x, x, x.shape[-1], self.heads, self.qkv.weight, self.qkv.bias, None, None, False, 0.0,
            self.projection.weight, self.projection.bias, need_weights=False)
        return out.transpose(0, 1)


class Gelu(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc1 = nn.Linear(d, 4 * d)
        self.fc2 = nn.Linear(4 * d, d)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Swiglu(nn.Module):
    def __init__(self, d):
        super().__init__()
        hidden = -(-8 * d // 24) * 8
        self.gate, self.up, self.down = nn.Linear(d, hidden), nn.Linear(d, hidden), nn.Linear(hidden, d)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class PreNorm(nn.Module):
    def __init__(self, d, heads, attention, mlp, norm):
        super().__init__()
        self.norm1 = norm(d)
        self.attention = attention(d, heads)
        self.norm2 = norm(d)
        self.mlp = mlp(d)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TorchBlock(nn.TransformerEncoderLayer):
    """torch's own block; ours() gives its parameters this repository's names."""

    def __init__(self, d, heads, norm_first):
        super().__init__(d, heads, 4 * d, dropout=0, activation="gelu", batch_first=True, norm_first=norm_first)


class Vit(nn.Module):
    def __init__(self, chw, grid, d, heads, n_blocks, classes, embedding=LinearPatches, position="sincos", block=None,
                 attention=PerHead, mlp=Gelu, norm=nn.LayerNorm, final_norm=False, pooling="class_token", tasks=("class",)):
        super().__init__()
        self.pooling = pooling
        if pooling == "attention":
            self.scores = nn.Linear(d, len(tasks))
        self.embedding = embedding(chw, grid, d)
        special = len(tasks) if pooling == "class_token" else 0
        self.tokens = nn.ParameterDict({task: torch.rand(1, d) for task in tasks[:special]})
        self.special = [self.tokens[task] for task in tasks[:special]]
        n_tokens = grid[0] * grid[1] + special
        self.table = torch.empty(n_tokens, d).normal_(0, 0.02) if position == "learned" else sincos(n_tokens, d)
        if position == "learned":
            self.table = nn.Parameter(self.table)
        make = block or (lambda: PreNorm(d, heads, attention, mlp, norm))
        self.blocks = nn.ModuleList(make() for _ in range(n_blocks))
        self.final_norm = norm(d) if final_norm else nn.Identity()
        self.heads = nn.ModuleList(nn.Linear(d, classes[task]) for task in tasks)

    def forward(self, images):  # logits of each task
        x = self.embedding(images)
        x = torch.cat([token.expand(len(x), 1, -1) for token in self.special] + [x], 1) + self.table
        for block in self.blocks:
            x = block(x)
        x = self.final_norm(x)
        if self.pooling == "mean":
            pooled = [x.mean(1)] * len(self.heads)
        elif self.pooling == "attention":
            pooled = (self.scores(x).softmax(1).mT @ x).unbind(1)
        else:
            pooled = x.unbind(1)
        return [head(token) for head, token in zip(self.heads, pooled)]


def ours(name, tasks):
    """A parameter's name in this repository."""
    for old, new in (("self_attn.in_proj_", "attention.qkv."), ("self_attn.out_proj", "attention.projection"),
                     ("linear1", "mlp.fc1"), ("linear2", "mlp.fc2"), ("scores.", "pooling.scores."),
                     ("table", "position.table")):
        name = name.replace(old, new)
    if name.startswith("heads."):
        _, index, rest = name.split(".", 2)
        return f"head.{rest}" if len(tasks) == 1 else f"heads.{tasks[int(index)]}.{rest}"
    return name


def tutorials(name):
    """A parameter's name in the tutorial's class."""
    for old, new in (("heads.0.", "mlp.0."), ("embedding.", "linear_mapper."), ("tokens.class", "class_token"),
                     ("mlp.fc1", "mlp.0"), ("mlp.fc2", "mlp.2"), *((f"attention.{x}", f"mhsa.{x}_mappings") for x in "qkv")):
        name = name.replace(old, new)
    return name


def copies(named, rename):
    return {rename(name): value.detach().clone().contiguous() for name, value in named}


# --- the tutorial


def tutorial(mnist):
    images = read_idx(mnist / "train-images-idx3-ubyte.gz").unsqueeze(1).float() / 255
    labels = read_idx(mnist / "train-labels-idx1-ubyte.gz").long()
    test = read_idx(mnist / "t10k-images-idx3-ubyte.gz")[:8].unsqueeze(1).float() / 255
    out = {"torch": torch.__version__}
    torch.manual_seed(0)
    model = Vit((1, 28, 28), (7, 7), 8, 2, 2, {"class": 10})
    save_file(copies(model.named_parameters(), tutorials), HERE / "tutorial_seed0_initial.safetensors")

    def probabilities(images):
        return model(images)[0].softmax(-1)

    with torch.no_grad():
        out["initial_probabilities_of_test_images_0_to_7"] = probabilities(test).tolist()
    out["parameters"] = sum(value.numel() for value in model.parameters())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    losses = []
    for batch in DataLoader(range(len(images)), batch_size=128, shuffle=True):
        loss = F.cross_entropy(probabilities(images[batch]), labels[batch])  # the tutorial's double softmax
        optimizer.zero_grad()
        loss.backward()
        if not losses:
            out["epoch_1_first_indices"] = batch[:16].tolist()
            out["gradient_norms_of_step_1"] = {tutorials(n): p.grad.norm().item() for n, p in model.named_parameters()}
        optimizer.step()
        losses.append(loss.item())
        if len(losses) == 50:
            break
    out["losses_of_steps_1_to_50"] = losses
    save_file(copies(model.named_parameters(), tutorials), HERE / "tutorial_seed0_step50.safetensors")
    with torch.no_grad():
        out["step_50_probabilities_of_test_images_0_to_7"] = probabilities(test).tolist()
    return out


def colour():
    torch.manual_seed(1)
    model = Vit((3, 32, 32), (4, 4), 12, 3, 3, {"class": 7})
    image = torch.rand(2, 3, 32, 32)
    save_file({**copies(model.named_parameters(), tutorials), "input": image}, HERE / "colour_seed1.safetensors")
    return {"chw": [3, 32, 32], "n_patches": 4, "n_blocks": 3, "hidden_d": 12, "n_heads": 3, "out_d": 7,
            "probabilities": model(image)[0].softmax(-1).tolist()}


# --- other compositions


def case(name, seed, config, chw, grid, d, heads, n_blocks, classes, initial=True, softmax=False, **parts):
    tasks = tuple(classes)
    torch.manual_seed(seed)
    model = Vit(chw, grid, d, heads, n_blocks, classes, tasks=tasks, **parts)
    if not initial:  # torch's blocks start from zero biases and equal copies
        for value in model.parameters():
            value.data.add_(0.1 * torch.randn_like(value))
    tensors = {"weight/" + k: v for k, v in copies(model.named_parameters(), lambda n: ours(n, tasks)).items()}
    tensors["input"] = torch.rand(2, *chw)
    outputs = [out.softmax(-1) if softmax else out for out in model(tensors["input"])]
    for task, out in zip(tasks, outputs):
        probe = torch.randn_like(out)
        (out * probe).sum().backward(retain_graph=True)
        tensors["output/" + task], tensors["probe/" + task] = out.detach().clone(), probe
    tensors.update({"gradient/" + ours(n, tasks): v.grad for n, v in model.named_parameters()})
    config = {"type": "vit", "n_patches": list(grid), "hidden_d": d, "n_heads": heads, "n_blocks": n_blocks,
              "final_norm": False, **config}
    metadata = {"config": json.dumps(config), "seed": str(seed), "chw": json.dumps(chw),
                "classes": str(classes[tasks[0]]), "initial": json.dumps(initial), "torch": torch.__version__}
    save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / f"case_{name}.safetensors", metadata)


def cases():
    tutorial_parts = {"attention": "per_head"}
    case("rectangle", 2, {**tutorial_parts, "head": "softmax"}, (1, 24, 30), (4, 5), 16, 4, 2, {"class": 5}, softmax=True)
    case("colour_logits", 3, tutorial_parts, (3, 16, 16), (2, 2), 10, 5, 1, {"class": 3})
    case("two_tasks", 4, {**tutorial_parts, "tasks": [{"name": "digit"}, {"name": "big", "target": {"above": 5}}]},
         (1, 14, 14), (7, 7), 8, 2, 2, {"digit": 10, "big": 2})
    case("multi_head", 5, {"final_norm": True}, (3, 12, 8), (3, 2), 12, 3, 2, {"class": 4}, attention=MultiHead,
         final_norm=True)
    case("torch_pre_norm", 6, {"embedding": "conv_patches", "position": "learned", "final_norm": True}, (3, 12, 8), (3, 2),
         12, 3, 2, {"class": 4}, initial=False, embedding=ConvPatches, position="learned", final_norm=True,
         block=lambda: TorchBlock(12, 3, norm_first=True))
    case("torch_post_norm_mean", 7, {"block": "post_norm", "pooling": "mean"}, (2, 8, 8), (4, 4), 8, 2, 2, {"class": 6},
         initial=False, pooling="mean", block=lambda: TorchBlock(8, 2, norm_first=False))
    case("swiglu_rms_attention", 8,
         {"mlp": "swiglu", "norm": "rms", "pooling": "attention", "position": "learned", "embedding": "conv_patches"},
         (1, 8, 12), (2, 3), 12, 4, 2, {"class": 4}, attention=MultiHead, mlp=Swiglu,
         norm=lambda d: nn.RMSNorm(d, eps=1e-6), pooling="attention", position="learned", embedding=ConvPatches)


def main():
    out = tutorial(pathlib.Path(sys.argv[1]))
    out["colour_seed1"] = colour()
    (HERE / "tutorial.json").write_text(json.dumps(out, indent=1) + "\n")
    cases()


main()
