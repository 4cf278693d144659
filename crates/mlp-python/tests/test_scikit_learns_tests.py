"""Scikit-learn's tests of its estimators, with these in their place."""

import importlib.util

import pytest
import sklearn
from mlp_lab import MLPClassifier, MLPRegressor

RELEASE = "1.9."
"""Whose semantics are followed; the tests of another release may ask for other things."""

pytestmark = pytest.mark.filterwarnings("ignore")


def tests_of_scikit_learn():
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    if spec is None or not sklearn.__version__.startswith(RELEASE):
        return {}
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The functions look their estimators up when they are called; decorators have taken theirs already.
    swapped = {module.MLPClassifier: MLPClassifier, module.MLPRegressor: MLPRegressor}
    module.MLPClassifier, module.MLPRegressor = MLPClassifier, MLPRegressor
    tests = {name: test for name, test in vars(module).items() if name.startswith("test_")}
    for test in tests.values():
        for mark in getattr(test, "pytestmark", []):
            if mark.name == "parametrize":
                values = [swapped.get(value, value) if isinstance(value, type) else value for value in mark.args[1]]
                mark.args[1][:] = values
    return tests


globals().update(tests_of_scikit_learn())


@pytest.mark.skipif(not sklearn.__version__.startswith(RELEASE), reason=f"scikit-learn {RELEASE}* is followed")
def test_there_are_tests_and_they_are_of_these_estimators():
    tests = [test for name, test in globals().items() if name.startswith("test_")]
    assert len(tests) > 40
    assert globals()["test_alpha"].__globals__["MLPClassifier"] is MLPClassifier
    taken = [mark.args[1] for test in tests for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    estimators = {value for values in taken for value in values if isinstance(value, type)}
    assert {MLPClassifier, MLPRegressor} <= estimators
    assert not {estimator for estimator in estimators if estimator.__module__.startswith("sklearn.neural_network")}


@pytest.mark.skipif(not sklearn.__version__.startswith(RELEASE), reason=f"scikit-learn {RELEASE}* is followed")
@pytest.mark.parametrize("estimator", [MLPClassifier(max_iter=5), MLPRegressor(max_iter=5)], ids=str)
def test_what_scikit_learn_tests_of_all_its_estimators_holds_here_too(estimator):
    from sklearn.tests import test_common

    name = type(estimator).__name__
    test_common.check_param_validation(name, estimator)
    test_common.check_dataframe_column_names_consistency(name, estimator)
    test_common.check_inplace_ensure_writeable(name, estimator)
    test_common.check_all_zero_sample_weights_error(name, estimator)
