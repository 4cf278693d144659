"""What is this project's own in how networks are trained."""

import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from conftest import fitted, parameters
from mlp_lab import MLPClassifier, MLPRegressor, _native
from sklearn import neural_network

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(solver, dtype):
    random = np.random.RandomState(0)
    x, y = random.randn(500, 80), random.randint(0, 3, 500)
    settings = dict(hidden_layer_sizes=(70, 40), solver=solver, max_iter=3, random_state=0, dtype=dtype)
    nets = [fitted(MLPClassifier(n_threads=n_threads, **settings), x, y) for n_threads in (1, 2, 3, 5)]
    for net in nets[1:]:
        np.testing.assert_array_equal(parameters(net), parameters(nets[0]))
        np.testing.assert_array_equal(net.predict_proba(x), nets[0].predict_proba(x))


def test_fits_in_several_threads_at_once_are_as_alone(digits):
    x, y = digits
    expected = [parameters(fitted(MLPClassifier(max_iter=5, random_state=seed), x, y)) for seed in range(4)]
    nets = [MLPClassifier(max_iter=5, random_state=seed) for seed in range(4)]
    threads = [threading.Thread(target=net.fit, args=(x, y)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for net, bits in zip(nets, expected):
        np.testing.assert_array_equal(parameters(net), bits)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_thirty_calls_of_partial_fit_are_a_fit_of_thirty_epochs_where_nothing_is_shuffled(digits, solver):
    x, y = digits[0][:150], digits[1][:150]
    settings = dict(solver=solver, random_state=1, hidden_layer_sizes=(8,), batch_size=40, shuffle=False)
    whole = fitted(MLPClassifier(max_iter=30, tol=0, n_iter_no_change=1000, **settings), x, y)
    parts = MLPClassifier(**settings)
    for _ in range(30):
        parts.partial_fit(x, y, classes=range(10))
    np.testing.assert_array_equal(parameters(parts), parameters(whole))
    assert parts.loss_curve_ == whole.loss_curve_


def test_every_partial_fit_shuffles_anew_and_repeatably(digits):
    x, y = digits
    settings = dict(hidden_layer_sizes=(8,), random_state=1)
    reference = neural_network.MLPClassifier(**settings)
    one, other = MLPClassifier(**settings), MLPClassifier(**settings)
    for call in range(2):
        for net in (one, other, reference):
            net.partial_fit(x, y, classes=range(10))
        np.testing.assert_array_equal(parameters(one), parameters(other))
        # With an integer seed scikit-learn takes the first order for the second time.
        assert np.allclose(parameters(one), parameters(reference), atol=1e-9) == (call == 0)


def test_partial_fit_follows_a_changed_learning_rate(digits):
    x, y = digits
    for solver in ("sgd", "adam"):
        net = MLPClassifier(solver=solver, random_state=0, alpha=0).partial_fit(x, y, classes=range(10))
        before = parameters(net)
        net.set_params(learning_rate_init=1e-300).partial_fit(x, y)
        # Momentum may go on, but nothing is added to it.
        assert np.abs(parameters(net) - before).max() < (0.2 if solver == "sgd" else 1e-290)


def test_a_validation_split_has_its_share_of_every_class():
    random = np.random.RandomState(0)
    x, y = random.randn(1000, 3), np.repeat([0, 1, 2], [900, 90, 10])
    net = MLPClassifier(early_stopping=True, validation_fraction=0.1, max_iter=1, random_state=0)
    seen = []
    net._score_outputs = lambda outputs, targets, weights: seen.append(targets.sum(axis=0)) or 0.0
    fitted(net, x, y)
    assert seen[0].tolist() == [90, 9, 1]


def test_classes_of_one_sample_do_not_keep_from_early_stopping():
    x, y = np.random.RandomState(0).randn(40, 3), ["a"] * 20 + ["b"] * 19 + ["c"]
    assert fitted(MLPClassifier(early_stopping=True, max_iter=3), x, y).validation_scores_


def test_numbers_that_overflow_are_an_error_that_says_so():
    x, y = np.random.RandomState(0).randn(50, 3) * 1e200, np.arange(50.0)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        MLPRegressor().fit(x, y)


INTERRUPTED = """
import os, signal, sys, threading, time, warnings
import numpy as np
from mlp_lab import MLPClassifier

x, y = np.random.RandomState(0).randn(20000, 500), np.random.RandomState(1).randint(0, 10, 20000)
net = MLPClassifier(hidden_layer_sizes=(500, 500), max_iter=10_000, solver=sys.argv[1], random_state=0)
sent = []
def interrupt():
    time.sleep(2.0)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        net.fit(x, y)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", end=" ")
late = time.monotonic() - sent[0]
print([str(warning.message) for warning in caught], np.isfinite(net.coefs_[0]).all())
assert late < 1.5, late
"""


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_ends_a_fit_within_a_batch(solver):
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, solver], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    # As scikit-learn: a warning, and the network as it is; L-BFGS has none to leave.
    expected = "['Training interrupted by user.'] True" if solver == "adam" else "KeyboardInterrupt [] True"
    assert done.stdout.strip() == expected


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
def test_what_a_signal_handler_raises_is_raised():
    def ring(*_):
        raise TimeoutError("enough")

    x, y = np.random.RandomState(0).randn(20000, 200), np.random.RandomState(1).randint(0, 10, 20000)
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(TimeoutError, match="enough"):
            MLPClassifier(hidden_layer_sizes=(300,), max_iter=1000).fit(x, y)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_other_threads_run_meanwhile():
    x, y = np.random.RandomState(0).randn(20000, 300), np.random.RandomState(1).randint(0, 10, 20000)
    net = MLPClassifier(hidden_layer_sizes=(300,), max_iter=2, n_threads=1)
    fitting = threading.Thread(target=fitted, args=(net, x, y))
    fitting.start()
    ticks = 0
    while fitting.is_alive():
        time.sleep(0.001)
        ticks += 1
    assert ticks > 20


def test_what_does_not_fit_is_an_exception_and_never_the_end():
    coefs, intercepts = [np.zeros((3, 2)), np.zeros((2, 1))], [np.zeros(2), np.zeros(1)]
    with pytest.raises(ValueError, match="columns"):
        _native.outputs(np.zeros((9, 4)), coefs, intercepts, "relu", "identity", 1)
    with pytest.raises(ValueError, match="shape"):
        _native.outputs(np.zeros((1, 4)), coefs, intercepts, "relu", "identity", 1)
    with pytest.raises(ValueError, match="intercepts"):
        _native.outputs(np.zeros((9, 3)), coefs, [np.zeros(5), np.zeros(1)], "relu", "identity", 1)
    with pytest.raises(ValueError, match="activation"):
        _native.outputs(np.zeros((9, 3)), coefs, intercepts, "rleu", "identity", 1)
    # A fault in the compiled half: a sparse matrix that lies.
    import scipy.sparse

    lying = scipy.sparse.csr_matrix(np.eye(9, 3))
    lying.indices[0] = 1000
    with pytest.raises(RuntimeError, match="please report it"):
        _native.outputs(lying, coefs, intercepts, "relu", "identity", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        dict(alpha=-1), dict(activation="sigmoid"), dict(solver="rmsprop"), dict(hidden_layer_sizes=0),
        dict(hidden_layer_sizes=(5, 0)), dict(batch_size=0), dict(learning_rate_init=0), dict(momentum=1.5),
        dict(validation_fraction=1.0), dict(max_iter=0), dict(dtype="int8"), dict(n_threads=0), dict(random_state=-1),
        dict(verbose=-1), dict(epsilon=0), dict(tol=float("nan")), dict(shuffle="yes"),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        MLPClassifier(**wrong).fit([[0.0], [1.0]], [0, 1])


def test_another_network_is_not_taken_for_a_warm_start(digits):
    x, y = digits
    net = fitted(MLPClassifier(hidden_layer_sizes=(5,), max_iter=1, warm_start=True), x, y)
    with pytest.raises(ValueError, match="warm_start=False"):
        net.set_params(hidden_layer_sizes=(6,)).fit(x, y)


def test_log_probabilities_of_nothing_are_minus_infinity_without_a_warning(digits):
    net = fitted(MLPClassifier(max_iter=2), *digits)
    net.coefs_[-1] *= 1e5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isneginf(net.predict_log_proba(digits[0])).any()


def test_weights_changed_by_hand_are_what_answers(digits):
    x, y = digits
    net = fitted(MLPClassifier(max_iter=2, random_state=0), x, y)
    before = net.predict_proba(x)
    net.coefs_[0][:] = 0.0
    for n_samples in (1, len(x)):
        after = net.predict_proba(x[:n_samples])
        assert np.abs(after - before[:n_samples]).max() > 0.01
        assert np.allclose(after, after[0])


def test_one_sample_is_answered_as_among_many(digits):
    x, y = digits
    for dtype, bound in ((np.float32, 1e-6), (np.float64, 1e-14)):
        net = fitted(MLPClassifier(hidden_layer_sizes=(40, 20), max_iter=2), x.astype(dtype), y)
        many = net.predict_proba(x.astype(dtype))
        one = np.concatenate([net.predict_proba(row[None].astype(dtype)) for row in x[:100]])
        np.testing.assert_allclose(one, many[:100], atol=bound)
