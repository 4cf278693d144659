"""Writes pytorch_batch_norm.json: what PyTorch makes of a small network with batch normalisation, in double precision.

Run as `python3 pytorch_batch_norm.py > pytorch_batch_norm.json` in this folder; made with PyTorch 2.15.
"""

import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)

N_SAMPLES, SIZES, BATCH_SIZE, EPOCHS, LEARNING_RATE = 11, [5, 7, 6, 4, 3], 4, 3, 0.05
CLIP_NORM = 0.8
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
outputs = torch.sigmoid(network(inputs)).tolist()
after_training = state()


def with_adamw():
    """From the same beginning, by clipped gradients, with decay for weights alone."""
    network.train()
    with torch.no_grad():
        for linear, weights in zip(linears, first["weights"]):
            linear.weight.copy_(torch.tensor(weights).t())
        linears[-1].bias.copy_(torch.tensor(first["biases"][-1]))
        for norm, scale, bias in zip(norms, first["scales"], first["biases"]):
            norm.weight.copy_(torch.tensor(scale))
            norm.bias.copy_(torch.tensor(bias))
            norm.reset_running_stats()
    weights = [linear.weight for linear in linears]
    others = [linears[-1].bias] + [p for norm in norms for p in norm.parameters()]
    optimizer = torch.optim.AdamW([dict(params=weights, weight_decay=0.1), dict(params=others, weight_decay=0.0)], lr=LEARNING_RATE)
    losses = []
    for _ in range(EPOCHS):
        for start in range(0, N_SAMPLES, BATCH_SIZE):
            batch = slice(start, start + BATCH_SIZE)
            z = network(inputs[batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(z, bits[batch], reduction="none").sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            gradients = [p.grad for p in weights + others]
            norm = torch.sqrt(sum((g * g).sum() for g in gradients))
            for g in gradients:
                g *= min(1.0, CLIP_NORM / norm)
            optimizer.step()
            losses.append(loss.item())
    return {"losses": losses, "after_training": state()}


golden = {
    "inputs": inputs.tolist(),
    "bits": bits.tolist(),
    "first": first,
    "losses": losses,
    "after_training": after_training,
    "outputs": outputs,
    "with_adamw": with_adamw(),
}
print(json.dumps(golden, separators=(",", ":")))
