"""What several tests use."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning


@pytest.fixture(scope="session")
def digits():
    """Scikit-learn's small digits: inputs from 0 to 1, and labels."""
    x, y = load_digits(return_X_y=True)
    return x / 16.0, y


@pytest.fixture
def global_random_seed():
    """What scikit-learn's own tests ask for."""
    return 42


def fitted(estimator, x, y, **options):
    """The estimator, fitted without a word about epochs that were too few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, y, **options)


def parameters(estimator):
    """All weights and biases in one array."""
    return np.concatenate([part.ravel() for part in (*estimator.coefs_, *estimator.intercepts_)])
