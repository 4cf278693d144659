"""What a classifier and a regressor have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _native, _options
from ._parameters import Check, boolean, check_parameters, count, nothing, number, one_of, that
from ._picture import learning_curve
from ._threads import resolve_threads

STOCHASTIC = ("sgd", "adam", "adamw")


@dataclass(frozen=True)
class Loss:
    """A loss as the compiled half knows it."""

    name: str
    out_activation: str
    reduction: str = "sum"
    factor: float = 1.0
    """What the loss that is told is multiplied by; its gradient is not."""


def _is_sizes(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes, dict))


def _is_random_state(value: Any) -> bool:
    if value is None or isinstance(value, np.random.RandomState) or value is np.random:
        return True
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= int(value) < 2**32


class Perceptron(BaseEstimator, ABC):  # type: ignore[misc]
    """The base of both estimators; not for use by itself."""

    _constraints: ClassVar[dict[str, list[Check]]] = {
        "hidden_layer_sizes": [that("an array-like", _is_sizes, "array-like"), count(1)],
        "activation": [one_of("identity", "logistic", "tanh", "relu")],
        "solver": [one_of("lbfgs", *STOCHASTIC)],
        "alpha": [number(0, None)],
        "batch_size": [one_of("auto"), count(1)],
        "learning_rate": [one_of("constant", "invscaling", "adaptive")],
        "learning_rate_init": [number(0, None, closed="neither")],
        "power_t": [number(0, None)],
        "max_iter": [count(1)],
        "shuffle": [boolean()],
        "random_state": [that("an int from 0 to 4294967295, a RandomState or None", _is_random_state, "random_state")],
        "tol": [number(0, None)],
        "verbose": [count(0), boolean()],
        "warm_start": [boolean()],
        "momentum": [number(0, 1, closed="both")],
        "nesterovs_momentum": [boolean()],
        "early_stopping": [boolean()],
        "validation_fraction": [number(0, 1)],
        "beta_1": [number(0, 1)],
        "beta_2": [number(0, 1)],
        "epsilon": [number(0, None, closed="neither")],
        "n_iter_no_change": [count(1), that("inf", lambda value: isinstance(value, float) and value == np.inf, float)],
        "max_fun": [count(1)],
        "weight_decay": [number(0, None)],
        **_options.CONSTRAINTS,
        "checkpoint": [nothing(), that("a path", lambda value: isinstance(value, (str, os.PathLike)), str)],
        "progress": [boolean()],
        "dtype": [nothing(), that("'float32' or 'float64'", lambda value: _network_type(value) is not None, type)],
        "n_threads": [nothing(), count(1)],
    }

    # -- what the two differ in

    @abstractmethod
    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        """The inputs and the targets, one row a sample."""

    @abstractmethod
    def _loss(self) -> Loss:
        """What is minimised."""

    @abstractmethod
    def _out_activation(self) -> str:
        """scikit-learn's name of the output activation."""

    @abstractmethod
    def _score_outputs(self, outputs: Any, targets: Any, sample_weight: Any) -> float:
        """The score of early stopping; NaN where outputs are not finite."""

    @abstractmethod
    def _stratify_by(self, targets: Any) -> Any:
        """The classes of which a validation split keeps the shares, or None."""

    def _weigh(self, targets: Any, sample_weight: Any, incremental: bool) -> Any:
        """What each sample counts."""
        return sample_weight

    def _soften(self, targets: Any) -> None:
        """Make of the targets what is trained towards, in their place."""

    # -- fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from a table.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs. ``float32`` and ``float64`` arrays are read where they lie, in any layout; ``uint8`` is converted
            batch by batch; ``float16`` becomes ``float32``, everything else ``float64``, as a copy. Rows of sparse
            matrices (CSR; other formats are converted) become dense batch by batch.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels of classes, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            What each sample counts.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, incremental=False)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Any:
        self._check_parameters()
        hidden = self._hidden_sizes()
        _options.check_solver(self)
        _options.dropout_rates(self, len(hidden))
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if incremental and self.average is not None and _options.ema_decay(self) is None:
            raise ValueError("partial_fit does not know which epochs are the last; average='ema' goes with it.")
        X, y = self._validate_input(X, y, incremental, first)
        if self.augment is not None:
            _options.image_size(self, X.shape[1])
            _options.check_pixels(X)
        if sample_weight is not None:
            sample_weight = np.ascontiguousarray(_check_sample_weight(sample_weight, X, dtype=np.float64))
            if (sample_weight < 0).any():
                raise ValueError("Negative values in sample_weight: expected weights of at least 0.")
        dtype = self._network_dtype(X)
        if hasattr(X, "indptr"):
            X = X.tocsr().astype(dtype, copy=False)
        targets = np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype)
        self.n_outputs_ = targets.shape[1]
        sample_weight = self._weigh(targets, sample_weight, incremental)
        sizes = [X.shape[1], *hidden, self.n_outputs_]
        self._take_random_state(first or not incremental)
        if first:
            self._initialize(sizes, dtype)
        else:
            self._check_shapes(sizes)
        self._soften(targets)
        if self.solver == "lbfgs":
            from ._lbfgs import fit_lbfgs

            fit_lbfgs(self, X, targets, sample_weight)
        else:
            from ._stochastic import StochasticFit

            StochasticFit(self, self._training_set(X, targets, sample_weight), incremental=incremental).run()
        if not all(np.isfinite(part).all() for part in (*self.coefs_, *self.intercepts_)):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be"
                " preprocessed."
            )
        return self

    def _hidden_sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if _is_sizes(sizes) else [sizes]
        if not all(isinstance(size, Integral) and not isinstance(size, (bool, np.bool_)) for size in sizes):
            raise InvalidParameterError(f"hidden_layer_sizes must be integers, got {sizes}.")
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return [int(size) for size in sizes]

    def _network_dtype(self, X: Any) -> Any:
        """The type that the network computes in: that of its inputs, unless ``dtype`` or ``precision`` say otherwise."""
        wanted = _network_type(self.dtype)
        if self.precision == "bf16":
            if wanted == np.float64:
                raise ValueError("precision='bf16' is for networks of float32; leave dtype=None, or set precision=None.")
            return np.dtype(np.float32)
        if wanted is not None:
            return wanted
        return np.dtype(np.float32) if X.dtype == np.float32 else np.dtype(np.float64)

    def _take_random_state(self, afresh: bool) -> None:
        """The generator of this call; ``partial_fit`` goes on with that of the call before.

        (With an integer seed scikit-learn 1.9.1 begins anew in every ``partial_fit``, and so shuffles alike each time.)
        """
        source = self.random_state
        same = getattr(self, "_random_source", None)
        if afresh or not hasattr(self, "_random_state") or not (source is same or source == same):
            self._random_state = check_random_state(source)
            self._random_source = source

    def _initialize(self, sizes: list[int], dtype: Any) -> None:
        """Draw the first weights, and the intercepts like them: scikit-learn's numbers for the same seed."""
        self.n_iter_ = 0
        self.t_ = 0
        self.n_layers_ = len(sizes)
        self.out_activation_ = self._out_activation()
        self.coefs_, self.intercepts_ = [], []
        factor = 2.0 if self.activation == "logistic" else 6.0
        for n_inputs, n_units in zip(sizes, sizes[1:]):
            bound = np.sqrt(factor / (n_inputs + n_units))
            self.coefs_.append(self._random_state.uniform(-bound, bound, (n_inputs, n_units)).astype(dtype))
            self.intercepts_.append(self._random_state.uniform(-bound, bound, n_units).astype(dtype))
        if self.solver not in STOCHASTIC:
            return
        self.loss_curve_: list[float] = []
        self._no_improvement_count = 0
        self.validation_scores_: Any = [] if self.early_stopping else None
        self.best_validation_score_: Any = -np.inf if self.early_stopping else None
        self.best_loss_: Any = None if self.early_stopping else np.inf
        self._best_coefs = [coef.copy() for coef in self.coefs_]
        self._best_intercepts = [intercept.copy() for intercept in self.intercepts_]

    def _check_shapes(self, sizes: list[int]) -> None:
        found = [coef.shape[0] for coef in self.coefs_] + [self.coefs_[-1].shape[1]]
        if found != sizes:
            raise ValueError(
                f"The network that is to learn on has layers of {found} units, and hidden_layer_sizes, X and y ask for"
                f" {sizes}; call fit with warm_start=False for a new network."
            )

    def _training_set(self, X: Any, targets: Any, sample_weight: Any) -> Any:
        from ._stochastic import TrainingSet

        if not self.early_stopping:
            return TrainingSet(X, targets, sample_weight, rows=None, validation=None)
        from sklearn.model_selection import train_test_split

        rows = np.arange(X.shape[0], dtype=np.int64)
        stratify, fraction = self._stratify_by(targets), self.validation_fraction
        train, validation = train_test_split(
            rows, random_state=self._random_state, test_size=fraction, stratify=stratify
        )
        if len(validation) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return TrainingSet(X, targets, sample_weight, rows=train, validation=validation)

    # -- answering

    def _outputs(self, X: Any) -> Any:
        """What the network answers, shape (n_samples, n_outputs)."""
        if not hasattr(self, "coefs_"):
            check_is_fitted(self)
        outputs = self._outputs_of_array(X)
        if outputs is None:
            X = self._validated(X, reset=False)
            if hasattr(X, "indptr"):
                X = X.tocsr().astype(self.coefs_[0].dtype, copy=False)
            outputs = self._native_outputs(X, check=False)
        if self.out_activation_ == "exp":
            np.exp(outputs, out=outputs)
        return outputs

    def _outputs_of_array(self, X: Any) -> Any:
        """The same for what needs no validation but a look at its numbers; None for all else."""
        is_plain = (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype in (np.float64, np.float32)
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and not hasattr(self, "feature_names_in_")
        )
        if not is_plain:
            return None
        try:
            return self._native_outputs(X, check=True)
        except ValueError:
            return None

    def _native_outputs(self, X: Any, *, check: bool) -> Any:
        output = "identity" if self.out_activation_ == "exp" else self.out_activation_
        n_threads = resolve_threads(self.n_threads)
        return _native.outputs(X, self.coefs_, self.intercepts_, self.activation, output, n_threads, check)

    def _validated(self, X: Any, y: Any = "no_validation", **options: Any) -> Any:
        """What scikit-learn's validation makes of the input; ``uint8`` stays, ``float16`` becomes ``float32``."""
        if getattr(X, "dtype", None) == np.float16:
            X = X.astype(np.float32)
        dtypes = [np.float64, np.float32, np.uint8]
        if not hasattr(X, "dtype") or hasattr(X, "indptr"):
            # Sparse bytes, and tables whose columns are bytes, are too rare for a way of their own.
            dtypes = [np.float64, np.float32]
        return validate_data(self, X, y, accept_sparse=["csr", "csc"], dtype=dtypes, **options)

    # -- beyond scikit-learn

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the network in a model file, to be loaded by :func:`mlp_lab.load`.

        Parameters
        ----------
        path : path-like
            The file: safetensors, with a configuration that says what the network is. ``cargo xtask evaluate`` and
            ``predict`` read it where the inputs are pixels from 0 to 1. No pickle is in it.
        """
        from ._model_file import save

        check_is_fitted(self)
        save(self, path)

    def to_onnx(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        input: str = "values",
        classes: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> bytes | None:
        """The network as an ONNX file, for onnxruntime and other programs.

        Operator set 13 and IR version 7, those of ONNX 1.8. The input is called ``input``, of shape (batch, n_features), with
        any number of rows, in the type that the network computes in. ``outputs`` has shape (batch, n_outputs_): what
        ``predict_proba`` gives (for two classes the probability of the second, in one column), and ``predict`` of a regressor.

        Parameters
        ----------
        path : path-like, default=None
            The file to write; one that is there is replaced. None returns its bytes.
        input : {'values', 'pixels'}, default='values'
            Whether the network is given numbers as in ``fit``, or bytes from 0 to 255, which are divided by 255 within the
            graph: for a network that was trained on grey levels from 0 to 1.
        classes : bool, default=False
            Whether there is a second output, ``class``: for each row the position of its class in ``classes_``.
        metadata : dict of str to str, default=None
            Further entries of the file. It names ``classes``, ``encoding`` and others by itself.

        Returns
        -------
        content : bytes or None
            The file's bytes where there is no ``path``: ``onnxruntime.InferenceSession(net.to_onnx())``.
        """
        from ._model_file import onnx_bytes

        check_is_fitted(self)
        content = onnx_bytes(self, input, classes, metadata or {})
        if path is None:
            return content
        _native.write_file(os.fspath(path), content)
        return None

    def diagnose(self, X: Any, y: Any) -> Any:
        """Look at what each layer does with a few samples, and say where learning died, if it did.

        Parameters
        ----------
        X, y
            Samples, as in ``fit``; at most 128 of them are looked at.

        Returns
        -------
        diagnosis : Diagnosis
            With ``sentence`` and ``layers``; it is shown as a table.
        """
        from ._diagnosis import Diagnosis

        check_is_fitted(self)
        X, y = self._validate_input(X, y, True, False)
        n_samples = min(X.shape[0], 4096)
        rows = np.arange(n_samples) * X.shape[0] // n_samples
        dtype = self.coefs_[0].dtype
        X = X.tocsr()[rows].astype(dtype, copy=False) if hasattr(X, "indptr") else X[rows]
        targets = np.ascontiguousarray(y.reshape(len(y), -1)[rows], dtype=dtype)
        loss = self._loss()
        activations = (self.activation, loss.out_activation)
        arrays = (self.coefs_, self.intercepts_)
        return Diagnosis(*_native.diagnose(X, targets, *arrays, activations, loss.name, max(int(self.n_iter_), 1)))

    def _repr_html_inner(self) -> str:
        """The estimator as scikit-learn shows it in Jupyter, and below it the learning curve."""
        return str(super()._repr_html_inner()) + learning_curve(self)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**options)
        if "text/html" in bundle:
            bundle["text/html"] += learning_curve(self)
        return bundle

    def _encoding_of_file(self) -> str:
        return "one-hot"

    def _texts_of_classes(self) -> list[str]:
        return []

    # -- for scikit-learn

    def _check_parameters(self) -> None:
        check_parameters(type(self).__name__, self._constraints, self.get_params(deep=False))

    @property
    def _parameter_constraints(self) -> dict[str, list[Any]]:
        """What parameters may be, as scikit-learn's tests ask for it."""
        return {name: [check.of_scikit_learn for check in checks] for name, checks in self._constraints.items()}

    def _check_solver(self) -> bool:
        if self.solver not in STOCHASTIC:
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )
        return True

    def _loss_grad_lbfgs(self, packed: Any, X: Any, y: Any, sample_weight: Any = None, *_: Any) -> tuple[float, Any]:
        """The loss and its gradient at these parameters, as scikit-learn's method of this name."""
        from ._lbfgs import objective

        function = objective(self, X.shape[0])
        targets = np.ascontiguousarray(y, dtype=np.float64).reshape(X.shape[0], -1)
        return function(np.ascontiguousarray(packed, dtype=np.float64), X, targets, sample_weight, float(self.alpha))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _network_type(value: Any) -> Any:
    """The type of a network that a parameter names; None where it names none."""
    try:
        dtype = np.dtype(value) if value is not None else None
    except TypeError:
        return None
    return dtype if dtype in (np.float32, np.float64) else None

