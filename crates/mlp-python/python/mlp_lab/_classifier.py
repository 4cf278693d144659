"""The classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from . import _native
from ._class_weight import is_class_weight, weights_of_samples
from ._estimator import Loss, Perceptron
from ._parameters import Check, nothing, number, one_of, that


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that answers with classes.

    Parameters, attributes and methods are those of scikit-learn's estimator of this name (1.9.1), and the same seed gives the
    same network to rounding. What differs on purpose is in the table of ``docs/python.md``; the parameters behind
    ``max_fun`` are this project's.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, default=(100,)
        Units of each hidden layer.
    activation : {'identity', 'logistic', 'tanh', 'relu'}, default='relu'
        Activation of the hidden layers.
    solver : {'lbfgs', 'sgd', 'adam', 'adamw'}, default='adam'
        How the weights are found: L-BFGS over all samples (SciPy's, on this project's gradients), or steps on batches.
    alpha : float, default=0.0001
        Strength of the L2 penalty alpha / 2 * sum of squared weights, divided by the number of samples of a batch.
    batch_size : int or 'auto', default='auto'
        Samples of a batch; 'auto' is min(200, n_samples).
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Schedule of the learning rate, for solver='sgd'.
    learning_rate_init : float, default=0.001
        The learning rate. One that is changed between two calls of ``partial_fit`` is followed.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=200
        The most epochs (of 'lbfgs': iterations).
    shuffle : bool, default=True
        Whether samples come in a new order in each epoch.
    random_state : int, RandomState instance or None, default=None
        The generator of first weights, validation split and orders.
    tol : float, default=1e-4
        An improvement of the loss, or of the score with early stopping, that is smaller than this is none.
    verbose : bool, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether ``fit`` goes on with the weights that are there.
    momentum : float, default=0.9
        Momentum of solver='sgd'.
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether a part of the samples is held out, training ends when its score no longer improves, and the best network is
        kept.
    validation_fraction : float, default=0.1
        The part held out: with the shares of the classes, also where there are more than two.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Adam's.
    n_iter_no_change : int, default=10
        Epochs without improvement before training ends.
    max_fun : int, default=15000
        The most evaluations of the loss by 'lbfgs'.
    loss : {'log_loss', 'squared', 'half-squared', 'absolute', 'rmse'}, default='log_loss'
        What an answer costs. With another than 'log_loss' outputs are sigmoids, and there are no probabilities.
    encoding : {'one-hot', 'binary', 'ascii', 'random'}, default='one-hot'
        How a class becomes target bits: an output for each class (one for two classes), the number of the class in binary,
        the code point of its single character, or codes that lie far apart. With another than 'one-hot' the class with the
        nearest code is the answer, and there are no probabilities.
    weight_decay : float, default=0.01
        The decay of solver='adamw', times the learning rate.
    dropout : float or array-like of float, default=0.0
        The fraction of the outputs of the hidden layers that each step leaves out; a list has one for each layer. ``loss_`` is
        that of such steps; what answers is the whole network. Not for 'lbfgs', like all options up to ``average``.
    input_dropout : float, default=0.0
        The fraction of the inputs that each step leaves out.
    clip_norm : float, default=None
        The largest Euclidean norm of the gradient of all weights and biases; a longer one is shortened to it, before the
        penalty is added.
    max_norm : float, default=None
        The largest Euclidean norm of the weights of each unit; longer ones are shortened to it after each step.
    augment : str, default=None
        How training images are deformed, anew in each epoch: 'gentle', 'simard' or 'ciresan', with a factor as in 'gentle 0.5',
        or the largest strengths, as in 'shift 2, rotate 10, scale 0.1, shear 0.1, elastic 6 36, thickness 0.5'. Rows are images
        then, of grey levels from 0 to 1 or as uint8; deformed ones have 256 levels.
    image_shape : pair of int, default=None
        Height and width of these images; None takes them for squares.
    average : 'ema', ('ema', decay) or ('mean', n_epochs), default=None
        A mean of the weights that is the network instead of those of the last step, and whose score early stopping follows:
        exponential over the steps (the decay of 'ema' is 0.999), or over the last epochs of ``max_iter``; of a ``fit`` that
        ends before these there is no mean.
    label_smoothing : float, default=0.0
        The share of a training target that goes to the other answers, for loss='log_loss'.
    class_weight : dict, 'balanced' or list of dict, default=None
        What the samples of each class count, times ``sample_weight``, as elsewhere in scikit-learn: {label: weight}, a label
        that is not named counts 1; with 'balanced' every class counts the same in all. Where samples have several labels, a
        dictionary for each. The score of early stopping counts alike.
    checkpoint : path-like, default=None
        A file in which the state of ``fit`` is kept while it runs. An interrupted ``fit`` that is called again with the same
        parameters and samples goes on, and ends with the same bits as one that was not interrupted; the file is then
        removed. Needs an integer ``random_state``.
    progress : bool, default=False
        Whether to show a bar, by tqdm where it is installed.
    dtype : {'float32', 'float64'}, default=None
        The type of numbers that the network computes in; None takes that of ``X``: float32 for float32, float64 for all else.
    precision : {'bf16'}, default=None
        With 'bf16' the network is one of float32, and while it trains, the factors of matrix products are rounded to bfloat16
        and their products summed in float32. Wide networks (layers of 500 units and more) in batches of 128 and more train
        faster so on processors with AVX-512 BF16; elsewhere it has the same bits and is slower. Answers, scores and what
        is saved are not rounded. Not for 'lbfgs'.
    n_threads : int, default=None
        The most threads; None takes all processors, or what ``OMP_NUM_THREADS`` allows. No result depends on it.

    Attributes
    ----------
    classes_ : ndarray or list of ndarray
        The labels.
    coefs_, intercepts_ : list of ndarray
        Weights of shape (n_inputs, n_units) and biases, layer by layer.
    loss_, best_loss_ : float
        The loss of the last epoch, and the least.
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_, best_validation_score_ : list of float, float
        Accuracies of early stopping, or None.
    n_iter_, t_ : int
        Epochs of the last call, and samples that have been trained on.
    n_features_in_, n_layers_, n_outputs_ : int
        Sizes.
    feature_names_in_ : ndarray of str
        Names of the columns, where ``X`` had any.
    out_activation_ : str
        'softmax', or 'logistic' for two classes and for several labels a sample.

    Examples
    --------
    >>> from mlp_lab import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(max_iter=300, random_state=1).fit(X, y)
    >>> net.score(X, y) > 0.95
    True
    """

    _constraints: ClassVar[dict[str, list[Check]]] = {
        **Perceptron._constraints,
        "loss": [one_of("log_loss", "squared", "half-squared", "absolute", "rmse")],
        "encoding": [one_of("one-hot", "binary", "ascii", "random")],
        "label_smoothing": [number(0, 1)],
        "class_weight": [nothing(), one_of("balanced"), that("a dict or a list of dict", is_class_weight, dict)],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: str = "log_loss",
        encoding: str = "one-hot",
        weight_decay: float = 0.01,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        clip_norm: float | None = None,
        max_norm: float | None = None,
        augment: str | None = None,
        image_shape: Any = None,
        average: Any = None,
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        checkpoint: Any = None,
        progress: bool = False,
        dtype: Any = None,
        precision: str | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.encoding = encoding
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.clip_norm = clip_norm
        self.max_norm = max_norm
        self.augment = augment
        self.image_shape = image_shape
        self.average = average
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.checkpoint = checkpoint
        self.progress = progress
        self.dtype = dtype
        self.precision = precision
        self.n_threads = n_threads

    @available_if(lambda estimator: estimator._check_solver())  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Go once over a table.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``.
        classes : array-like, default=None
            All labels that will come; needed in the first call.

        Returns
        -------
        self : MLPClassifier
            The estimator.
        """
        self._check_parameters()
        if _check_partial_fit_first_call(self, classes):
            self._fit_labels(y if type_of_target(y).startswith("multilabel") else classes)
        return self._partial_fit(X, y, sample_weight)  # type: ignore[no-any-return]

    def predict(self, X: Any) -> Any:
        """The class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Labels, or for several labels a sample an indicator matrix.
        """
        outputs = self._outputs(X)
        if self._has_one_answer():
            return self.classes_[self._answers(outputs)]
        outputs = outputs.ravel() if self.n_outputs_ == 1 else outputs
        return self._label_binarizer.inverse_transform(outputs)

    @available_if(lambda estimator: estimator._check_probabilities())  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """The probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        outputs = self._outputs(X)
        if self.n_outputs_ == 1:
            return np.concatenate([1 - outputs, outputs], axis=1)
        return outputs

    @available_if(lambda estimator: estimator._check_probabilities())  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of ``predict_proba``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
            -inf where a probability is 0.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    # -- what the base asks for

    def _fit_labels(self, y: Any) -> None:
        from sklearn.preprocessing import LabelBinarizer

        self._label_binarizer = LabelBinarizer().fit(y)
        self.classes_ = self._label_binarizer.classes_
        self._codes = None
        if self.encoding != "one-hot":
            if self._is_multilabel():
                raise ValueError(f"encoding={self.encoding!r} is for one class a sample; several labels take 'one-hot'")
            self._codes = _native.codes(self.encoding, self._texts_of_classes())

    def _is_multilabel(self) -> bool:
        return bool(self._label_binarizer.y_type_.startswith("multilabel"))

    def _has_one_answer(self) -> bool:
        """Whether each sample has one class of at least two."""
        return not self._is_multilabel() and len(self.classes_) > 1

    def _answers(self, outputs: Any) -> Any:
        """The index of the class of each row of outputs, or of targets."""
        if self._codes is not None:
            codes = self._codes.astype(outputs.dtype)
            return (2 * outputs @ codes.T - (codes**2).sum(axis=1)).argmax(axis=1)
        if outputs.shape[1] == 1:
            return (outputs[:, 0] > 0.5).astype(np.intp)
        return outputs.argmax(axis=1)

    def _check_probabilities(self) -> bool:
        if self.loss != "log_loss" or self.encoding != "one-hot":
            raise AttributeError("There are probabilities for loss='log_loss' and encoding='one-hot' only.")
        return True

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = self._validated(X, y, multi_output=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._fit_labels(y)
        else:
            self._check_labels(unique_labels(y))
        if self._codes is not None:
            return X, self._codes[np.searchsorted(self.classes_, y)]
        return X, self._label_binarizer.transform(y).astype(bool)

    def _check_labels(self, labels: Any) -> None:
        if self.warm_start:
            if set(labels) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit."
                    f" Previously got {self.classes_}, `y` has {labels}"
                )
        elif len(np.setdiff1d(labels, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {labels}."
            )

    def _weigh(self, targets: Any, sample_weight: Any, incremental: bool) -> Any:
        if self.class_weight is None:
            return sample_weight
        weights = weights_of_samples(self, targets, incremental)
        return weights if sample_weight is None else sample_weight * weights

    def _soften(self, targets: Any) -> None:
        if self.label_smoothing == 0:
            return
        if self.loss != "log_loss":
            raise ValueError(f"label_smoothing is for loss='log_loss', not for {self.loss!r}.")
        n_answers = targets.shape[1] if self.out_activation_ == "softmax" else 2
        share = self.label_smoothing / n_answers
        targets[...] = np.where(targets > 0.5, 1.0 - share * (n_answers - 1), share)

    def _loss(self) -> Loss:
        if self.loss != "log_loss":
            return Loss(self.loss, "logistic")
        if self.out_activation_ == "softmax":
            return Loss("softmax-cross-entropy", "softmax")
        return Loss("cross-entropy", "logistic")

    def _out_activation(self) -> str:
        is_distribution = self._label_binarizer.y_type_ == "multiclass" and self._codes is None
        return "softmax" if is_distribution and self.loss == "log_loss" else "logistic"

    def _score_outputs(self, outputs: Any, targets: Any, sample_weight: Any) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        if self._has_one_answer():
            is_right = self._answers(outputs) == self._answers(targets)
        else:
            is_right = ((outputs > 0.5) == (targets > 0.5)).all(axis=1)
        return float(np.average(is_right, weights=sample_weight))

    def _stratify_by(self, targets: Any) -> Any:
        if self.n_outputs_ == 1:
            return targets > 0.5
        if not self._has_one_answer():
            return None
        classes = self._answers(targets)
        sizes = np.bincount(classes)
        sizes, n_samples = sizes[sizes > 0], len(classes)
        n_validation = int(np.ceil(self.validation_fraction * n_samples))
        # scikit-learn, which does not stratify here, refuses none of these.
        is_possible = sizes.min() > 1 and min(n_validation, n_samples - n_validation) >= len(sizes)
        return classes if is_possible else None

    def _encoding_of_file(self) -> str:
        # Two classes with one output: its bit is the number of the class.
        is_one_bit = self._codes is None and self._has_one_answer() and self.n_outputs_ == 1
        return "binary" if is_one_bit else str(self.encoding)

    def _texts_of_classes(self) -> list[str]:
        return [] if self._is_multilabel() else [str(label) for label in self.classes_]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
