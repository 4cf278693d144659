"""Networks as ONNX files: what onnx.checker says of them, and what onnxruntime answers."""

import json
from itertools import product

import numpy as np
import pytest
from conftest import fitted
from mlp_lab import MLPClassifier, MLPRegressor, load
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LABELS = {"words": ["setosa", "versicolor", "virginica"], "numbers": [-1, 0, 7], "two words": ["no", "yes", "yes"]}


def session(content):
    """The file in onnxruntime, after a look at it."""
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    # What onnxruntime releases of the last three years read.
    assert model.ir_version <= 8
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 13)]
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def metadata(content):
    return {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}


def assert_close(found, expected):
    """As docs/onnx.md promises."""
    assert found.dtype == expected.dtype and found.shape == expected.shape
    excess = np.abs(found - expected) - (1e-6 + 2e-6 * np.abs(expected))
    assert excess.max() <= 0


@pytest.mark.parametrize("labels, dtype, activation", list(product(LABELS, ["float32", "float64"], ["relu", "logistic", "tanh", "identity"])))
def test_onnxruntime_gives_the_probabilities_and_the_classes(labels, dtype, activation):
    x, y = load_iris(return_X_y=True)
    x, y = (x / 8).astype(dtype), np.array(LABELS[labels])[y]
    net = fitted(MLPClassifier(hidden_layer_sizes=(20, 10), activation=activation, max_iter=30, random_state=0), x, y)
    content = net.to_onnx(classes=True)
    runtime = session(content)
    for rows in (x, x[:1], x[:0]):
        outputs, classes = runtime.run(["outputs", "class"], {"input": rows})
        assert outputs.shape == (len(rows), net.n_outputs_)
    outputs, classes = runtime.run(["outputs", "class"], {"input": x})
    probabilities = net.predict_proba(x)
    assert_close(outputs, probabilities[:, 1:] if net.n_outputs_ == 1 else probabilities)
    np.testing.assert_array_equal(net.classes_[classes], net.predict(x))
    assert json.loads(metadata(content)["classes"]) == [str(label) for label in net.classes_]


def test_digits_are_answered_alike_as_values_and_as_pixels(digits):
    pixels, y = np.round(digits[0] * 255).astype(np.uint8), digits[1]
    x = pixels / np.float32(255)
    net = fitted(MLPClassifier(max_iter=30, random_state=0), x[:900], y[:900])
    for given, name in ((x, "values"), (pixels, "pixels")):
        outputs, classes = session(net.to_onnx(input=name, classes=True)).run(["outputs", "class"], {"input": given})
        assert_close(outputs, net.predict_proba(x))
        np.testing.assert_array_equal(classes, net.predict(x))


@pytest.mark.parametrize("encoding, loss", list(product(["one-hot", "binary", "ascii", "random"], ["log_loss", "squared"])))
def test_classes_are_decoded_as_predict_has_it(digits, encoding, loss):
    net = fitted(MLPClassifier(encoding=encoding, loss=loss, max_iter=8, learning_rate_init=0.005, random_state=0), *digits)
    content = net.to_onnx(classes=True)
    classes = session(content).run(["class"], {"input": digits[0]})[0]
    np.testing.assert_array_equal(net.classes_[classes], net.predict(digits[0]))
    assert metadata(content)["decoding"] == "nearest"


def test_several_labels_have_an_output_each():
    x, y = make_multilabel_classification(n_samples=80, n_classes=3, random_state=0)
    net = fitted(MLPClassifier(max_iter=10, random_state=0), x, y)
    content = net.to_onnx()
    outputs = session(content).run(["outputs"], {"input": x})[0]
    assert_close(outputs, net.predict_proba(x))
    np.testing.assert_array_equal(outputs > 0.5, net.predict(x))
    assert json.loads(metadata(content)["labels"]) == ["0", "1", "2"]
    with pytest.raises(ValueError, match="several labels"):
        net.to_onnx(classes=True)


@pytest.mark.parametrize("loss, dtype", list(product(["squared_error", "poisson", "absolute"], ["float32", "float64"])))
def test_a_regressor_answers_alike(loss, dtype):
    x, y = load_diabetes(return_X_y=True)
    net = MLPRegressor(loss, max_iter=60, learning_rate_init=0.01, random_state=0)
    fitted(net, x.astype(dtype), y / 100)
    outputs = session(net.to_onnx()).run(["outputs"], {"input": x.astype(dtype)})[0]
    # Exponentials have relative errors of their own.
    np.testing.assert_allclose(outputs.ravel(), net.predict(x.astype(dtype)), rtol=4e-6 if dtype == "float32" else 1e-13, atol=1e-6)
    several = fitted(MLPRegressor(max_iter=3), x.astype(dtype), np.stack([y, -y], axis=1) / 100)
    assert_close(session(several.to_onnx()).run(None, {"input": x.astype(dtype)})[0], several.predict(x.astype(dtype)))
    with pytest.raises(ValueError, match="no classes"):
        net.to_onnx(classes=True)


def test_a_file_is_written_and_what_was_loaded_is_exported_alike(tmp_path, digits):
    net = fitted(MLPClassifier(hidden_layer_sizes=(8,), max_iter=2, random_state=0), *digits)
    assert net.to_onnx(tmp_path / "net.onnx", metadata={"author": "A. Turing", "classes": "nonsense"}) is None
    content = (tmp_path / "net.onnx").read_bytes()
    assert metadata(content)["author"] == "A. Turing"
    assert json.loads(metadata(content)["classes"]) == list("0123456789")
    net.save(tmp_path / "net.safetensors")
    assert load(tmp_path / "net.safetensors").to_onnx() == net.to_onnx()
    with pytest.raises(ValueError, match="values or pixels"):
        net.to_onnx(input="pictures")
    with pytest.raises(FileNotFoundError):
        net.to_onnx(tmp_path / "none" / "net.onnx")
    with pytest.raises(TypeError, match="found 3 for 'version'"):
        net.to_onnx(metadata={"version": 3})


def test_what_cannot_be_exported_is_said(digits):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        MLPClassifier().to_onnx()
    net = fitted(MLPClassifier(hidden_layer_sizes=(8,), max_iter=2, random_state=0), *digits)
    net.coefs_[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        net.to_onnx()
