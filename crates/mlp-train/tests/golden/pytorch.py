"""Writes pytorch.json: what PyTorch computes for a small network in double precision.

Run as `python3 pytorch.py > pytorch.json` in this folder; made with PyTorch 2.15.
"""

import json
import sys

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)

N_SAMPLES, SIZES, BATCH_SIZE, EPOCHS = 11, [5, 4, 3], 4, 3
LEARNING_RATE, L2, L1 = 0.05, 0.01, 0.003

inputs = torch.rand(N_SAMPLES, SIZES[0]) * 2 - 1
bits = (torch.rand(N_SAMPLES, SIZES[-1]) < 0.5).double()
classes = torch.nn.functional.one_hot(torch.arange(N_SAMPLES) % SIZES[-1], SIZES[-1]).double()
first_weights = [torch.randn(n, m) * 0.7 for n, m in zip(SIZES, SIZES[1:])]
first_biases = [torch.randn(m) * 0.3 for m in SIZES[1:]]


def fresh_parameters():
    return [[t.clone().requires_grad_() for t in tensors] for tensors in (first_weights, first_biases)]


def net_inputs(weights, biases, x):
    return torch.tanh(x @ weights[0] + biases[0]) @ weights[1] + biases[1]


def loss_of_samples(name, z, y):
    """The loss of each sample, summed and averaged over the outputs."""
    a = torch.softmax(z, 1) if name == "softmax-cross-entropy" else torch.sigmoid(z)
    if name == "rmse":
        squares = (a - y) ** 2
        return {"sum": squares.sum(1).sqrt(), "mean": squares.mean(1).sqrt()}
    if name == "softmax-cross-entropy":
        each = torch.nn.functional.cross_entropy(z, y, reduction="none")
        return {"sum": each, "mean": each / z.shape[1]}
    each = {
        "absolute": lambda: (a - y).abs(),
        "squared": lambda: torch.nn.functional.mse_loss(a, y, reduction="none"),
        "half-squared": lambda: torch.nn.functional.mse_loss(a, y, reduction="none") / 2,
        "cross-entropy": lambda: torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none"),
    }[name]()
    return {"sum": each.sum(1), "mean": each.mean(1)}


def losses():
    """For each loss and reduction: the mean over all samples, and the parameters after one step of gradient descent."""
    for name in ["absolute", "squared", "half-squared", "rmse", "cross-entropy", "softmax-cross-entropy"]:
        for reduction in ["mean", "sum"]:
            weights, biases = fresh_parameters()
            y = classes if name == "softmax-cross-entropy" else bits
            loss = loss_of_samples(name, net_inputs(weights, biases, inputs), y)[reduction].mean()
            loss.backward()
            torch.optim.SGD(weights + biases, lr=1.0).step()
            yield {"loss": name, "reduction": reduction, "value": loss.item(), **network(weights, biases)}


def optimizers():
    """For each rule: the parameters after some epochs in fixed order; penalties on weights alone."""
    rules = {
        "sgd": lambda groups: torch.optim.SGD(groups, lr=LEARNING_RATE),
        "momentum": lambda groups: torch.optim.SGD(groups, lr=LEARNING_RATE, momentum=0.9),
        "nesterov": lambda groups: torch.optim.SGD(groups, lr=LEARNING_RATE, momentum=0.9, nesterov=True),
        "adam": lambda groups: torch.optim.Adam(groups, lr=LEARNING_RATE),
        "adamw": lambda groups: torch.optim.AdamW(groups, lr=LEARNING_RATE),
    }
    for name, rule in rules.items():
        weights, biases = fresh_parameters()
        # AdamW's own decay takes the place of l2.
        decay = 0.1 if name == "adamw" else L2
        groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
        optimizer = rule(groups)
        for _ in range(EPOCHS):
            for first in range(0, N_SAMPLES, BATCH_SIZE):
                batch = slice(first, first + BATCH_SIZE)
                z = net_inputs(weights, biases, inputs[batch])
                loss = loss_of_samples("cross-entropy", z, bits[batch])["sum"].mean()
                loss = loss + L1 * sum(w.abs().sum() for w in weights)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        yield {"optimizer": name, **network(weights, biases)}


def network(weights, biases):
    return {"weights": [w.tolist() for w in weights], "biases": [b.tolist() for b in biases]}


json.dump(
    {
        "inputs": inputs.tolist(),
        "bits": bits.tolist(),
        "classes": classes.tolist(),
        "first": network(first_weights, first_biases),
        "sigmoid_outputs": torch.sigmoid(net_inputs(first_weights, first_biases, inputs)).tolist(),
        "losses": list(losses()),
        "optimizers": list(optimizers()),
    },
    sys.stdout,
    indent=1,
)
print()
