"""Multilayer perceptrons with scikit-learn's estimators: faster, exact, resumable.

>>> from mlp_lab import MLPClassifier  # instead of: from sklearn.neural_network import MLPClassifier
>>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["equal", "different", "different", "equal"]
>>> net = MLPClassifier(hidden_layer_sizes=(8,), max_iter=1000, learning_rate_init=0.01, random_state=1).fit(X, y)
>>> net.predict([[1.0, 0.0]]).tolist()
['different']
"""

from typing import TYPE_CHECKING, Any

from ._native import version as _version

if TYPE_CHECKING:
    from ._classifier import MLPClassifier
    from ._diagnosis import Diagnosis
    from ._model_file import load
    from ._regressor import MLPRegressor
    from ._runs import read_runs

__all__ = ["Diagnosis", "MLPClassifier", "MLPRegressor", "load", "read_runs"]
__version__ = _version()

_LATER = {
    "Diagnosis": "_diagnosis",
    "MLPClassifier": "_classifier",
    "MLPRegressor": "_regressor",
    "load": "_model_file",
    "read_runs": "_runs",
}
"""Imported when it is asked for: scikit-learn takes a second, and who reads tables of runs does not need it."""


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from importlib import import_module

        value = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])
