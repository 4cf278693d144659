#!/usr/bin/env bash
# onnxruntime 1.32.0 with a model of one Sigmoid node, made by onnx 1.23.2 (opset 13), in float: the tails are not those of the
# logistic function. At −20, where it is 2.06e-9, the answer is exactly 0, and so is every one below −18; between −15 and −10 it is
# off by more than a fifth of the value; and for large inputs there are answers of 1.0000001, one unit in the last place above 1. Whoever
# takes a logarithm of such outputs, or compares probabilities of rare classes between programs, meets −∞ and values above 1.
#
# Needs python3 with pip, and a network; a temporary folder is left clean. Fails if the behaviour changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$folder" \
    onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
PYTHONPATH="$folder" python3 -W ignore - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"])
graph = helper.make_graph([helper.make_node("Sigmoid", ["z"], ["a"])], "one", [value("z")], [value("a")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

z = np.linspace(-40, 40, 80_001, dtype=np.float32)
answer = session.run(None, {"z": z})[0].astype(np.float64)
exact = 1 / (1 + np.exp(-z.astype(np.float64)))
error = np.abs(answer / exact - 1)
at_minus_20 = answer[np.argmin(np.abs(z + 20))]
tail = error[(z >= -15) & (z <= -10)].max()
print(f"sigmoid(-20) = {at_minus_20}, not {1 / (1 + np.exp(20.0)):.3g}")
print(f"largest error between -15 and -10: {100 * tail:.0f} % of the value")
print(f"largest answer: {answer.max():.9f}")
assert at_minus_20 == 0 and (answer[z < -18.1] == 0).all(), "the far tail is 0"
assert 0.2 < tail < 0.5, "the near tail is off by more than a fifth"
assert answer.max() > 1, "answers above 1"
print("onnxruntime 1.32.0: as described")
PYTHON
