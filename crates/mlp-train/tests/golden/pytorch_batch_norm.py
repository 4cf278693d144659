"""Writes pytorch_batch_norm.json: what PyTorch makes of a small network with batch normalisation, in double precision.

Run as `python3 pytorch_batch_norm.py > pytorch_batch_norm.json` in this folder; made with PyTorch 2.15.
"""

import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)

N_SAMPLES, SIZES, BATCH_SIZE, EPOCHS, LEARNING_RATE = 11, [5, 7, 6, 4, 3], 4, 3, 0.05
ACTIVATIONS = [torch.nn.ReLU, torch.nn.Tanh, torch.nn.Sigmoid]

inputs = torch.rand(N_SAMPLES, SIZES[0]) * 2 - 1
bits = (torch.rand(N_SAMPLES, SIZES[-1]) < 0.5).double()

modules = []
for activation, n, m in zip(ACTIVATIONS, SIZES, SIZES[1:]):
    modules += [torch.nn.Linear(n, m, bias=False), torch.nn.BatchNorm1d(m), activation()]
network = torch.nn.Sequential(*modules, torch.nn.Linear(SIZES[-2], SIZES[-1]))
linears = [module for module in network if isinstance(module, torch.nn.Linear)]
norms = [module for module in network if isinstance(module, torch.nn.BatchNorm1d)]
with torch.no_grad():
    for norm in norms:
        norm.weight.copy_(torch.rand(norm.weight.shape) + 0.5)
        norm.bias.copy_(torch.randn(norm.bias.shape) * 0.3)


def state():
    return {
        "weights": [linear.weight.t().tolist() for linear in linears],
        "biases": [norm.bias.tolist() for norm in norms] + [linears[-1].bias.tolist()],
        "scales": [norm.weight.tolist() for norm in norms],
        "means": [norm.running_mean.tolist() for norm in norms],
        "variances": [norm.running_var.tolist() for norm in norms],
    }


first = state()
optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
losses = []
for _ in range(EPOCHS):
    for start in range(0, N_SAMPLES, BATCH_SIZE):
        batch = slice(start, start + BATCH_SIZE)
        each = torch.nn.functional.binary_cross_entropy_with_logits(network(inputs[batch]), bits[batch], reduction="none")
        loss = each.sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
network.eval()
golden = {
    "inputs": inputs.tolist(),
    "bits": bits.tolist(),
    "first": first,
    "losses": losses,
    "after_training": state(),
    "outputs": torch.sigmoid(network(inputs)).tolist(),
}
print(json.dumps(golden, separators=(",", ":")))
