"""Steps of Lion and LAMB, written down as their papers have them, and learning rates of PyTorch's schedulers, for
tests/experiments/optimizer_test.cpp and schedule_test.cpp.

    python make_optimizer_golden.py          writes optimizer.json beside this file (PyTorch 2.13.0, CPU)
"""
import json, pathlib
import torch
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, OneCycleLR

STEPS = 20


def problem():
    weight = torch.arange(15.0, dtype=torch.float64).sin().view(3, 5).float()
    bias = torch.arange(3.0, dtype=torch.float64).cos().float()
    return [weight.requires_grad_(), bias.requires_grad_()]


def gradients(parameters, step):
    x = (torch.arange(20.0) + step).cos().view(4, 5)
    loss = (torch.nn.functional.linear(x, *parameters).sin() - 0.3).square().sum()
    return torch.autograd.grad(loss, parameters)


def train(update):
    parameters = problem()
    states = [{} for _ in parameters]
    for step in range(STEPS):
        grads = gradients(parameters, step)
        with torch.no_grad():
            for parameter, grad, state in zip(parameters, grads, states):
                parameter -= update(parameter.double(), grad.double(), state, step + 1).float()
    return {"weight": parameters[0].flatten().tolist(), "bias": parameters[1].tolist()}


# Chen et al. 2023, algorithm 2.
def lion(lr, betas, weight_decay, decays):
    def update(x, g, state, t):
        m = state.get("m", torch.zeros_like(x))
        direction = torch.sign(betas[0] * m + (1 - betas[0]) * g)
        state["m"] = betas[1] * m + (1 - betas[1]) * g
        return lr * (direction + (weight_decay if decays(x) else 0) * x)
    return update


# You et al. 2020, algorithm 2, phi(z) = z; what weight decay is kept from has no trust ratio, as in the authors' program.
def lamb(lr, betas, eps, weight_decay, decays):
    def update(x, g, state, t):
        state["m"] = betas[0] * state.get("m", torch.zeros_like(x)) + (1 - betas[0]) * g
        state["v"] = betas[1] * state.get("v", torch.zeros_like(x)) + (1 - betas[1]) * g * g
        r = (state["m"] / (1 - betas[0] ** t)) / ((state["v"] / (1 - betas[1] ** t)).sqrt() + eps)
        if not decays(x):
            return lr * r
        r = r + weight_decay * x
        ratio = x.norm() / r.norm() if x.norm() > 0 and r.norm() > 0 else 1
        return lr * ratio * r
    return update


def rates(make, steps):
    """The learning rate of each step by its largest."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(out) < steps:
            scheduler.step()
    return out


def everything(x):
    return True


def matrices(x):
    return x.dim() > 1


def one_cycle(total, **options):
    return rates(lambda o: OneCycleLR(o, max_lr=1.0, total_steps=total, **options), total)


golden = {
    "made_with": {"torch": torch.__version__},
    "lion": {
        "lion": train(lion(1e-4, (0.9, 0.99), 0, everything)),
        "{type: lion, lr: 0.01, betas: [0.8, 0.95], weight_decay: 0.3}":
            train(lion(0.01, (0.8, 0.95), 0.3, matrices)),
        "{type: lion, lr: 0.01, weight_decay: 0.3, exclude_bias_and_norm: false}":
            train(lion(0.01, (0.9, 0.99), 0.3, everything)),
    },
    "lamb": {
        "lamb": train(lamb(0.001, (0.9, 0.999), 1e-6, 0.01, matrices)),
        "{type: lamb, lr: 0.02, betas: [0.8, 0.95], eps: 1e-4, weight_decay: 0}":
            train(lamb(0.02, (0.8, 0.95), 1e-4, 0, matrices)),
        "{type: lamb, lr: 0.02, weight_decay: 0.3, exclude_bias_and_norm: false}":
            train(lamb(0.02, (0.9, 0.999), 1e-6, 0.3, everything)),
    },
    "one_cycle": {
        "one_cycle": one_cycle(100),
        "{type: one_cycle, pct_start: 0.1, div_factor: 10, final_div_factor: 100}":
            one_cycle(100, pct_start=0.1, div_factor=10, final_div_factor=100),
        "{type: one_cycle, pct_start: 0}": one_cycle(100, pct_start=0.0),
        "{type: one_cycle, pct_start: 1}": one_cycle(100, pct_start=1.0),
    },
    "cosine": {
        "{type: cosine, period: 30 steps}": rates(lambda o: CosineAnnealingWarmRestarts(o, 30), 100),
        "{type: cosine, period: 10 steps, multiplier: 2, final: 0.1}":
            rates(lambda o: CosineAnnealingWarmRestarts(o, 10, T_mult=2, eta_min=0.1), 100),
    },
}

rows = [f' "{kind}": {{\n' + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in of.items()) + "\n }"
        for kind, of in golden.items()]
pathlib.Path(__file__).with_name("optimizer.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")
