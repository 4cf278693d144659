"""Writes pytorch_dropout.json: what PyTorch makes of a small network with dropout and bounded weights, in double precision.

What is left out is computed by mlp-core's dropout.py; PyTorch does the rest. Run as `python3 pytorch_dropout.py >
pytorch_dropout.json` in this folder; made with PyTorch 2.15.
"""

import json
import pathlib
import sys

import torch

sys.path.append(str(pathlib.Path(__file__).parents[3] / "mlp-core/tests/golden"))
import dropout  # noqa: E402

torch.set_default_dtype(torch.float64)
torch.manual_seed(2)

N_SAMPLES, SIZES, BATCH_SIZE, EPOCHS, LEARNING_RATE = 11, [5, 7, 6, 4, 3], 4, 3, 0.05
ACTIVATIONS = [torch.relu, torch.tanh, torch.sigmoid]
RATES, MAX_NORM = [0.2, 0.5, 0.3, 0.1], 0.9

inputs = torch.rand(N_SAMPLES, SIZES[0]) * 2 - 1
bits = (torch.rand(N_SAMPLES, SIZES[-1]) < 0.5).double()
first_weights = [torch.randn(n, m) * 0.7 for n, m in zip(SIZES, SIZES[1:])]
first_biases = [torch.randn(m) * 0.3 for m in SIZES[1:]]


def factors(key, layer, n_rows):
    """What the inputs (layer 0) or the outputs of a hidden layer are multiplied by."""
    rate, n_units = RATES[layer], SIZES[layer]
    left_out = [dropout.left_out(key, layer, row, rate, n_units) for row in range(n_rows)]
    return torch.tensor([[0.0 if unit in out else 1 / (1 - rate) for unit in range(n_units)] for out in left_out])


def net_inputs(weights, biases, x, key):
    for layer, (w, b) in enumerate(zip(weights, biases)):
        z = x * factors(key, layer, x.shape[0]) @ w + b
        x = ACTIVATIONS[layer](z) if layer < len(ACTIVATIONS) else z
    return z


def training():
    weights, biases = ([t.clone().requires_grad_() for t in tensors] for tensors in (first_weights, first_biases))
    optimizer = torch.optim.SGD(weights + biases, lr=LEARNING_RATE, momentum=0.9)
    losses, step = [], 0
    for _ in range(EPOCHS):
        for first in range(0, N_SAMPLES, BATCH_SIZE):
            step += 1
            batch = slice(first, first + BATCH_SIZE)
            z = net_inputs(weights, biases, inputs[batch], step)
            each = torch.nn.functional.binary_cross_entropy_with_logits(z, bits[batch], reduction="none")
            optimizer.zero_grad()
            each.sum(1).mean().backward()
            optimizer.step()
            losses.append(each.sum().item())
            with torch.no_grad():
                for w in weights:
                    w *= (MAX_NORM / w.norm(dim=0)).clamp(max=1)
    return {"losses": losses, **network(weights, biases)}


def network(weights, biases):
    return {"weights": [w.tolist() for w in weights], "biases": [b.tolist() for b in biases]}


golden = {
    "inputs": inputs.tolist(),
    "bits": bits.tolist(),
    "first": network(first_weights, first_biases),
    "after_training": training(),
}
print(json.dumps(golden, separators=(",", ":")))
