"""Training by steps on batches: the loop over epochs, when it stops, and what it leaves behind."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from . import _native, _options
from ._checkpoint import Checkpoint
from ._progress import progress_bar
from ._settings import Rates, Settings
from ._threads import resolve_threads

if TYPE_CHECKING:
    from ._estimator import Perceptron

LEAST_RATE = 1e-6
"""A learning rate that is not divided any further."""


@dataclass
class OptimizerState:
    """What an update rule remembers from one call of ``partial_fit`` to the next."""

    rule: str
    initial_rate: float
    learning_rate: float
    n_steps: int = 0
    slots: list[tuple[list[Any], list[Any]]] = field(default_factory=list)
    """Velocities, or Adam's two means; those of momentum belong to steps with ``slots_rate``."""
    slots_rate: float = 0.0
    weights: tuple[list[Any], list[Any]] | None = None
    """The weights and biases that steps are taken with, where the network of the estimator is their mean."""
    seed: int | None = None
    """Where the random choices within steps begin; None where there are none."""

    def follow(self, initial_rate: float) -> None:
        """Take over a learning rate that was changed between two calls; what a schedule made of the old one stays."""
        if initial_rate != self.initial_rate:
            self.learning_rate *= initial_rate / self.initial_rate
            self.initial_rate = initial_rate


@dataclass
class TrainingSet:
    """What is trained on: some rows of ``x``, all of them where ``rows`` is None."""

    x: Any
    targets: Any
    sample_weight: Any
    rows: Any
    validation: Any
    """The rows by which early stopping decides, or None."""

    @property
    def n_samples(self) -> int:
        return int(self.x.shape[0] if self.rows is None else len(self.rows))

    def order(self, positions: Any) -> Any:
        """Positions among the training samples as rows of ``x``."""
        return positions if self.rows is None else self.rows[positions]


def rule_of(estimator: Perceptron) -> str:
    """The update rule of the estimator's solver."""
    if estimator.solver != "sgd":
        return str(estimator.solver)
    if estimator.momentum == 0:
        return "sgd"
    return "nesterov" if estimator.nesterovs_momentum else "momentum"


class StochasticFit:
    """One call of ``fit`` or ``partial_fit``."""

    def __init__(self, estimator: Perceptron, data: TrainingSet, *, incremental: bool) -> None:
        self.estimator = estimator
        self.data = data
        self.incremental = incremental
        self.batch_size = self._batch_size()
        self.state = self._optimizer_state()
        self.trainer = self._trainer()
        self.positions = np.arange(data.n_samples, dtype=np.int64)
        self.has_diverged = False

    def run(self) -> None:
        """Train, and leave the estimator with what was learned, also where the user interrupts."""
        estimator = self.estimator
        estimator._optimizer = self.state
        estimator.n_iter_ = 0
        checkpoint = self._checkpoint()
        bar = None
        if estimator.progress and not self.incremental:
            bar = progress_bar(estimator.max_iter, estimator.n_iter_)
        is_kept = False
        try:
            self._epochs(checkpoint, bar)
            # First what was learned is kept, then the file goes: Ctrl-C in between loses nothing.
            self._keep()
            is_kept = True
            if checkpoint is not None:
                checkpoint.remove()
        except KeyboardInterrupt:
            message = "Training interrupted by user."
            if checkpoint is not None:
                self._write_interrupted(checkpoint)
                message += f" The next fit with checkpoint={str(checkpoint.path)!r} goes on from here."
            warnings.warn(message, stacklevel=4)
        except ValueError:
            raise
        except BaseException:
            if checkpoint is not None:
                self._write_interrupted(checkpoint)
            raise
        finally:
            if bar is not None:
                bar.close()
            if not is_kept:
                self._keep()

    def _epochs(self, checkpoint: Checkpoint | None, bar: Any) -> None:
        estimator = self.estimator
        while estimator.n_iter_ < estimator.max_iter:
            self._epoch()
            if bar is not None:
                bar.set_postfix_str(f"loss={estimator.loss_:.5g}", refresh=False)
                bar.update(1)
            if self._is_enough() or self.incremental:
                return
            if checkpoint is not None and checkpoint.is_due():
                checkpoint.write()
        message = (
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization"
            " hasn't converged yet."
        )
        warnings.warn(message, ConvergenceWarning, stacklevel=5)

    def _checkpoint(self) -> Checkpoint | None:
        estimator = self.estimator
        if estimator.checkpoint is None or self.incremental:
            return None
        if not isinstance(estimator.random_state, (int, np.integer)):
            raise ValueError(
                "A fit with a checkpoint needs an integer random_state: with another one it could not go on as it began."
            )
        checkpoint = Checkpoint(estimator.checkpoint, self)
        checkpoint.resume()
        return checkpoint

    def _write_interrupted(self, checkpoint: Checkpoint) -> None:
        # Between two epochs the last one's figures may not be in their places yet: then the file stays as it is.
        if self.trainer.samples_done > 0:
            checkpoint.write()

    def _batch_size(self) -> int:
        wanted, n_samples = self.estimator.batch_size, self.data.n_samples
        if wanted == "auto":
            return min(200, n_samples)
        if wanted > n_samples:
            message = (
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
                f" (to the {n_samples} samples)."
            )
            warnings.warn(message, stacklevel=5)
        return min(int(wanted), n_samples)

    def _optimizer_state(self) -> OptimizerState:
        rate, rule = float(self.estimator.learning_rate_init), rule_of(self.estimator)
        known = getattr(self.estimator, "_optimizer", None) if self.incremental else None
        state: OptimizerState
        if known is None or known.rule != rule:
            state = OptimizerState(rule=rule, initial_rate=rate, learning_rate=rate)
        else:
            state = known
            state.follow(rate)
        if state.seed is None and _options.draws(self.estimator):
            state.seed = int(self.estimator._random_state.randint(2**31 - 1))
        return state

    def _trainer(self) -> _native.Trainer:
        estimator = self.estimator
        loss = estimator._loss()
        settings: Settings = {
            "activation": estimator.activation,
            "out_activation": loss.out_activation,
            "loss": loss.name,
            "reduction": loss.reduction,
            "loss_factor": loss.factor,
            "optimizer": self.state.rule,
            "momentum": float(estimator.momentum),
            "beta_1": float(estimator.beta_1),
            "beta_2": float(estimator.beta_2),
            "epsilon": float(estimator.epsilon),
            "decay": float(estimator.weight_decay),
            **_options.options(estimator, self.data.x.shape[1], self.state.seed or 0),
            "max_batch": self.batch_size,
            "n_threads": resolve_threads(estimator.n_threads),
        }
        network = (estimator.coefs_, estimator.intercepts_)
        of_steps = self.state.weights if estimator.average is not None else None
        trainer = _native.Trainer(*(of_steps or network), settings)
        if of_steps is not None:
            trainer.set_mean(*network)
        if self.state.slots:
            trainer.set_state(self.state.slots, self.state.slots_rate)
        trainer.set_progress(0, 0.0, self.state.n_steps)
        return trainer

    def _epoch(self) -> None:
        estimator, data = self.estimator, self.data
        # An epoch that was interrupted goes on in its order.
        if estimator.shuffle and self.trainer.samples_done == 0:
            # What sklearn.utils.shuffle draws, so that the same seed gives the same order.
            drawn = np.arange(data.n_samples)
            estimator._random_state.shuffle(drawn)
            self.positions = self.positions[drawn]
        rates: Rates = {
            "batch_size": self.batch_size,
            "learning_rate": self.state.learning_rate,
            "alpha": float(estimator.alpha),
            "epoch": len(estimator.loss_curve_) + 1,
            "mean_rate": _options.mean_rate(estimator, estimator.n_iter_ + 1),
        }
        order = data.order(self.positions)
        try:
            loss = self.trainer.epoch(data.x, data.targets, order, rates, data.sample_weight)
        except ValueError:
            if data.validation is None:
                raise
            # The best network so far is kept.
            self.has_diverged, loss = True, float("nan") * data.n_samples
        estimator.n_iter_ += 1
        estimator.t_ += data.n_samples
        estimator.loss_ = loss / data.n_samples
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if data.validation is None:
            self._compare_loss()
        else:
            self._compare_score()
        if estimator.learning_rate == "invscaling" and estimator.solver == "sgd":
            self.state.learning_rate = self.state.initial_rate / (estimator.t_ + 1) ** estimator.power_t

    def _compare_loss(self) -> None:
        estimator = self.estimator
        if estimator.loss_ > estimator.best_loss_ - estimator.tol:
            estimator._no_improvement_count += 1
        else:
            estimator._no_improvement_count = 0
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)

    def _compare_score(self) -> None:
        estimator, data = self.estimator, self.data
        score = float("nan")
        if not self.has_diverged:
            weights = None if data.sample_weight is None else data.sample_weight[data.validation]
            outputs = self.trainer.outputs(data.x, data.validation, self._has_mean())
            score = estimator._score_outputs(outputs, data.targets[data.validation], weights)
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        if score < estimator.best_validation_score_ + estimator.tol:
            estimator._no_improvement_count += 1
        else:
            estimator._no_improvement_count = 0
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            estimator._best_coefs, estimator._best_intercepts = self._network()

    def _has_mean(self) -> bool:
        """Whether the network is a mean of the weights, as far as training has come."""
        estimator = self.estimator
        if _options.ema_decay(estimator) is not None:
            return self.trainer.n_steps > 0
        return _options.mean_rate(estimator, estimator.n_iter_) is not None

    def _network(self) -> tuple[list[Any], list[Any]]:
        """What the estimator is to answer with."""
        return self.trainer.mean() if self._has_mean() else self.trainer.parameters()

    def _is_enough(self) -> bool:
        estimator = self.estimator
        if self.has_diverged:
            message = "Training diverged: numbers overflowed. The best network before is kept."
            warnings.warn(message, ConvergenceWarning, stacklevel=5)
            return True
        if estimator._no_improvement_count <= estimator.n_iter_no_change:
            return False
        what = "Validation score" if self.data.validation is not None else "Training loss"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} consecutive epochs."
        )
        if estimator.solver != "sgd" or estimator.learning_rate != "adaptive":
            self._tell(f"{message} Stopping.")
            return True
        if self.state.learning_rate <= LEAST_RATE:
            self._tell(f"{message} Learning rate too small. Stopping.")
            return True
        self.state.learning_rate /= 5.0
        self._tell(f"{message} Setting learning rate to {self.state.learning_rate:f}")
        estimator._no_improvement_count = 0
        return False

    def _tell(self, message: str) -> None:
        if self.estimator.verbose:
            print(message)

    def _keep(self) -> None:
        """Bring the network back, and what the rule remembers."""
        estimator = self.estimator
        self.state.n_steps = self.trainer.n_steps
        self.state.slots = self.trainer.state()
        self.state.slots_rate = self.trainer.learning_rate
        if self.data.validation is not None:
            estimator.coefs_, estimator.intercepts_ = estimator._best_coefs, estimator._best_intercepts
        else:
            estimator.coefs_, estimator.intercepts_ = self._network()
        self.state.weights = self.trainer.parameters() if self._has_mean() else None
