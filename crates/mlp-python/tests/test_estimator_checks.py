"""Scikit-learn's own checks of what an estimator is: all of them, without exceptions of ours."""

import pytest
from mlp_lab import MLPClassifier, MLPRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

pytestmark = pytest.mark.filterwarnings("ignore")


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_estimator_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
