"""At work among scikit-learn's tools."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from conftest import fitted, parameters
from mlp_lab import MLPClassifier, MLPRegressor
from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_pipeline_is_cross_validated():
    x, y = load_iris(return_X_y=True)
    net = make_pipeline(StandardScaler(), MLPClassifier(max_iter=100, learning_rate_init=0.01, random_state=0))
    assert cross_val_score(net, x, y, cv=5).mean() > 0.93


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_grid_search_finds_the_same_in_processes_and_in_threads(digits, backend):
    x, y = digits[0][:400], digits[1][:400]
    grid = {"alpha": [1e-4, 1.0], "hidden_layer_sizes": [(5,), (20,)]}
    search = GridSearchCV(MLPClassifier(max_iter=15, random_state=0), grid, cv=2)
    alone = search.fit(x, y).cv_results_["mean_test_score"]
    with joblib.parallel_backend(backend, n_jobs=2):
        together = clone(search).fit(x, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(alone, together)


def test_a_worker_process_is_told_how_many_threads_it_may_take():
    asked = "__import__('mlp_lab._threads')._threads.resolve_threads(None)"
    with joblib.parallel_backend("loky", n_jobs=2, inner_max_num_threads=1):
        assert joblib.Parallel()(joblib.delayed(eval)(asked) for _ in range(2)) == [1, 1]


def test_pickles_and_joblib_files_answer_alike_and_learn_on_alike(digits, tmp_path):
    x, y = digits[0][:300], digits[1][:300]
    for solver in ("adam", "sgd"):
        net = fitted(MLPClassifier(solver=solver, max_iter=5, random_state=0), x, y)
        joblib.dump(net, tmp_path / "net.joblib")
        copies = [pickle.loads(pickle.dumps(net)), joblib.load(tmp_path / "net.joblib")]
        net.partial_fit(x, y)
        for copy in copies:
            copy.partial_fit(x, y)
            np.testing.assert_array_equal(parameters(copy), parameters(net))


def test_a_clone_has_the_parameters_and_none_of_the_weights(digits):
    net = fitted(MLPClassifier(hidden_layer_sizes=[4, 3], max_iter=2), *digits)
    copy = clone(net)
    assert copy.get_params() == net.get_params()
    assert not hasattr(copy, "coefs_")


def test_names_of_columns_are_kept_and_asked_for():
    data = load_iris(as_frame=True)
    net = fitted(MLPClassifier(max_iter=5), data.data, data.target)
    assert list(net.feature_names_in_) == list(data.data.columns)
    with pytest.raises(ValueError, match="feature names"):
        net.predict(data.data.rename(columns=str.upper))
    with pytest.warns(UserWarning, match="feature names"):
        net.predict(data.data.to_numpy())


def test_a_pipeline_hands_over_tables_where_it_is_told_to():
    data = load_iris(as_frame=True)
    net = make_pipeline(StandardScaler(), MLPClassifier(max_iter=5)).set_output(transform="pandas")
    net.fit(data.data, data.target)
    assert list(net[-1].feature_names_in_) == list(data.data.columns)


def test_weights_of_samples_are_routed():
    x, y = load_iris(return_X_y=True)
    weights = np.linspace(0.1, 2, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        net = MLPClassifier(max_iter=5, random_state=0).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        routed = make_pipeline(scaler, net).fit(x, y, sample_weight=weights)
    expected = fitted(MLPClassifier(max_iter=5, random_state=0), StandardScaler().fit_transform(x), y, sample_weight=weights)
    np.testing.assert_array_equal(parameters(routed[-1]), parameters(expected))


@pytest.mark.parametrize("layout", [scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, scipy.sparse.csr_array])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_inputs_teach_and_are_answered_as_dense_ones(digits, layout, solver):
    x, y = digits[0][:200], digits[1][:200]
    dense = fitted(MLPClassifier(solver=solver, max_iter=5, random_state=0), x, y)
    sparse = fitted(MLPClassifier(solver=solver, max_iter=5, random_state=0), layout(x), y)
    np.testing.assert_array_equal(parameters(dense), parameters(sparse))
    np.testing.assert_array_equal(dense.predict_proba(x), sparse.predict_proba(layout(x)))


def test_float32_stays_float32_and_other_types_become_what_the_table_says(digits):
    x, y = digits
    expected = {np.float32: np.float32, np.float64: np.float64, np.float16: np.float32, np.uint8: np.float64, np.int64: np.float64}
    for given, taken in expected.items():
        net = fitted(MLPClassifier(max_iter=2, random_state=0), (x * 16).astype(given), y)
        assert {part.dtype for part in net.coefs_ + net.intercepts_} == {np.dtype(taken)}, given
    assert net.predict_proba(x.astype(np.float32)).dtype == np.float64
    single = fitted(MLPRegressor(max_iter=2), x.astype(np.float32), y)
    assert single.predict(x).dtype == np.float32
    wanted = fitted(MLPClassifier(max_iter=2, dtype="float32"), x, y)
    assert wanted.coefs_[0].dtype == np.float32


def test_bytes_teach_as_their_numbers(digits):
    x, y = (digits[0] * 16).astype(np.uint8), digits[1]
    as_bytes = fitted(MLPClassifier(max_iter=3, random_state=0), x, y)
    as_numbers = fitted(MLPClassifier(max_iter=3, random_state=0), x.astype(float), y)
    np.testing.assert_array_equal(parameters(as_bytes), parameters(as_numbers))
    np.testing.assert_array_equal(as_bytes.predict(x), as_numbers.predict(x))


@pytest.mark.parametrize("given", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=0)[::2], lambda x: x[::-1][::-1], list])
def test_layouts_make_no_difference(digits, given):
    x, y = digits[0][:200], digits[1][:200]
    expected = fitted(MLPClassifier(max_iter=3, random_state=0), x, y)
    found = fitted(MLPClassifier(max_iter=3, random_state=0), given(x), y)
    np.testing.assert_array_equal(parameters(found), parameters(expected))
    np.testing.assert_array_equal(found.predict_proba(given(x)), expected.predict_proba(x))


@pytest.mark.parametrize("labels", [["no", "yes"], ["a", "b", "c"], [True, False], [-1.0, 1.0], [10, 20, 30]])
def test_labels_are_anything_that_scikit_learn_takes(labels):
    x = np.random.RandomState(0).randn(120, 5)
    codes = (x[:, 0] > 0).astype(int) + ((x[:, 1] > 0) if len(labels) == 3 else 0)
    given = [np.array(labels)[codes], pd.Series(np.array(labels)[codes])]
    if isinstance(labels[0], str):
        given.append(np.array(labels, dtype=object)[codes])
    for y in given:
        settings = dict(max_iter=30, learning_rate_init=0.02, random_state=0)
        ours = fitted(MLPClassifier(**settings), x, y)
        reference = fitted(neural_network.MLPClassifier(**settings), x, y)
        np.testing.assert_array_equal(ours.classes_, reference.classes_)
        np.testing.assert_array_equal(ours.predict(x), reference.predict(x))
        assert ours.predict(x).dtype == reference.predict(x).dtype


def test_several_labels_a_sample():
    x, y = make_multilabel_classification(n_samples=100, random_state=0)
    for given in (y, scipy.sparse.csr_matrix(y)):
        net = fitted(MLPClassifier(max_iter=5, random_state=0), x, given)
        reference = fitted(neural_network.MLPClassifier(max_iter=5, random_state=0), x, given)
        found, expected = net.predict(x), reference.predict(x)
        assert type(found) is type(expected)
        dense = [np.asarray(answers.todense() if scipy.sparse.issparse(answers) else answers) for answers in (found, expected)]
        np.testing.assert_array_equal(*dense)
        np.testing.assert_allclose(net.predict_proba(x), reference.predict_proba(x), atol=1e-9)


def test_the_package_itself_is_imported_without_scikit_learn():
    asked = "import sys, mlp_lab; dir(mlp_lab); print('sklearn' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
