"""One epoch of one network on MNIST in another system: what `cargo xtask bench` compares itself with.

The same work for all: sigmoid behind every layer, biases, the mean squared error against the six ASCII bits of the
digit, plain gradient descent; or with --work classes, ReLU behind hidden layers, and the cross-entropy of a softmax over the
ten digits. A new order of the samples in each epoch, and the gathering of the batches. Reading the
data, importing and compiling are not counted. Prints one line of JSON with the seconds of the best epoch, scaled to
60,000 samples, and the mean squared error of the first 10,000 samples after the last: whoever leaves work out learns less.
"""

import argparse
import gzip
import json
import os
import resource
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("peer", choices=["torch", "torch-bf16", "jax", "numpy"])
parser.add_argument("--data", type=Path, required=True, help="folder with the four files of MNIST")
parser.add_argument("--sizes", default="784,512,256,128,64,32,16,8,6", help="units of every layer")
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--samples", type=int, default=60000)
parser.add_argument("--epochs", type=int, default=2, help="epochs that are timed, behind one that is not")
parser.add_argument("--precision", default="f32", choices=["f32", "f64"])
parser.add_argument("--work", default="codes", choices=["codes", "classes"])
parser.add_argument("--threads", type=int, default=2, help="and as many cores")
parser.add_argument("--seed", type=int, default=1, help="of the orders of the samples")
options = parser.parse_args()

# Before the libraries are imported: they look once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(options.threads)
if options.precision == "f64":
    os.environ["JAX_ENABLE_X64"] = "1"
if hasattr(os, "sched_setaffinity"):
    # JAX asks for the cores and not for a number of threads.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])

try:
    import numpy as np
except ModuleNotFoundError as error:
    print(json.dumps({"missing": error.name}))
    sys.exit()

SIZES = [int(size) for size in options.sizes.split(",")]
DTYPE = {"f32": np.float32, "f64": np.float64}[options.precision]
IS_CLASSES = options.work == "classes"
LEARNING_RATE = 0.1 if IS_CLASSES else 1.0
N_MEASURED = 10000


def bytes_of(name):
    path = options.data / name
    data = path.read_bytes() if path.exists() else gzip.decompress((options.data / (name + ".gz")).read_bytes())
    return np.frombuffer(data, np.uint8)


def samples():
    pixels = bytes_of("train-images-idx3-ubyte")[16:].reshape(-1, 784)[: options.samples]
    labels = bytes_of("train-labels-idx1-ubyte")[8:][: options.samples]
    codes = np.eye(10)[labels] if IS_CLASSES else (labels[:, None] + ord("0")) >> np.arange(5, -1, -1) & 1
    return pixels.astype(DTYPE) / DTYPE(255), codes.astype(DTYPE)


def first_parameters():
    rng = np.random.default_rng(0)
    for n_inputs, n_outputs in zip(SIZES, SIZES[1:]):
        limit = np.sqrt(6 / n_inputs) if IS_CLASSES else 4 * np.sqrt(6 / (n_inputs + n_outputs))
        yield rng.uniform(-limit, limit, (n_inputs, n_outputs)).astype(DTYPE), np.zeros(n_outputs, DTYPE)


def activation(z, is_last):
    if not IS_CLASSES:
        return 1 / (1 + np.exp(-z))
    if not is_last:
        return np.maximum(z, 0)
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def numpy_epoch(inputs, targets):
    layers = [list(layer) for layer in first_parameters()]
    rng = np.random.default_rng(options.seed)

    def step(x, y):
        activations = [x]
        for weights, bias in layers:
            activations.append(activation(activations[-1] @ weights + bias, weights is layers[-1][0]))
        a = activations.pop()
        delta = (a - y) / DTYPE(len(y)) if IS_CLASSES else (a - y) * (a * (1 - a)) * DTYPE(2 / y.size)
        for layer, a in zip(reversed(layers), reversed(activations)):
            gradient, gradient_bias = a.T @ delta, delta.sum(0)
            if layer is not layers[0]:
                delta = (delta @ layer[0].T) * ((a > 0) if IS_CLASSES else a * (1 - a))
            layer[0] -= LEARNING_RATE * gradient
            layer[1] -= LEARNING_RATE * gradient_bias

    def epoch():
        order = rng.permutation(len(inputs))
        for first in range(0, len(inputs) - options.batch + 1, options.batch):
            rows = order[first : first + options.batch]
            step(inputs[rows], targets[rows])

    def parameters():
        return layers

    return epoch, parameters


def torch_epoch(inputs, targets):
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)
    modules = []
    for weights, bias in first_parameters():
        linear = torch.nn.Linear(*weights.shape).to(inputs.dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.T.copy()))
            linear.bias.copy_(torch.from_numpy(bias))
        modules += [linear, torch.nn.ReLU() if IS_CLASSES else torch.nn.Sigmoid()]
    if IS_CLASSES:
        modules.pop()
    network = torch.nn.Sequential(*modules)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    is_bf16 = options.peer == "torch-bf16"

    def epoch():
        order = torch.randperm(len(inputs))
        for first in range(0, len(inputs) - options.batch + 1, options.batch):
            rows = order[first : first + options.batch]
            x, y = inputs[rows], targets[rows]
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
                answers = network(x)
            if IS_CLASSES:
                torch.nn.functional.cross_entropy(answers.to(y.dtype), y).backward()
            else:
                torch.nn.functional.mse_loss(answers.to(y.dtype), y).backward()
            optimizer.step()

    def parameters():
        linears = [module for module in modules if isinstance(module, torch.nn.Linear)]
        return [(linear.weight.detach().numpy().T, linear.bias.detach().numpy()) for linear in linears]

    return epoch, parameters


def jax_epoch(inputs, targets):
    import jax
    import jax.numpy as jnp

    inputs, targets = jnp.asarray(inputs), jnp.asarray(targets)
    layers = [(jnp.asarray(weights), jnp.asarray(bias)) for weights, bias in first_parameters()]
    n_batches = len(inputs) // options.batch

    def loss(layers, x, y):
        for weights, bias in layers[:-1]:
            x = (jax.nn.relu if IS_CLASSES else jax.nn.sigmoid)(x @ weights + bias)
        x = x @ layers[-1][0] + layers[-1][1]
        if IS_CLASSES:
            return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x), axis=1))
        return jnp.mean((jax.nn.sigmoid(x) - y) ** 2)

    def step(layers, rows):
        gradient = jax.grad(loss)(layers, inputs[rows], targets[rows])
        return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, layers, gradient), None

    # The whole epoch is one compiled program.
    @jax.jit
    def trained(layers, key):
        order = jax.random.permutation(key, len(inputs))[: n_batches * options.batch]
        return jax.lax.scan(step, layers, order.reshape(n_batches, options.batch))[0]

    state = {"layers": layers, "key": jax.random.PRNGKey(options.seed)}

    def epoch():
        state["key"], key = jax.random.split(state["key"])
        state["layers"] = jax.block_until_ready(trained(state["layers"], key))

    def parameters():
        return [(np.asarray(weights), np.asarray(bias)) for weights, bias in state["layers"]]

    return epoch, parameters


def mean_squared_error(layers, inputs, targets):
    for index, (weights, bias) in enumerate(layers):
        inputs = activation(inputs @ weights + bias, index + 1 == len(layers))
    return float(np.mean((inputs - targets) ** 2, dtype=np.float64))


make = {"numpy": numpy_epoch, "torch": torch_epoch, "torch-bf16": torch_epoch, "jax": jax_epoch}[options.peer]
inputs, targets = samples()
try:
    epoch, parameters = make(inputs, targets)
except ModuleNotFoundError as error:
    print(json.dumps({"missing": error.name}))
    sys.exit()
epoch()
seconds = []
for _ in range(options.epochs):
    started = time.perf_counter()
    epoch()
    seconds.append(time.perf_counter() - started)
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
version = sys.modules[options.peer.split("-")[0]].__version__
print(
    json.dumps(
        {
            "version": version,
            "seconds": min(seconds) * 60000 / options.samples,
            "peak_mib": peak_mib,
            "error": mean_squared_error(parameters(), inputs[:N_MEASURED], targets[:N_MEASURED]),
        }
    )
)
