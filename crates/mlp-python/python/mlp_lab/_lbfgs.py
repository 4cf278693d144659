"""Training by L-BFGS: SciPy's, on loss and gradient from Rust."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from . import _native
from ._threads import resolve_threads

if TYPE_CHECKING:
    from ._estimator import Perceptron


def pack(coefs: list[Any], intercepts: list[Any]) -> Any:
    """All parameters in one array: the weights of all layers, then their biases."""
    return np.concatenate([np.ravel(part) for part in (*coefs, *intercepts)]).astype(np.float64)


def unpack(packed: Any, coefs: list[Any], intercepts: list[Any]) -> tuple[list[Any], list[Any]]:
    """The same in the shapes and types of ``coefs`` and ``intercepts``."""
    parts, start = [], 0
    for like in (*coefs, *intercepts):
        parts.append(packed[start : start + like.size].reshape(like.shape).astype(like.dtype))
        start += like.size
    return parts[: len(coefs)], parts[len(coefs) :]


def objective(estimator: Perceptron, n_samples: int) -> _native.Objective:
    """The network of the estimator as a function of its packed parameters."""
    loss = estimator._loss()
    coefs = [coef.astype(np.float64) for coef in estimator.coefs_]
    intercepts = [intercept.astype(np.float64) for intercept in estimator.intercepts_]
    n_threads = resolve_threads(estimator.n_threads)
    activations = (estimator.activation, loss.out_activation)
    return _native.Objective(coefs, intercepts, *activations, loss.name, loss.factor, n_samples, n_threads)


def fit_lbfgs(estimator: Perceptron, x: Any, targets: Any, sample_weight: Any) -> None:
    """Minimise the loss over all samples."""
    from scipy.optimize import minimize

    function = objective(estimator, x.shape[0])
    targets = targets.astype(np.float64)
    if hasattr(x, "indptr"):
        x = x.astype(np.float64)
    alpha = float(estimator.alpha)
    result = minimize(
        lambda parameters: function(parameters, x, targets, sample_weight, alpha),
        pack(estimator.coefs_, estimator.intercepts_),
        method="L-BFGS-B",
        jac=True,
        callback=_Teller() if estimator.verbose else None,
        options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
    )
    estimator.n_iter_ = min(result.nit, estimator.max_iter)
    estimator.loss_ = float(result.fun)
    estimator.coefs_, estimator.intercepts_ = unpack(result.x, estimator.coefs_, estimator.intercepts_)
    if result.status != 0:
        message = (
            f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) (status={result.status}): {result.message}."
            " Raise max_iter or max_fun, or scale the columns of X (sklearn.preprocessing.StandardScaler)."
        )
        warnings.warn(message, ConvergenceWarning, stacklevel=4)


class _Teller:
    def __init__(self) -> None:
        self.n_iterations = 0

    def __call__(self, intermediate_result: Any) -> None:
        self.n_iterations += 1
        print(f"Iteration {self.n_iterations}, loss = {intermediate_result.fun:.8f}")
