"""Estimators in the project's model files: safetensors with a configuration, without pickles."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native, _options
from ._settings import Described

if TYPE_CHECKING:
    from ._estimator import Perceptron

ENTRY = "mlp_lab"
"""What this package adds to the configuration."""

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
"""The project's names of scikit-learn's activations."""

PAIRS = "pairs"
FLOAT = "float"
"""The one key of an object of JSON that stands for a dictionary, or for a number that JSON has not."""

OF_PROJECT = {name: own for own, name in ACTIVATIONS.items()}


def save(estimator: Perceptron, path: str | os.PathLike[str]) -> None:
    """Write a model file; see :meth:`Perceptron.save`."""
    _native.save_model(os.fspath(path), _described(estimator))


def onnx_bytes(estimator: Any, input: str, classes: bool, metadata: dict[str, str]) -> bytes:
    """The bytes of an ONNX file; see :meth:`Perceptron.to_onnx`."""
    if classes and not hasattr(estimator, "classes_"):
        raise ValueError("classes=True is for classifiers: a regressor has no classes")
    for name, text in metadata.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError(f"metadata: expected texts by name, found {text!r} for {name!r}; str(...) makes one of a number")
    is_multilabel = hasattr(estimator, "classes_") and estimator._is_multilabel()
    if is_multilabel:
        if classes:
            raise ValueError("classes=True is for one class a sample; of several labels each has an output of its own")
        metadata = {"labels": json.dumps([str(label) for label in estimator.classes_]), **metadata}
    rates = estimator.out_activation_ == "exp"
    return _native.to_onnx(_described(estimator), input, classes, rates, list(metadata.items()))


def _described(estimator: Perceptron) -> Described:
    """A network with all that is said of it."""
    loss = estimator._loss()
    optimizer = {"name": "sgd"} if estimator.solver == "lbfgs" else _optimizer(estimator)
    batch_size = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
    config = {
        "hidden": [coef.shape[1] for coef in estimator.coefs_[:-1]],
        "activation": ACTIVATIONS[estimator.activation],
        "output_activation": "sigmoid" if loss.out_activation == "logistic" else loss.out_activation,
        "loss": loss.name,
        "reduction": loss.reduction,
        "precision": _precision(estimator),
        "optimizer": optimizer,
        "learning_rate": float(estimator.learning_rate_init),
        "l2": float(estimator.alpha) / batch_size,
        "batch_size": batch_size,
        "epochs": max(int(estimator.n_iter_), 1),
        "encoding": estimator._encoding_of_file(),
        "decoding": "auto" if estimator._encoding_of_file() == "one-hot" else "nearest",
        **_beyond(estimator),
    }
    classes = estimator._texts_of_classes()
    own = {
        "estimator": type(estimator).__name__,
        "parameters": {name: _plain(value) for name, value in estimator.get_params(deep=False).items()},
        "attributes": {
            name: _plain(getattr(estimator, name)) for name in _ATTRIBUTES if hasattr(estimator, name)
        },
        "labels": _plain(getattr(estimator, "classes_", None)),
        "labels_dtype": _label_type(estimator),
        "several_labels": hasattr(estimator, "classes_") and estimator._is_multilabel(),
    }
    return estimator.coefs_, estimator.intercepts_, json.dumps(config), classes, json.dumps({ENTRY: own})


def _precision(estimator: Perceptron) -> str:
    if estimator.coefs_[0].dtype != np.float32:
        return "f64"
    return "bf16" if estimator.precision == "bf16" else "f32"


def _beyond(estimator: Perceptron) -> dict[str, Any]:
    """Further choices of the training, where they are not the usual ones."""
    input_dropout, *dropout = _options.dropout_rates(estimator, len(estimator.coefs_) - 1)
    chosen: dict[str, Any] = {
        "input_dropout": input_dropout,
        "dropout": dropout if any(dropout) else 0.0,
        "clip_norm": estimator.clip_norm,
        "max_norm": estimator.max_norm,
        "augment": estimator.augment,
        "label_smoothing": getattr(estimator, "label_smoothing", 0.0),
    }
    chosen = {key: _plain(value) for key, value in chosen.items() if value}
    decay = _options.ema_decay(estimator)
    if decay is not None:
        chosen["average"] = {"name": "ema", "decay": decay}
    elif estimator.average is not None:
        chosen["average"] = {"name": "mean", "epochs": int(estimator.average[1])}
    return chosen


def load(path: str | os.PathLike[str]) -> Any:
    """Load an estimator from a model file.

    Parameters
    ----------
    path : path-like
        A file that ``save`` wrote, or one of the project's own (``cargo xtask train`` names it), if one activation stands
        behind all hidden layers.

    Returns
    -------
    estimator : MLPClassifier or MLPRegressor
        Fitted. What the update rule remembered is not in the file: ``partial_fit`` begins with a fresh one.
    """
    coefs, intercepts, config_text, classes, other = _native.load_model(os.fspath(path))
    config, own = json.loads(config_text), json.loads(other).get(ENTRY)
    estimator = _own(own) if own is not None else _foreign(config, classes, path)
    if own is None and classes:
        _sort_classes(estimator, classes, coefs, intercepts, path)
    estimator.coefs_, estimator.intercepts_ = coefs, intercepts
    estimator.n_layers_ = len(coefs) + 1
    estimator.n_outputs_ = coefs[-1].shape[1]
    estimator.n_features_in_ = coefs[0].shape[0]
    estimator._best_coefs, estimator._best_intercepts = list(coefs), list(intercepts)
    estimator.out_activation_ = estimator._out_activation()
    if own is None and config["output_activation"] == "sigmoid":
        # scikit-learn has softmax for several classes; this network may have an output of its own for each.
        estimator.out_activation_ = "logistic"
    elif own is None and config["output_activation"] == "softmax":
        estimator.out_activation_ = "softmax"
    return estimator


_ATTRIBUTES = (
    "n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_",
    "feature_names_in_", "_no_improvement_count",
)  # fmt: skip


def _own(said: dict[str, Any]) -> Any:
    from . import MLPClassifier, MLPRegressor

    kinds: dict[str, Any] = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
    # A tuple is a list in JSON.
    parameters = {name: _from_plain(value) for name, value in said["parameters"].items()}
    parameters = {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
    estimator = kinds[said["estimator"]](**parameters)
    for name in _ATTRIBUTES:
        if name in said["attributes"]:
            value = _from_plain(said["attributes"][name])
            setattr(estimator, name, np.array(value, dtype=object) if name == "feature_names_in_" else value)
    if said["labels"] is not None:
        # What LabelBinarizer takes for several labels a sample is an indicator matrix.
        labels = np.array(said["labels"], dtype=said["labels_dtype"])
        estimator._fit_labels(np.eye(len(labels), dtype=int) if said["several_labels"] else labels)
    return estimator


def _foreign(config: dict[str, Any], classes: list[str], path: Any) -> Any:
    from . import MLPClassifier, MLPRegressor

    activation = config["activation"]
    names = {activation} if isinstance(activation, str) else set(activation)
    if len(names) > 1 or not config.get("bias", True):
        raise ValueError(f"{path}: expected one activation behind all hidden layers, and biases; this network has others")
    hidden, name = tuple(config["hidden"]), OF_PROJECT[names.pop()]
    if not classes:
        loss = "poisson" if config["loss"] == "poisson" else "squared_error"
        estimator: Any = MLPRegressor(loss, hidden, name)
        if config["output_activation"] != "identity":
            raise ValueError(f"{path}: expected identity outputs of a network without classes")
    else:
        encoding = config["encoding"] if isinstance(config["encoding"], str) else config["encoding"]["name"]
        loss = "log_loss" if config["loss"].endswith("cross-entropy") else config["loss"]
        estimator = MLPClassifier(hidden_layer_sizes=hidden, activation=name, loss=loss, encoding=encoding)
        if config["output_activation"] not in ("softmax", "sigmoid"):
            raise ValueError(f"{path}: expected softmax or sigmoid outputs, found {config['output_activation']}")
        estimator._fit_labels(np.array(classes))
    estimator.n_iter_ = config["epochs"]
    estimator.t_ = 0
    return estimator


def _sort_classes(estimator: Any, classes: list[str], coefs: list[Any], intercepts: list[Any], path: Any) -> None:
    """Brings the outputs into the order of ``classes_``, which is sorted; a file may have any."""
    order = np.argsort(np.array(classes))
    codes, n_outputs = estimator._codes, len(classes)
    if codes is not None:
        n_outputs = codes.shape[1]
        if estimator.encoding != "ascii" and not np.array_equal(order, np.arange(len(classes))):
            raise ValueError(f"{path}: expected classes in alphabetical order, on which {estimator.encoding} codes depend")
    if coefs[-1].shape[1] != n_outputs:
        expected = f"{n_outputs} outputs, for the {estimator.encoding} codes of {len(classes)} classes"
        raise ValueError(f"{path}: expected {expected}, found {coefs[-1].shape[1]}")
    if codes is None:
        coefs[-1], intercepts[-1] = np.ascontiguousarray(coefs[-1][:, order]), intercepts[-1][order]


def _optimizer(estimator: Perceptron) -> dict[str, Any]:
    from ._stochastic import rule_of

    rule = rule_of(estimator)
    if rule in ("momentum", "nesterov"):
        return {"name": rule, "momentum": min(float(estimator.momentum), 0.999999)}
    if rule == "sgd":
        return {"name": rule}
    numbers = {"beta1": float(estimator.beta_1), "beta2": float(estimator.beta_2), "epsilon": float(estimator.epsilon)}
    return {"name": rule, **numbers, **({"decay": float(estimator.weight_decay)} if rule == "adamw" else {})}


def _from_plain(value: Any) -> Any:
    """What ``_plain`` has made a thing of JSON; lists stay lists."""
    if isinstance(value, dict) and FLOAT in value:
        return float(value[FLOAT])
    if isinstance(value, dict):
        return {_from_plain(key): _from_plain(part) for key, part in value[PAIRS]}
    return [_from_plain(part) for part in value] if isinstance(value, list) else value


def _label_type(estimator: Any) -> str | None:
    labels = getattr(estimator, "classes_", None)
    if labels is None:
        return None
    return "object" if labels.dtype == object else str(labels.dtype.str)


def _plain(value: Any) -> Any:
    """A value as JSON has it; generators and types by their names."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        # The keys of JSON are texts, and classes may be numbers.
        return {PAIRS: [[_plain(key), _plain(part)] for key, part in value.items()]}
    if isinstance(value, float) and not math.isfinite(value):
        return {FLOAT: repr(float(value))}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (np.dtype, type)):
        return np.dtype(value).name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return None
