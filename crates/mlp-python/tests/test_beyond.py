"""What there is beyond scikit-learn."""

import signal
import sys
import warnings

import numpy as np
import pytest
from conftest import fitted, parameters
from mlp_lab import MLPClassifier, MLPRegressor, _checkpoint, _progress, _stochastic, load
from sklearn.datasets import make_multilabel_classification, make_regression

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fit_and_interrupt(net, x, y, seconds):
    """Presses Ctrl-C after so many seconds; whether the fit was interrupted."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            net.fit(x, y)
        return any("interrupted" in str(warning.message) for warning in caught)
    except KeyboardInterrupt:
        # Before it had begun.
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(solver="sgd", learning_rate="invscaling", learning_rate_init=0.1),
        dict(early_stopping=True, n_iter_no_change=100),
        dict(solver="sgd", nesterovs_momentum=False, shuffle=False),
        dict(dropout=0.3, clip_norm=1.0, average="ema"),
        dict(average=("mean", 3), early_stopping=True, n_iter_no_change=100),
        dict(augment="gentle", image_shape=(10, 20)),
    ],
    ids=str,
)
def test_an_interrupted_fit_goes_on_bit_for_bit(tmp_path, settings):
    random = np.random.RandomState(0)
    x, y = random.rand(6000, 200), random.randint(0, 4, 6000)
    settings = dict(hidden_layer_sizes=(150, 150), max_iter=10, random_state=5) | settings
    expected = fitted(MLPClassifier(**settings), x, y)
    path = tmp_path / "fit.checkpoint"
    n_interrupted = 0
    for part in range(200):
        # Every part in an estimator of its own, as after a restart.
        net = MLPClassifier(checkpoint=path, **settings)
        n_interrupted += fit_and_interrupt(net, x, y, 0.08 * 1.05**part)
        if getattr(net, "n_iter_", 0) == settings["max_iter"] and not path.exists():
            break
    assert n_interrupted > 0
    np.testing.assert_array_equal(parameters(net), parameters(expected))
    assert net.loss_curve_ == expected.loss_curve_
    assert net.validation_scores_ == expected.validation_scores_
    assert (net.n_iter_, net.t_) == (expected.n_iter_, expected.t_)
    assert not path.exists()


def test_a_fit_that_was_killed_goes_on_from_the_last_epoch_that_was_written(tmp_path, digits, monkeypatch):
    x, y = digits
    monkeypatch.setattr(_checkpoint, "SECONDS", 0.0)
    path = tmp_path / "fit.checkpoint"
    settings = dict(max_iter=8, random_state=0)
    expected = fitted(MLPClassifier(**settings), x, y)

    class Killed(Exception):
        pass

    def kill(self):
        write(self)
        if self.fit.estimator.n_iter_ == 5:
            raise Killed

    write = _checkpoint.Checkpoint.write
    monkeypatch.setattr(_checkpoint.Checkpoint, "write", kill)
    with pytest.raises(Killed):
        MLPClassifier(checkpoint=path, **settings).fit(x, y)
    monkeypatch.setattr(_checkpoint.Checkpoint, "write", write)
    net = fitted(MLPClassifier(checkpoint=str(path), **settings), x, y)
    np.testing.assert_array_equal(parameters(net), parameters(expected))


def test_the_checkpoint_of_another_fit_or_of_nothing_is_refused(tmp_path, digits):
    x, y = digits
    path = tmp_path / "fit.checkpoint"
    other = MLPClassifier(checkpoint=path, max_iter=3, random_state=0)
    from mlp_lab._stochastic import StochasticFit, TrainingSet

    fitted(MLPClassifier(max_iter=1, random_state=0), x, y)
    net = fitted(MLPClassifier(max_iter=1, random_state=0), x, y)
    data = TrainingSet(x, np.eye(10)[y], None, rows=None, validation=None)
    _checkpoint.Checkpoint(path, StochasticFit(net, data, incremental=False)).write()
    with pytest.raises(ValueError, match="that of another, whose samples or instructions.* remove it"):
        other.fit(x, y)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="found another file, or a damaged one"):
        other.fit(x, y)
    with pytest.raises(ValueError, match="integer random_state"):
        other.set_params(random_state=None).fit(x, y)


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"], ["no", "yes"], [-1, 1], [1.0, 2.0]])
def test_what_is_saved_is_loaded_as_it_was(tmp_path, labels):
    random = np.random.RandomState(0)
    x, y = random.randn(100, 5), np.array(labels)[random.randint(0, len(labels), 100)]
    net = fitted(MLPClassifier(hidden_layer_sizes=(7, 6), activation="tanh", max_iter=3, random_state=0), x, y)
    net.save(tmp_path / "net.safetensors")
    loaded = load(tmp_path / "net.safetensors")
    assert loaded.get_params() == net.get_params()
    assert loaded.classes_.dtype == net.classes_.dtype
    np.testing.assert_array_equal(loaded.predict(x), net.predict(x))
    np.testing.assert_array_equal(loaded.predict_proba(x), net.predict_proba(x))
    loaded.partial_fit(x, y)


def test_other_kinds_are_saved_and_loaded_too(tmp_path):
    path = tmp_path / "net.safetensors"
    x, y = make_multilabel_classification(n_samples=60, random_state=0)
    nets = [(x, y, MLPClassifier(max_iter=3))]
    x, y = make_regression(n_samples=60, n_targets=2, random_state=0)
    nets.append((x.astype(np.float32), y, MLPRegressor(max_iter=3)))
    nets.append((x, np.abs(y[:, 0]), MLPRegressor(loss="poisson", max_iter=3)))
    for x, y, net in nets:
        fitted(net, x, y).save(path)
        loaded = load(path)
        assert type(loaded) is type(net)
        assert loaded.coefs_[0].dtype == net.coefs_[0].dtype
        np.testing.assert_array_equal(loaded.predict(x), net.predict(x))


def test_another_program_reads_the_model_file(tmp_path, digits):
    from safetensors.numpy import load_file

    net = fitted(MLPClassifier(hidden_layer_sizes=(8,), max_iter=2), *digits)
    net.save(tmp_path / "net.safetensors")
    tensors = load_file(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(tensors["layers.0.weights"], net.coefs_[0])
    np.testing.assert_array_equal(tensors["layers.1.bias"], net.intercepts_[1])


def test_files_that_are_not_there_or_no_models_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.safetensors")
    (tmp_path / "wrong.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(ValueError, match="wrong.safetensors"):
        load(tmp_path / "wrong.safetensors")


@pytest.mark.parametrize("encoding, n_outputs", [("one-hot", 10), ("binary", 4), ("ascii", 6), ("random", 16)])
@pytest.mark.parametrize("loss", ["log_loss", "squared", "rmse"])
def test_classes_are_learned_in_every_code(tmp_path, digits, encoding, n_outputs, loss):
    x, y = digits
    settings = dict(encoding=encoding, loss=loss, max_iter=40, learning_rate_init=0.005, random_state=0)
    net = fitted(MLPClassifier(**settings), x[:1200], y[:1200])
    assert net.n_outputs_ == n_outputs
    assert net.score(x[1200:], y[1200:]) > 0.85
    assert hasattr(net, "predict_proba") == (encoding == "one-hot" and loss == "log_loss")
    net.save(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(load(tmp_path / "net.safetensors").predict(x), net.predict(x))


def test_words_have_no_ascii_code(digits):
    with pytest.raises(ValueError, match="encoding"):
        MLPClassifier(encoding="ascii").fit([[0.0], [1.0]], ["zero", "one"])


@pytest.mark.parametrize("loss", ["absolute", "rmse"])
def test_other_losses_of_numbers_are_minimised(loss):
    x, y = make_regression(n_samples=300, n_features=4, random_state=0)
    y = y / y.std()
    net = fitted(MLPRegressor(loss=loss, max_iter=200, learning_rate_init=0.01, random_state=0), x, y)
    assert net.score(x, y) > 0.95
    assert net.loss_ < 0.3 * net.loss_curve_[0]


def test_adamw_decays_weights_by_itself(digits):
    x, y = digits
    strong, none = (
        fitted(MLPClassifier(solver="adamw", weight_decay=decay, alpha=0, max_iter=10, random_state=0), x, y)
        for decay in (10.0, 0.0)
    )
    adam = fitted(MLPClassifier(alpha=0, max_iter=10, random_state=0), x, y)
    np.testing.assert_array_equal(parameters(none), parameters(adam))
    assert np.abs(strong.coefs_[0]).sum() < 0.95 * np.abs(none.coefs_[0]).sum()


def test_the_doctor_names_the_layer_where_learning_died(digits):
    x, y = digits
    well = fitted(MLPClassifier(max_iter=20, random_state=0), x, y).diagnose(x, y)
    assert [layer["units"] for layer in well.layers] == [100, 10]
    ill = fitted(MLPClassifier(hidden_layer_sizes=(30, 30, 30), activation="logistic", max_iter=1, random_state=0), x, y)
    ill.intercepts_[1][:] = 50.0
    told = ill.diagnose(x, y)
    assert told.layers[1]["saturated"] == 1.0
    assert told.sentence.startswith("Layer 2 of 4")
    assert "saturated" in repr(told) and told.sentence in repr(told)
    assert "<table>" in told._repr_html_()


def test_the_learning_curve_is_shown_in_jupyter(digits):
    net = MLPClassifier(max_iter=5, early_stopping=True)
    assert "<svg viewBox" not in net._repr_mimebundle_()["text/html"]
    fitted(net, *digits)
    html = net._repr_mimebundle_()["text/html"]
    assert html.count("<polyline") == 2
    assert "after 5 epochs" in html
    assert net._repr_html_().count("<polyline") == 2


def test_progress_is_shown_with_tqdm_and_without(digits, capsys, monkeypatch):
    fitted(MLPClassifier(max_iter=3, progress=True), *digits)
    assert "3/3" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    fitted(MLPClassifier(max_iter=3, progress=True), *digits)
    told = capsys.readouterr().err
    assert "100%|████████████████████| 3/3" in told and "loss=" in told
    assert isinstance(_progress.progress_bar(1, 0), _progress._Line)


def test_a_notebook_runs(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    code = """
from sklearn.datasets import load_digits
from mlp_lab import MLPClassifier
X, y = load_digits(return_X_y=True)
net = MLPClassifier(max_iter=5, progress=True, random_state=0).fit(X / 16, y)
net
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = notebook.cells[0].outputs
    shown = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert any("<polyline" in html for html in shown)


@pytest.mark.parametrize("output, n_classes", [("softmax", 2), ("softmax", 3), ("sigmoid", 3), ("sigmoid", 2)])
def test_a_model_of_the_project_keeps_its_outputs_and_has_its_classes_in_order(tmp_path, output, n_classes):
    import json

    from mlp_lab import _native

    random = np.random.RandomState(0)
    coefs, intercepts = [random.randn(4, 5), random.randn(5, n_classes)], [random.randn(5), random.randn(n_classes)]
    classes = ["pear", "apple", "fig"][:n_classes]
    loss = "softmax-cross-entropy" if output == "softmax" else "cross-entropy"
    config = dict(hidden=[5], activation="tanh", output_activation=output, loss=loss, encoding="one-hot", precision="f64")
    _native.save_model(str(tmp_path / "net.safetensors"), (coefs, intercepts, json.dumps(config), classes, "{}"))
    net = load(tmp_path / "net.safetensors")
    x = random.randn(20, 4)
    sums = np.tanh(x @ coefs[0] + intercepts[0]) @ coefs[1] + intercepts[1]
    expected = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True) if output == "softmax" else 1 / (1 + np.exp(-sums))
    assert net.classes_.tolist() == sorted(classes)
    np.testing.assert_allclose(net.predict_proba(x), expected[:, np.argsort(classes)], atol=1e-12)
    np.testing.assert_array_equal(net.predict(x), np.array(classes)[sums.argmax(axis=1)])


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("", ValueError, "expected the name of a file, found a folder"),
        ("folder", ValueError, "expected the name of a file, found a folder"),
        ("nowhere/fit", FileNotFoundError, "there is no folder"),
    ],
)
def test_a_checkpoint_that_could_not_be_written_is_refused_before_anything_is_trained(tmp_path, name, error, text):
    (tmp_path / "folder").mkdir()
    path = tmp_path / name if name else ""
    net = MLPClassifier((4,), checkpoint=path, random_state=0, max_iter=10**9, tol=0, n_iter_no_change=10**9)
    with pytest.raises(error, match=text):
        net.fit(np.eye(4), [0, 1, 0, 1])


def test_lbfgs_has_no_checkpoint_and_says_so(tmp_path):
    net = MLPClassifier((4,), solver="lbfgs", checkpoint=tmp_path / "fit", random_state=0)
    with pytest.raises(ValueError, match="checkpoint=.* needs steps on batches, which solver='lbfgs' does not take"):
        net.fit(np.eye(4), [0, 1, 0, 1])


def test_the_checkpoint_of_another_fit_names_what_differs(tmp_path):
    def write(alpha):
        net = MLPClassifier((4,), checkpoint=tmp_path / "fit", alpha=alpha, random_state=0, max_iter=2)
        checkpoints = []
        resume = _checkpoint.Checkpoint.resume

        def kept(self):
            checkpoints.append(self)
            return resume(self)

        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patch.setattr(_checkpoint.Checkpoint, "resume", kept)
            patch.setattr(_checkpoint.Checkpoint, "remove", lambda self: self.write())
            net.fit(np.eye(4), [0, 1, 0, 1])

    write(0.1)
    with pytest.raises(ValueError, match=r"whose alpha \(0.1 there, 0.2 here\) differs") as caught:
        write(0.2)
    assert caught.type is ValueError
    (tmp_path / "fit").write_text("no checkpoint")
    with pytest.raises(ValueError, match="found another file, or a damaged one") as caught:
        write(0.1)
    assert "pickle" not in str(caught.value)


@pytest.mark.parametrize("sizes", [(2.9, 3.9), np.array([3.7]), (True,)])
def test_layers_of_parts_of_a_unit_are_refused(sizes):
    with pytest.raises(ValueError, match="hidden_layer_sizes must be integers"):
        MLPClassifier(sizes).fit(np.eye(4), [0, 1, 0, 1])


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_negative_weights_of_samples_are_refused(kind):
    with pytest.raises(ValueError, match="Negative values in sample_weight"):
        kind(hidden_layer_sizes=(4,)).fit(np.eye(4), [0, 1, 0, 1], sample_weight=[-1, 1, 1, 1])


def test_ctrl_c_in_the_last_moment_loses_nothing(tmp_path, monkeypatch):
    random = np.random.RandomState(0)
    x, y = random.rand(300, 20), random.randint(0, 3, 300)
    settings = dict(hidden_layer_sizes=(10,), max_iter=5, random_state=5)
    expected = fitted(MLPClassifier(**settings), x, y)
    keep, calls = _stochastic.StochasticFit._keep, []

    def interrupted_once(fit):
        calls.append(fit)
        if len(calls) == 1:
            raise KeyboardInterrupt
        keep(fit)

    monkeypatch.setattr(_stochastic.StochasticFit, "_keep", interrupted_once)
    net = MLPClassifier(checkpoint=tmp_path / "fit.checkpoint", **settings)
    with pytest.warns(UserWarning, match="interrupted"):
        net.fit(x, y)
    np.testing.assert_array_equal(parameters(net), parameters(expected))
