"""Multilayer perceptrons with scikit-learn's estimators: faster, exact, resumable.

>>> from mlp_lab import MLPClassifier  # instead of: from sklearn.neural_network import MLPClassifier
>>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["equal", "different", "different", "equal"]
>>> net = MLPClassifier(hidden_layer_sizes=(8,), max_iter=1000, learning_rate_init=0.01, random_state=1).fit(X, y)
>>> net.predict([[1.0, 0.0]]).tolist()
['different']
"""

from importlib.metadata import version as _version

from ._classifier import MLPClassifier
from ._diagnosis import Diagnosis
from ._model_file import load
from ._regressor import MLPRegressor

__all__ = ["Diagnosis", "MLPClassifier", "MLPRegressor", "load"]
__version__ = _version("mlp-lab")
