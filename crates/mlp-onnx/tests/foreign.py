"""Writes the files in foreign/: a small net by each way in which others write one, and what they answer to four rows.

    python3 -m pip install torch onnx onnxscript onnxruntime scikit-learn skl2onnx
    python3 crates/mlp-onnx/tests/foreign.py
"""

import json
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime
import skl2onnx
import sklearn
import torch
from sklearn.neural_network import MLPClassifier

FOLDER = pathlib.Path(__file__).parent / "foreign"
ROWS = np.random.default_rng(0).random((4, 4), np.float32)
warnings.filterwarnings("ignore")


def keep(name, model, made_by):
    """Writes the file, and what onnxruntime answers, beside each other."""
    onnx.save(model, FOLDER / f"{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    shape = [4] + [size for size in session.get_inputs()[0].shape[1:]]
    outputs = [output.name for output in session.get_outputs() if output.type == "tensor(float)"]
    answers = session.run(outputs, {session.get_inputs()[0].name: ROWS.reshape(shape)})[0]
    known = {"made_by": made_by, "inputs": ROWS.tolist(), "outputs": answers.tolist()}
    (FOLDER / f"{name}.json").write_text(json.dumps(known, indent=1) + "\n")


def from_torch():
    torch.manual_seed(0)
    layers = [torch.nn.Flatten(), torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3, bias=False)]
    net = torch.nn.Sequential(*layers, torch.nn.Tanh(), torch.nn.Linear(3, 3), torch.nn.Softmax(1)).eval()
    example, path = torch.rand(2, 1, 2, 2), FOLDER / "temporary"
    shapes = {"dynamic_shapes": ({0: torch.export.Dim("batch")},), "external_data": False}
    for name, options in {
        "torch-script": {"dynamo": False, "dynamic_axes": {"x": {0: "batch"}}},
        "torch-dynamo": {"dynamo": True, **shapes},
    }.items():
        torch.onnx.export(net, (example,), path, input_names=["x"], output_names=["y"], **options)
        model = onnx.load(path)
        # Paths and lines of this very script.
        for node in model.graph.node:
            node.ClearField("metadata_props")
            node.ClearField("doc_string")
        keep(name, model, f"torch {torch.__version__}")
    path.unlink()


def from_scikit_learn():
    rng = np.random.default_rng(1)
    x, y = rng.random((60, 4), np.float32), rng.integers(0, 3, 60)
    for activation in ("relu", "logistic", "tanh"):
        net = MLPClassifier((5, 3), activation=activation, max_iter=20, random_state=0).fit(x, y)
        model = skl2onnx.to_onnx(net, x[:1], options={id(net): {"zipmap": False}}, target_opset=15)
        keep(f"scikit-learn-{activation}", model, f"scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx.__version__}")


from_torch()
from_scikit_learn()
