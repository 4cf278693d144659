"""Dropout, norms, deformed images, means of the weights, smoothed labels, weights of classes."""

import pickle

import numpy as np
import pytest
from conftest import fitted, parameters
from mlp_lab import MLPClassifier, MLPRegressor, load
from mlp_lab._stochastic import StochasticFit
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification, make_regression
from sklearn.utils.class_weight import compute_sample_weight

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OPTIONS = [
    dict(dropout=0.5),
    dict(dropout=[0.5, 0.0], input_dropout=0.2),
    dict(clip_norm=0.1),
    dict(max_norm=1.0),
    dict(augment="gentle"),
    dict(average="ema"),
    dict(average=("ema", 0.9)),
    dict(average=("mean", 2)),
    dict(label_smoothing=0.2),
    dict(class_weight="balanced"),
    dict(class_weight={0: 5.0, 3: 0.5}),
    dict(precision="bf16"),
]
TOGETHER = dict(
    dropout=0.3, input_dropout=0.1, clip_norm=1.0, max_norm=2.0, augment="gentle", average="ema", label_smoothing=0.1,
    class_weight={1: 2.0}, precision="bf16",
)  # fmt: skip


def net_with(options, **settings):
    return MLPClassifier(**dict(hidden_layer_sizes=(30, 20), max_iter=4, random_state=0) | settings | options)


@pytest.fixture
def few(digits):
    return digits[0][:600], digits[1][:600]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_an_option_changes_training_and_its_bits_are_the_same_on_any_number_of_threads(few, options):
    plain = parameters(fitted(net_with({}), *few))
    found = [parameters(fitted(net_with(options, n_threads=n_threads, batch_size=300), *few)) for n_threads in (1, 3)]
    np.testing.assert_array_equal(*found)
    other = parameters(fitted(net_with(options), *few))
    assert np.abs(other - plain).max() > 1e-4
    np.testing.assert_array_equal(other, parameters(fitted(net_with(options), *few)))


@pytest.mark.parametrize(
    "idle", [dict(dropout=[0.0, 0]), dict(augment="shift 0"), dict(clip_norm=1e9), dict(max_norm=1e9), dict(class_weight={})], ids=str
)
def test_an_option_that_does_nothing_changes_no_bit(few, idle):
    # With a generator, of which deformed images take a seed.
    x = np.round(few[0] * 255) / 255
    plain = fitted(net_with({}, shuffle=False), x, few[1])
    np.testing.assert_array_equal(parameters(fitted(net_with(idle, shuffle=False), x, few[1])), parameters(plain))


@pytest.mark.parametrize("name", ["augment", "dropout"])
def test_steps_draw_from_the_seed_and_each_differs(few, name):
    options = dict(augment="gentle") if name == "augment" else dict(dropout=0.5)
    one, other = (fitted(net_with(options, random_state=seed, shuffle=False), *few) for seed in (0, 1))
    assert one.loss_curve_ != other.loss_curve_
    # Without any learning, an epoch differs from the one before by what was drawn.
    still = fitted(net_with(options, shuffle=False, learning_rate_init=1e-12, tol=0), *few)
    assert len({round(loss, 6) for loss in still.loss_curve_}) == len(still.loss_curve_)


@pytest.mark.parametrize("options", [*OPTIONS, TOGETHER], ids=str)
def test_options_survive_clones_pickles_and_model_files(tmp_path, few, options):
    net = fitted(net_with(options), *few)
    assert clone(net).get_params() == net.get_params()
    net.save(tmp_path / "net.safetensors")
    loaded = load(tmp_path / "net.safetensors")
    expected = {name: tuple(value) if isinstance(value, list) else value for name, value in net.get_params().items()}
    assert loaded.get_params() == expected
    np.testing.assert_array_equal(loaded.predict_proba(few[0]), net.predict_proba(few[0]))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict(few[0]), net.predict(few[0]))


@pytest.mark.parametrize("options", [TOGETHER, dict(dropout=0.5), dict(average=("ema", 0.8))], ids=str)
def test_what_is_pickled_between_two_calls_of_partial_fit_learns_on_alike(few, options):
    x, y = few
    whole, parts = net_with(options), net_with(options)
    for start in range(0, 600, 200):
        batch = slice(start, start + 200)
        whole.partial_fit(x[batch], y[batch], classes=range(10))
        parts = pickle.loads(pickle.dumps(parts)).partial_fit(x[batch], y[batch], classes=range(10))
    np.testing.assert_array_equal(parameters(parts), parameters(whole))


def test_products_of_rounded_numbers_train_a_network_of_float32_that_answers_without_rounding(few):
    x, y = few
    settings = dict(early_stopping=True, batch_size=20, max_iter=20)
    rounded = fitted(net_with(dict(precision="bf16"), **settings), x, y)
    single = fitted(net_with(dict(dtype="float32"), **settings), x, y)
    assert rounded.coefs_[0].dtype == np.float32 == rounded.predict_proba(x).dtype
    assert 0 < np.abs(np.subtract(rounded.loss_curve_, single.loss_curve_)).max() < 0.05
    assert rounded.best_validation_score_ > 0.8 and rounded.score(x, y) > 0.8


def test_what_early_stopping_measures_of_rounded_products_is_what_answers(few, monkeypatch):
    x, y = few[0].astype(np.float32), few[1]
    trainers, keep = [], StochasticFit._keep
    monkeypatch.setattr(StochasticFit, "_keep", lambda fit: (keep(fit), trainers.append(fit.trainer))[0])
    net = fitted(net_with(dict(precision="bf16"), max_iter=2), x, y)
    np.testing.assert_array_equal(trainers[0].outputs(x, None), net.predict_proba(x))


def test_what_deforms_images_is_told(few):
    with pytest.raises(ValueError, match="augment: expected one of gentle, simard, ciresan"):
        net_with(dict(augment="strong")).fit(*few)


def test_rounded_products_are_refused_where_they_cannot_be(few):
    x, y = few
    with pytest.raises(ValueError, match="precision='bf16' is for networks of float32; leave dtype=None"):
        net_with(dict(precision="bf16", dtype="float64")).fit(x, y)
    with pytest.raises(ValueError, match="precision='bf16' needs steps on batches"):
        net_with(dict(precision="bf16", solver="lbfgs")).fit(x, y)
    net = fitted(net_with({}, warm_start=True), x, y).set_params(precision="bf16")
    with pytest.raises(ValueError, match="this one is of float64"):
        net.fit(x, y)
    with pytest.raises(ValueError, match="precision"):
        net_with(dict(precision="f16")).fit(x, y)


def test_the_gradient_and_the_weights_of_units_are_shortened(few):
    x, y = few
    settings = dict(solver="sgd", momentum=0.0, alpha=0.0, batch_size=600, max_iter=1, learning_rate_init=1.0)
    first = parameters(fitted(net_with({}, **settings | dict(learning_rate_init=1e-300)), x, y))
    free, clipped = (parameters(fitted(net_with(options, **settings), x, y)) - first for options in ({}, dict(clip_norm=0.01)))
    assert np.linalg.norm(clipped) == pytest.approx(0.01, rel=1e-9)
    np.testing.assert_allclose(clipped / 0.01, free / np.linalg.norm(free), atol=1e-12)
    limited = fitted(net_with(dict(max_norm=0.5)), x, y)
    assert max(np.linalg.norm(coef, axis=0).max() for coef in limited.coefs_) <= 0.5 * (1 + 1e-12)


def test_the_exponential_mean_is_that_of_the_steps(few):
    x, y = few
    settings = dict(batch_size=600, shuffle=False)
    steps, net = net_with({}, **settings), net_with(dict(average=("ema", 0.8)), **settings)
    mean = 0.0
    for step in range(1, 6):
        weights = parameters(steps.partial_fit(x, y, classes=range(10)))
        mean = mean + (1 - 0.8) / (1 - 0.8**step) * (weights - mean)
        np.testing.assert_allclose(parameters(net.partial_fit(x, y, classes=range(10))), mean, atol=1e-14)


def test_the_mean_of_the_last_epochs_is_that_of_their_ends(few):
    ends = [parameters(fitted(net_with({}, max_iter=n), *few)) for n in (3, 4, 5)]
    net = fitted(net_with(dict(average=("mean", 3)), max_iter=5), *few)
    np.testing.assert_allclose(parameters(net), np.mean(ends, axis=0), atol=1e-14)
    # A fit that ends before has none.
    early = dict(max_iter=50, tol=1e9, n_iter_no_change=2)
    found, plain = (fitted(net_with(options, **early), *few) for options in (dict(average=("mean", 3)), {}))
    assert found.n_iter_ == plain.n_iter_ < 47
    np.testing.assert_array_equal(parameters(found), parameters(plain))


def test_early_stopping_measures_and_keeps_the_mean(few):
    settings = dict(early_stopping=True, max_iter=6)
    net = fitted(net_with(dict(average=("ema", 0.99)), **settings), *few)
    plain = fitted(net_with({}, **settings), *few)
    assert net.validation_scores_ != plain.validation_scores_
    assert net.loss_curve_ == plain.loss_curve_
    assert np.abs(parameters(net) - parameters(plain)).max() > 1e-4


def test_deformed_images_teach_what_is_shifted(digits):
    x, y = digits
    images = x.reshape(-1, 8, 8)
    shifted = np.concatenate([np.roll(images[1200:], step, axis=2) for step in (-1, 1)]).reshape(-1, 64)
    answers = np.concatenate([y[1200:], y[1200:]])
    settings = dict(hidden_layer_sizes=(100,), max_iter=60)
    plain, deformed = (
        fitted(net_with(options, **settings), x[:1200], y[:1200]).score(shifted, answers)
        for options in ({}, dict(augment="shift 1.5"))
    )
    assert deformed > plain + 0.2


def test_bytes_and_sparse_rows_are_images_too(digits):
    import scipy.sparse

    x, y = np.round(digits[0][:300] * 255), digits[1][:300]
    options = dict(augment="gentle", image_shape=(8, 8))
    expected = parameters(fitted(net_with(options), x / 255, y))
    np.testing.assert_array_equal(parameters(fitted(net_with(options), scipy.sparse.csr_matrix(x / 255), y)), expected)
    as_bytes = fitted(net_with(options, max_iter=1, learning_rate_init=1e-300, shuffle=False), x.astype(np.uint8), y)
    assert as_bytes.loss_ > 0
    wide = fitted(net_with(dict(augment="shift 2", image_shape=(4, 16))), x / 255, y)
    assert np.abs(parameters(wide) - expected).max() > 1e-4


@pytest.mark.parametrize(
    "options, y, error",
    [
        (dict(augment="gentle"), 0, "no square; say image_shape"),
        (dict(augment="gentle", image_shape=(3, 4)), 0, "not the shape of rows of 10 pixels"),
        (dict(augment="gentle", image_shape=(2, 5)), 0, "grey levels from 0 to 1, or uint8, found numbers from -"),
        (dict(augment="gentel", image_shape=(2, 5)), 1, "did you mean gentle"),
        (dict(dropout=[0.1, 0.2, 0.3]), 0, "one for each of the 2 hidden layers"),
        (dict(dropout=0.5, solver="lbfgs"), 0, "dropout=0.5 needs steps"),
        (dict(average="ema", solver="lbfgs"), 0, "average='ema' needs steps"),
        (dict(label_smoothing=0.1, loss="squared"), 0, "label_smoothing is for"),
        (dict(class_weight={9: 1.0}), 0, "names \\[9\\]"),
        (dict(class_weight=[{0: 1.0}]), 0, "several labels"),
        (dict(class_weight={0: float("inf")}), 0, "finite number"),
        (dict(class_weight={0: -1.0}), 0, "finite number"),
        (dict(dropout=1.0), 0, "dropout"),
        (dict(dropout=[1.0, 0.0]), 0, "dropout"),
        (dict(dropout="much"), 0, "dropout"),
        (dict(input_dropout=-0.1), 0, "input_dropout"),
        (dict(clip_norm=0), 0, "clip_norm"),
        (dict(max_norm=-1), 0, "max_norm"),
        (dict(augment=True), 0, "augment"),
        (dict(image_shape=28), 0, "image_shape"),
        (dict(average="mean"), 0, "average"),
        (dict(average=("mean", 0)), 0, "average"),
        (dict(average=("ema", 1.0)), 0, "average"),
        (dict(label_smoothing=1.0), 0, "label_smoothing"),
        (dict(class_weight="even"), 0, "class_weight"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_said(options, y, error):
    x = np.random.RandomState(0).randn(40, 10)
    x = np.abs(x) / np.abs(x).max() if y else x
    with pytest.raises(ValueError, match=error):
        net_with(options).fit(x, np.arange(40) % 3)


def test_partial_fit_says_what_it_cannot_know(few):
    with pytest.raises(ValueError, match="compute_class_weight"):
        net_with(dict(class_weight="balanced")).partial_fit(*few, classes=range(10))
    with pytest.raises(ValueError, match="last"):
        net_with(dict(average=("mean", 2))).partial_fit(*few, classes=range(10))


def test_weights_of_classes_are_weights_of_samples(few):
    x, y = few[0][:500], np.where(few[1][:500] < 8, "often", "seldom")
    given = np.linspace(0.5, 2, 500)
    for weight in ("balanced", {"seldom": 7.0}, {"often": 2.0, "seldom": 3.0}):
        for encoding in ("one-hot", "binary"):
            ours = fitted(net_with(dict(class_weight=weight), encoding=encoding), x, y, sample_weight=given)
            expected = fitted(net_with({}, encoding=encoding), x, y, sample_weight=given * compute_sample_weight(weight, y))
            np.testing.assert_allclose(parameters(ours), parameters(expected), atol=1e-12)
    # In parts, of which one lacks a class.
    first, last = net_with(dict(class_weight={"seldom": 7.0})), net_with({})
    often = y == "often"
    for rows in (often, ~often, slice(None)):
        first.partial_fit(x[rows], y[rows], classes=["often", "seldom"])
        weights = compute_sample_weight({"often": 1.0, "seldom": 7.0}, y)[rows]
        last.partial_fit(x[rows], y[rows], classes=["often", "seldom"], sample_weight=weights)
    np.testing.assert_allclose(parameters(first), parameters(last), atol=1e-12)


def test_several_labels_have_weights_each():
    x, y = make_multilabel_classification(n_samples=80, n_classes=3, random_state=0)
    for weight in ("balanced", [{0: 1.0, 1: 3.0}] * 3):
        ours = fitted(MLPClassifier(class_weight=weight, max_iter=3, random_state=0), x, y)
        weights = compute_sample_weight(weight, y)
        expected = fitted(MLPClassifier(max_iter=3, random_state=0), x, y, sample_weight=weights)
        np.testing.assert_allclose(parameters(ours), parameters(expected), atol=1e-12)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_smoothed_labels_are_targets_between(few, solver):
    x, y = few[0], few[1]
    settings = dict(max_iter=300, solver=solver, alpha=0.0, learning_rate_init=0.005)
    sharp, soft = (fitted(net_with(options, **settings), x, y) for options in ({}, dict(label_smoothing=0.3)))
    # The least loss is the entropy of the targets, and the best outputs are these.
    assert soft.loss_ > sharp.loss_ + 0.5
    assert 0.65 < soft.predict_proba(x).max(axis=1).mean() < 0.85
    two = fitted(net_with(dict(label_smoothing=0.3), max_iter=200, learning_rate_init=0.01), x, y % 2)
    assert two.predict_proba(x).max() < 0.95
    stopped = fitted(net_with(dict(label_smoothing=0.3), early_stopping=True, max_iter=40), x, y % 2)
    assert max(stopped.validation_scores_) > 0.6


def test_a_regressor_takes_them_too():
    x, y = make_regression(n_samples=300, n_features=16, random_state=0)
    y = y / y.std()
    for options in (dict(dropout=0.2, input_dropout=0.1), dict(average="ema", clip_norm=1.0), dict(max_norm=1.0)):
        net = fitted(MLPRegressor(max_iter=60, random_state=0, learning_rate_init=0.01, **options), x, y)
        assert net.score(x, y) > 0.5
    pixels = (np.abs(x) / np.abs(x).max()).astype(np.float32)
    assert fitted(MLPRegressor(augment="gentle", max_iter=2), pixels, y).coefs_[0].dtype == np.float32
    with pytest.raises(TypeError):
        MLPRegressor(class_weight="balanced")


def test_steps_on_single_samples_take_options():
    x, y = np.random.RandomState(0).rand(40, 9), np.arange(40) % 2
    for options in (dict(dropout=0.5), dict(clip_norm=0.1), dict(max_norm=0.5), TOGETHER):
        net = fitted(net_with(options, batch_size=1, solver="sgd", max_iter=2), x, y)
        assert np.isfinite(parameters(net)).all()
