"""A network in PyTorch trained to 98 % of MNIST's test digits: what `cargo xtask bench --full` compares itself with.

784-512-256-10, ReLU, AdamW with one cycle of the learning rate, as chosen on 10,000 training digits kept back. The
bench times the whole process, from its start with importing and reading to its end. Prints one line of JSON with the
accuracy on the test digits.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, required=True, help="folder with the four files of MNIST")
parser.add_argument("--validation", type=int, default=0, help="digits kept back, and measured instead of the test digits")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--batch", type=int, default=256)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--rate", type=float, default=0.004)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

try:
    import numpy as np
    import torch
except ModuleNotFoundError as error:
    print(json.dumps({"missing": error.name}))
    sys.exit()

torch.manual_seed(options.seed)
torch.set_num_threads(options.threads)


def bytes_of(name):
    path = options.data / name
    data = path.read_bytes() if path.exists() else gzip.decompress((options.data / (name + ".gz")).read_bytes())
    return np.frombuffer(data, np.uint8)


def part(name):
    inputs = bytes_of(f"{name}-images-idx3-ubyte")[16:].reshape(-1, 784).astype(np.float32) / 255
    return torch.from_numpy(inputs), torch.from_numpy(bytes_of(f"{name}-labels-idx1-ubyte")[8:].astype(np.int64))


inputs, labels = part("train")
if options.validation:
    order = torch.randperm(len(inputs))
    kept, used = order[: options.validation], order[options.validation :]
    test_inputs, test_labels = inputs[kept], labels[kept]
    inputs, labels = inputs[used], labels[used]
else:
    test_inputs, test_labels = part("t10k")

network = torch.nn.Sequential(
    torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)
)
n_steps = options.epochs * (len(inputs) // options.batch)
optimizer = torch.optim.AdamW(network.parameters(), lr=options.rate)
cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=options.rate, total_steps=n_steps)
for _ in range(options.epochs):
    order = torch.randperm(len(inputs))
    for first in range(0, len(inputs) - options.batch + 1, options.batch):
        rows = order[first : first + options.batch]
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(network(inputs[rows]), labels[rows]).backward()
        optimizer.step()
        cycle.step()
with torch.no_grad():
    accuracy = (network(test_inputs).argmax(1) == test_labels).double().mean().item()
print(json.dumps({"version": torch.__version__, "accuracy": accuracy}))
