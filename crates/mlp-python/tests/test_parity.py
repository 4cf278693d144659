"""The same first weights and the same order of samples give scikit-learn's weights, to rounding."""

from itertools import product

import numpy as np
import pytest
from conftest import fitted, parameters
from mlp_lab import MLPClassifier, MLPRegressor
from sklearn import neural_network

BOUND = 1e-10

SOLVERS = {
    "sgd": dict(solver="sgd", momentum=0.0),
    "momentum": dict(solver="sgd", nesterovs_momentum=False),
    "nesterov": dict(solver="sgd"),
    "invscaling": dict(solver="sgd", learning_rate="invscaling", learning_rate_init=0.01),
    "adaptive": dict(solver="sgd", learning_rate="adaptive", tol=0.5, n_iter_no_change=1, max_iter=8),
    "adam": dict(solver="adam"),
    "adam with other numbers": dict(solver="adam", beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    "lbfgs": dict(solver="lbfgs"),
}


def tasks():
    random = np.random.RandomState(0)
    x = random.randn(300, 20)
    yield "two classes", "classifier", x, (x[:, 0] > 0).astype(int), {}
    yield "four classes", "classifier", x, random.randint(0, 4, 300), {}
    yield "three labels", "classifier", x, random.randint(0, 2, (300, 3)), {}
    yield "one number", "regressor", x, 3 * x[:, 0] + random.randn(300), {}
    yield "two numbers", "regressor", x, random.randn(300, 2), {}
    yield "counts", "regressor", x, random.poisson(np.exp(x[:, 0] / 2)), dict(loss="poisson")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", list(tasks()), ids=lambda task: task[0])
def test_weights_and_losses_after_three_epochs_are_those_of_scikit_learn(task, solver):
    _, kind, x, y, options = task
    own = {"classifier": MLPClassifier, "regressor": MLPRegressor}[kind]
    theirs = {"classifier": neural_network.MLPClassifier, "regressor": neural_network.MLPRegressor}[kind]
    weights = np.random.RandomState(1).rand(len(x))
    activations = ("relu", "tanh", "logistic", "identity")
    for number, (alpha, activation) in enumerate(product((0.0, 1e-4, 1.0), activations)):
        sample_weight = weights if number % 3 == 1 else None
        settings = dict(random_state=3, max_iter=3, hidden_layer_sizes=(12, 7), batch_size=32)
        settings |= dict(alpha=alpha, activation=activation) | SOLVERS[solver] | options
        ours = fitted(own(**settings), x, y, sample_weight=sample_weight)
        reference = fitted(theirs(**settings), x, y, sample_weight=sample_weight)
        assert np.abs(parameters(ours) - parameters(reference)).max() < BOUND, settings
        assert ours.n_iter_ == reference.n_iter_
        assert ours.loss_ == pytest.approx(reference.loss_, abs=BOUND)
        if solver != "lbfgs":
            np.testing.assert_allclose(ours.loss_curve_, reference.loss_curve_, atol=BOUND)
            assert (ours.t_, ours.best_loss_) == (reference.t_, pytest.approx(reference.best_loss_, abs=BOUND))


def test_a_whole_fit_ends_after_the_same_epoch_with_the_same_answers(digits):
    x, y = digits
    settings = dict(hidden_layer_sizes=(20,), random_state=0, max_iter=60, tol=1e-2, n_iter_no_change=3)
    ours = fitted(MLPClassifier(**settings), x, y)
    reference = fitted(neural_network.MLPClassifier(**settings), x, y)
    assert ours.n_iter_ == reference.n_iter_ < 60
    np.testing.assert_allclose(ours.predict_proba(x), reference.predict_proba(x), atol=1e-8)


def test_early_stopping_of_two_classes_draws_the_split_of_scikit_learn(digits):
    x, y = digits[0], digits[1] % 2
    settings = dict(hidden_layer_sizes=(10,), random_state=0, max_iter=12, early_stopping=True)
    ours = fitted(MLPClassifier(**settings), x, y)
    reference = fitted(neural_network.MLPClassifier(**settings), x, y)
    assert ours.validation_scores_ == reference.validation_scores_
    assert ours.best_validation_score_ == reference.best_validation_score_
    np.testing.assert_allclose(parameters(ours), parameters(reference), atol=1e-9)


def test_every_parameter_of_scikit_learn_is_there_with_its_default():
    for own, theirs in ((MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)):
        known, wanted = own().get_params(), theirs().get_params()
        assert {name: known[name] for name in wanted} == wanted
        public = {name for name in vars(fitted(theirs(max_iter=1), [[0.0], [1.0]], [0, 1])) if name.endswith("_")}
        assert public <= {name for name in vars(fitted(own(max_iter=1), [[0.0], [1.0]], [0, 1])) if name.endswith("_")}
