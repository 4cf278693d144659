"""What onnx.checker says of exported nets, and what onnxruntime computes, beside what this project computed.

    python3 crates/mlp-onnx/tests/check_onnxruntime.py FOLDER NAME...

FOLDER holds for each net NAME.onnx and NAME-pixels.onnx, both with classes, and NAME.outputs and NAME.classes; for all of them
the images, `pixels`. run.sh leaves them there. It fails if a file is not valid, an output is off by more than
1e-6 + 2e-6 * |output|, or an answer differs; then it shows how the sigmoid of this onnxruntime behaves far out.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}


def check(folder, name, pixels):
    """Both files of a net; whether all is well."""
    expected = np.fromfile(folder / f"{name}.outputs").reshape(len(pixels), -1)
    classes = np.fromfile(folder / f"{name}.classes", np.int64)
    is_good = True
    for kind in ("", "-pixels"):
        path = folder / f"{name}{kind}.onnx"
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert {"classes", "config", "decoding", "encoding", "inputs"} <= {entry.key for entry in model.metadata_props}
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        dtype = TYPES[session.get_inputs()[0].type]
        rows = pixels if dtype == np.uint8 else pixels.astype(dtype) / dtype(255)
        outputs, found = session.run(["outputs", "class"], {"input": rows})
        # One sample, an odd number of them, and all.
        for n_rows in (1, 7):
            few = session.run(["outputs", "class"], {"input": rows[:n_rows]})
            assert few[0].shape == (n_rows, expected.shape[1]) and few[1].shape == (n_rows,)
        difference = np.abs(outputs.astype(np.float64) - expected)
        excess = (difference - (1e-6 + 2e-6 * np.abs(expected))).max()
        n_different = int((found != classes).sum())
        n_invalid = int((classes < 0).sum())
        print(
            f"{name + kind:12} {np.dtype(dtype).name:8} largest difference {difference.max():.1e}, "
            f"{n_different} of {len(classes)} answers differ ({n_invalid} invalid)"
        )
        is_good &= bool(excess <= 0) and n_different == 0
    return is_good


def unary(operator, values, element):
    """One operator on some values."""
    ports = [onnx.helper.make_tensor_value_info(name, element, ["n"]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node(operator, ["x"], ["y"])], "g", ports[:1], ports[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=7)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": values})[0]


def sigmoid(x):
    """The sigmoid in double precision, to its last bits."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def tails():
    """How the sigmoid behaves far out."""
    bounds = np.array([5, 120], np.float32).view(np.uint32)
    # Every fifth float.
    x = np.arange(*bounds, 5, dtype=np.uint32).view(np.float32)
    high, low = unary("Sigmoid", x, onnx.TensorProto.FLOAT), unary("Sigmoid", -x, onnx.TensorProto.FLOAT)
    wide = x.astype(np.float64)
    relative = np.abs(low - sigmoid(-wide)) / sigmoid(-wide)
    print(f"float sigmoid: largest {high.max():.9g}; 0 below {-x[low > 0].max():.6g}; least other {low[low > 0].min():.3g}")
    for near, far in ((5, 10), (10, 15), (15, 18)):
        print(f"  from -{far} to -{near} off by up to {100 * relative[(x >= near) & (x < far)].max():.2g} %")
    z = np.linspace(-60, 60, 120_001)
    double = unary("Sigmoid", z, onnx.TensorProto.DOUBLE)
    relative = np.abs(double - sigmoid(z)) / sigmoid(z)
    print(f"double sigmoid: 0 below {z[double > 0].min():.4g}")
    for near, far in ((0, 10), (10, 20), (20, 30), (30, 36)):
        print(f"  from -{far} to -{near} off by up to {100 * relative[(z <= -near) & (z > -far)].max():.2g} %")
    tanh = unary("Tanh", np.linspace(-20, 20, 400_001).astype(np.float32), onnx.TensorProto.FLOAT)
    print(f"float tanh: largest {np.abs(tanh).max():.9g}")


def main():
    folder, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    n_images = (folder / f"{names[0]}.classes").stat().st_size // 8
    pixels = np.fromfile(folder / "pixels", np.uint8).reshape(n_images, -1)
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, {n_images} images")
    good = [check(folder, name, pixels) for name in names]
    tails()
    sys.exit(0 if all(good) else 1)


main()
