"""Reads a model file with the safetensors package and prints the network's outputs as JSON.

Run as `python3 read_model.py MODEL INPUTS.json`; the inputs are a list of rows.
"""

import json
import sys

import numpy
from safetensors import safe_open

ACTIVATIONS = {
    "sigmoid": lambda z: 1 / (1 + numpy.exp(-z)),
    "tanh": numpy.tanh,
    "relu": lambda z: numpy.maximum(z, 0),
    "identity": lambda z: z,
}

with safe_open(sys.argv[1], framework="numpy") as model:
    config = json.loads(model.metadata()["config"])
    outputs = numpy.array(json.load(open(sys.argv[2])))
    n_layers = len(config["hidden"]) + 1
    for i in range(n_layers):
        outputs = outputs @ model.get_tensor(f"layers.{i}.weights") + model.get_tensor(f"layers.{i}.bias")
        last = i == n_layers - 1
        outputs = ACTIVATIONS[config["output_activation"] if last else config["activation"]](outputs)
print(json.dumps(outputs.tolist()))
