"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from ._estimator import Loss, Perceptron
from ._parameters import Check, one_of


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that answers with numbers.

    Parameters, attributes and methods are those of scikit-learn's estimator of this name (1.9.1), and the same seed gives the
    same network to rounding. What differs on purpose is in the table of ``docs/python.md``; the parameters behind
    ``max_fun`` are this project's.

    Parameters
    ----------
    loss : {'squared_error', 'poisson', 'absolute', 'rmse'}, default='squared_error'
        Half the squared error, half the Poisson deviance, the absolute error, or the root of a sample's squared error; with
        'poisson' the network answers logarithms of rates, and targets are at least 0.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, \
shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, beta_1, \
beta_2, epsilon, n_iter_no_change, max_fun, weight_decay, dropout, input_dropout, clip_norm, max_norm, augment, image_shape, \
average, checkpoint, progress, dtype, precision, n_threads
        As in :class:`MLPClassifier`. The score of early stopping is R².

    Attributes
    ----------
    coefs_, intercepts_, loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, n_iter_, t_, \
n_features_in_, n_layers_, n_outputs_, feature_names_in_
        As in :class:`MLPClassifier`.
    out_activation_ : str
        'identity', or 'exp' for the loss 'poisson'.

    Examples
    --------
    >>> from mlp_lab import MLPRegressor
    >>> from sklearn.datasets import make_regression
    >>> X, y = make_regression(n_samples=200, n_features=5, random_state=0)
    >>> net = MLPRegressor(solver="lbfgs", random_state=0).fit(X, y)
    >>> net.score(X, y) > 0.99
    True
    """

    _constraints: ClassVar[dict[str, list[Check]]] = {
        **Perceptron._constraints,
        "loss": [one_of("squared_error", "poisson", "absolute", "rmse")],
    }

    def __init__(
        self,
        loss: str = "squared_error",
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
        weight_decay: float = 0.01,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        clip_norm: float | None = None,
        max_norm: float | None = None,
        augment: str | None = None,
        image_shape: Any = None,
        average: Any = None,
        checkpoint: Any = None,
        progress: bool = False,
        dtype: Any = None,
        precision: str | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.loss = loss
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
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.clip_norm = clip_norm
        self.max_norm = max_norm
        self.augment = augment
        self.image_shape = image_shape
        self.average = average
        self.checkpoint = checkpoint
        self.progress = progress
        self.dtype = dtype
        self.precision = precision
        self.n_threads = n_threads

    @available_if(lambda estimator: estimator._check_solver())  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Go once over a table.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``.

        Returns
        -------
        self : MLPRegressor
            The estimator.
        """
        return self._partial_fit(X, y, sample_weight)  # type: ignore[no-any-return]

    def predict(self, X: Any) -> Any:
        """The numbers for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the network's type.
        """
        outputs = self._outputs(X)
        return outputs.ravel() if self.n_outputs_ == 1 else outputs

    # -- what the base asks for

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = self._validated(X, y, multi_output=True, y_numeric=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.loss == "poisson" and (y < 0).any():
            raise ValueError("Some value(s) of y are negative, which the loss 'poisson' does not take.")
        return X, y

    def _loss(self) -> Loss:
        if self.loss == "poisson":
            return Loss("poisson", "identity")
        if self.loss != "squared_error":
            return Loss(self.loss, "identity")
        # scikit-learn tells the mean over the outputs, and follows the gradient of the sum.
        return Loss("half-squared", "identity", factor=1.0 / self.n_outputs_)

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _score_outputs(self, outputs: Any, targets: Any, sample_weight: Any) -> float:
        if self.out_activation_ == "exp":
            outputs = np.exp(outputs)
        if not np.isfinite(outputs).all():
            return float("nan")
        from sklearn.metrics import r2_score

        return float(r2_score(targets, outputs, sample_weight=sample_weight))

    def _stratify_by(self, targets: Any) -> Any:
        return None
