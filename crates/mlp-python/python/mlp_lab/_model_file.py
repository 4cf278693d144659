"""Estimators in the project's model files: safetensors with a configuration, without pickles."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native

if TYPE_CHECKING:
    from ._estimator import Perceptron

ENTRY = "mlp_lab"
"""What this package adds to the configuration."""

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
"""The project's names of scikit-learn's activations."""

OF_PROJECT = {name: own for own, name in ACTIVATIONS.items()}


def save(estimator: Perceptron, path: str | os.PathLike[str]) -> None:
    """Write a model file; see :meth:`Perceptron.save`."""
    loss = estimator._loss()
    optimizer = {"name": "sgd"} if estimator.solver == "lbfgs" else _optimizer(estimator)
    batch_size = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
    config = {
        "hidden": [coef.shape[1] for coef in estimator.coefs_[:-1]],
        "activation": ACTIVATIONS[estimator.activation],
        "output_activation": "sigmoid" if loss.out_activation == "logistic" else loss.out_activation,
        "loss": loss.name,
        "reduction": loss.reduction,
        "precision": "f32" if estimator.coefs_[0].dtype == np.float32 else "f64",
        "optimizer": optimizer,
        "learning_rate": float(estimator.learning_rate_init),
        "l2": float(estimator.alpha) / batch_size,
        "batch_size": batch_size,
        "epochs": max(int(estimator.n_iter_), 1),
        "encoding": estimator._encoding_of_file(),
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
    arrays = (estimator.coefs_, estimator.intercepts_)
    _native.save_model(os.fspath(path), *arrays, json.dumps(config), classes, json.dumps({ENTRY: own}))


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
    estimator.coefs_, estimator.intercepts_ = coefs, intercepts
    estimator.n_layers_ = len(coefs) + 1
    estimator.n_outputs_ = coefs[-1].shape[1]
    estimator.n_features_in_ = coefs[0].shape[0]
    estimator._best_coefs, estimator._best_intercepts = list(coefs), list(intercepts)
    estimator.out_activation_ = estimator._out_activation()
    return estimator


_ATTRIBUTES = (
    "n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_",
    "feature_names_in_", "_no_improvement_count",
)  # fmt: skip


def _own(said: dict[str, Any]) -> Any:
    from . import MLPClassifier, MLPRegressor

    kinds: dict[str, Any] = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
    # A tuple is a list in JSON.
    parameters = {name: tuple(value) if isinstance(value, list) else value for name, value in said["parameters"].items()}
    estimator = kinds[said["estimator"]](**parameters)
    for name in _ATTRIBUTES:
        if name in said["attributes"]:
            value = said["attributes"][name]
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
        estimator: Any = MLPRegressor(hidden_layer_sizes=hidden, activation=name)
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


def _optimizer(estimator: Perceptron) -> dict[str, Any]:
    from ._stochastic import rule_of

    rule = rule_of(estimator)
    if rule in ("momentum", "nesterov"):
        return {"name": rule, "momentum": min(float(estimator.momentum), 0.999999)}
    if rule == "sgd":
        return {"name": rule}
    numbers = {"beta1": float(estimator.beta_1), "beta2": float(estimator.beta_2), "epsilon": float(estimator.epsilon)}
    return {"name": rule, **numbers, **({"decay": float(estimator.weight_decay)} if rule == "adamw" else {})}


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
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (np.dtype, type)):
        return np.dtype(value).name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return None
