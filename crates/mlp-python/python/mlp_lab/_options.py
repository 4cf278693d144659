"""What training does beyond scikit-learn's: dropout, norms, deformed images, means of the weights."""

from __future__ import annotations

from math import isqrt
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from ._parameters import Check, nothing, number, one_of, that

if TYPE_CHECKING:
    from ._estimator import Perceptron

DECAY = 0.999
"""Of 'ema' alone."""


class Options(TypedDict):
    """The part of the settings of a training that belongs to this file."""

    dropout: list[float]
    clip_norm: float | None
    max_norm: float | None
    augment: tuple[str, tuple[int, int]] | None
    seed: int
    bf16: bool
    keeps_mean: bool
    mean_decay: float | None


def _is_rates(value: Any) -> bool:
    if not hasattr(value, "__len__") or isinstance(value, (str, bytes, dict)):
        return False
    return all(isinstance(rate, Real) and 0 <= float(rate) < 1 for rate in value)


def _is_sides(value: Any) -> bool:
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    return is_pair and all(isinstance(side, Integral) and int(side) > 0 for side in value)


def _is_mean(value: Any) -> bool:
    if value == "ema":
        return True
    if not isinstance(value, (tuple, list)) or len(value) != 2 or isinstance(value[1], (bool, np.bool_)):
        return False
    name, amount = value
    if name == "ema":
        return isinstance(amount, Real) and 0 <= float(amount) < 1
    return name == "mean" and isinstance(amount, Integral) and int(amount) >= 1


CONSTRAINTS: dict[str, list[Check]] = {
    "dropout": [number(0, 1), that("an array-like with a rate for each hidden layer", _is_rates, "array-like")],
    "input_dropout": [number(0, 1)],
    "clip_norm": [nothing(), number(0, None, closed="neither")],
    "max_norm": [nothing(), number(0, None, closed="neither")],
    "augment": [nothing(), that("a str such as 'gentle' or 'shift 2, rotate 10'", lambda value: isinstance(value, str), str)],
    "image_shape": [nothing(), that("a pair (height, width) of ints", _is_sides, tuple)],
    "precision": [nothing(), one_of("bf16")],
    "average": [nothing(), that("'ema', ('ema', decay) with 0 <= decay < 1, or ('mean', n_epochs)", _is_mean, tuple)],
}


def check_solver(estimator: Perceptron) -> None:
    """Raise a ValueError where an option needs steps and there are none."""
    if estimator.solver != "lbfgs":
        return
    idle: dict[str, Any] = dict(
        dropout=0.0, input_dropout=0.0, clip_norm=None, max_norm=None, augment=None, average=None, precision=None,
        checkpoint=None,
    )
    for name, default in idle.items():
        value = getattr(estimator, name)
        if not (value is default or value == default):
            raise ValueError(
                f"{name}={value!r} needs steps on batches, which solver='lbfgs' does not take; set solver to 'adam', 'adamw' or"
                " 'sgd'."
            )


def dropout_rates(estimator: Perceptron, n_hidden: int) -> list[float]:
    """The rate of the inputs, then that of each hidden layer."""
    given = estimator.dropout
    rates = [float(given)] * n_hidden if isinstance(given, Real) else [float(rate) for rate in given]
    if len(rates) != n_hidden:
        raise ValueError(f"dropout must have one rate, or one for each of the {n_hidden} hidden layers; got {given!r}.")
    return [float(estimator.input_dropout), *rates]


def image_size(estimator: Perceptron, n_features: int) -> tuple[int, int]:
    """Height and width of the images that rows of so many numbers are."""
    if estimator.image_shape is not None:
        height, width = (int(side) for side in estimator.image_shape)
        if height * width != n_features:
            raise ValueError(f"image_shape={estimator.image_shape!r} is not the shape of rows of {n_features} pixels.")
        return height, width
    side = isqrt(n_features)
    if side * side != n_features:
        raise ValueError(
            f"augment deforms images, and {n_features} columns are no square; say image_shape=(height, width), or set"
            " augment=None."
        )
    return side, side


def check_pixels(X: Any) -> None:
    """Raise a ValueError where the inputs are no grey levels."""
    if X.dtype == np.uint8:
        return
    least, most = float(X.min()), float(X.max())
    if least < 0 or most > 1:
        raise ValueError(
            f"augment deforms images: expected grey levels from 0 to 1, or uint8, found numbers from {least:g} to {most:g}."
            " Divide them, with sklearn.preprocessing.MinMaxScaler or by the largest grey level, or set augment=None."
        )


def options(estimator: Perceptron, n_features: int, seed: int) -> Options:
    """What the compiled half is told."""
    augment = estimator.augment
    return {
        "dropout": dropout_rates(estimator, len(estimator.coefs_) - 1),
        "clip_norm": None if estimator.clip_norm is None else float(estimator.clip_norm),
        "max_norm": None if estimator.max_norm is None else float(estimator.max_norm),
        "augment": None if augment is None else (augment, image_size(estimator, n_features)),
        "seed": seed,
        "bf16": estimator.precision == "bf16",
        "keeps_mean": estimator.average is not None,
        "mean_decay": ema_decay(estimator),
    }


def draws(estimator: Perceptron) -> bool:
    """Whether there is chance in the steps themselves."""
    return bool(estimator.augment is not None or np.any(estimator.dropout) or estimator.input_dropout > 0)


def ema_decay(estimator: Perceptron) -> float | None:
    """The decay of the exponential mean over the steps, if there is one."""
    average = estimator.average
    if average is None or average == "ema":
        return None if average is None else DECAY
    return float(average[1]) if average[0] == "ema" else None


def mean_rate(estimator: Perceptron, epoch: int) -> float | None:
    """How far a mean over the last epochs goes towards the weights after this one, counted from 1, if it has begun."""
    average = estimator.average
    if average is None or ema_decay(estimator) is not None:
        return None
    n_before = max(int(estimator.max_iter) - int(average[1]), 0)
    return 1.0 / (epoch - n_before) if epoch > n_before else None
