"""Fits that are stopped, and go on.

A checkpoint holds all that training depends on: weights, what the update rule remembers, the generator, the order of the
epoch, and how far it has come. So a fit that was stopped, however often, ends with the same bits as one that was not.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native

if TYPE_CHECKING:
    from ._stochastic import StochasticFit

SECONDS = 10.0
"""Between two writings."""

FREE = ("checkpoint", "max_iter", "n_threads", "progress", "verbose")
"""Parameters that may change between two parts of a fit."""

IDLE = dict(
    dropout=0.0, input_dropout=0.0, clip_norm=None, max_norm=None, augment=None, image_shape=None, average=None,
    precision=None, label_smoothing=0.0, class_weight=None,
)  # fmt: skip
"""Parameters that change nothing where they have these values."""

KEPT = (
    "n_iter_", "t_", "loss_curve_", "loss_", "best_loss_", "_no_improvement_count", "validation_scores_",
    "best_validation_score_",
)  # fmt: skip


class Checkpoint:
    """The file of one fit."""

    def __init__(self, path: Any, fit: StochasticFit) -> None:
        self.path = Path(path)
        _check_place(self.path)
        self.fit = fit
        self.owner = self._owner()
        self.last = time.monotonic()

    def is_due(self) -> bool:
        """Whether it is time to write."""
        return time.monotonic() - self.last >= SECONDS

    def write(self) -> None:
        """Put the present state in place of the last one; the file is whole at every moment."""
        fit, estimator, trainer = self.fit, self.fit.estimator, self.fit.trainer
        coefs, intercepts = trainer.parameters()
        arrays: dict[str, Any] = {"positions": fit.positions}
        best = (estimator._best_coefs, estimator._best_intercepts)
        mean = trainer.mean() if estimator.average is not None else ([], [])
        for name, parts in (("network", (coefs, intercepts)), ("best", best), ("mean", mean)):
            arrays |= _named(name, *parts)
        slots = trainer.state()
        for number, slot in enumerate(slots):
            arrays |= _named(f"slot{number}", *slot)
        _, keys, position, has_gauss, cached = estimator._random_state.get_state()
        arrays["generator"] = keys
        said = {
            "format": 1,
            "owner": self.owner,
            "parameters": self._parameters(),
            "generator": [int(position), int(has_gauss), float(cached)],
            "progress": [trainer.samples_done, trainer.loss_sum, trainer.n_steps],
            "slots_rate": trainer.learning_rate,
            "learning_rate": fit.state.learning_rate,
            "n_slots": len(slots),
            "kept": {name: getattr(estimator, name) for name in KEPT if hasattr(estimator, name)},
        }
        arrays["said"] = np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)
        content = io.BytesIO()
        np.savez(content, **arrays)
        _native.write_file(str(self.path), content.getvalue())
        self.last = time.monotonic()

    def resume(self) -> bool:
        """Take over the state of the file, where there is one."""
        if not self.path.exists():
            return False
        fit, estimator = self.fit, self.fit.estimator
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                said = json.loads(arrays["said"].tobytes())
                self._check_owner(said)
                n_layers = len(estimator.coefs_)
                network, best = (_parts(arrays, name, n_layers) for name in ("network", "best"))
                mean = _parts(arrays, "mean", n_layers) if estimator.average is not None else None
                slots = [_parts(arrays, f"slot{number}", n_layers) for number in range(int(said["n_slots"]))]
                positions, keys = arrays["positions"].astype(np.int64), arrays["generator"]
        except _NotOurs as error:
            raise ValueError(str(error)) from None
        except Exception as error:
            message = f"{self.path}: expected a checkpoint of mlp_lab, found another file, or a damaged one"
            raise ValueError(f"{message}; name another file, or remove it to begin anew.") from error
        estimator.coefs_, estimator.intercepts_ = mean or network
        fit.state.weights = network if mean is not None else None
        estimator._best_coefs, estimator._best_intercepts = best
        for name, value in said["kept"].items():
            setattr(estimator, name, value)
        position, has_gauss, cached = said["generator"]
        estimator._random_state.set_state(("MT19937", keys, position, has_gauss, cached))
        fit.positions = positions
        fit.state.learning_rate = said["learning_rate"]
        fit.state.slots, fit.state.slots_rate = slots, said["slots_rate"]
        fit.trainer = fit._trainer()
        fit.trainer.set_progress(*said["progress"])
        return True

    def remove(self) -> None:
        """The fit is done."""
        self.path.unlink(missing_ok=True)

    def _check_owner(self, said: dict[str, Any]) -> None:
        if said.get("format") != 1 or said.get("owner") != self.owner:
            raise _NotOurs(
                f"{self.path}: expected the checkpoint of this fit, found that of another, whose {self._difference(said)};"
                " remove it to begin anew, or name another file."
            )

    def _difference(self, said: dict[str, Any]) -> str:
        """In what the fit of the file differs, as far as it says."""
        known, own = said.get("parameters"), self._parameters()
        if not isinstance(known, dict):
            return "parameters, samples or instructions of the processor differ"
        names = sorted(name for name in {*known, *own} if known.get(name) != own.get(name))
        if not names:
            return "samples or instructions of the processor differ"
        name = names[0]
        more = f" and {len(names) - 1} more parameters differ" if len(names) > 1 else " differs"
        return f"{name} ({known.get(name, 'the default')} there, {own.get(name, 'the default')} here){more}"

    def _parameters(self) -> dict[str, str]:
        """What decides the result, as text."""
        parameters = self.fit.estimator.get_params(deep=False).items()
        return {name: repr(value) for name, value in parameters if name not in FREE and not _is_idle(name, value)}

    def _owner(self) -> str:
        """A hash of all that decides the result."""
        estimator, data = self.fit.estimator, self.fit.data
        parameters = estimator.get_params(deep=False).items()
        told = {name: value for name, value in parameters if name not in FREE and not _is_idle(name, value)}
        hashed = hashlib.sha256(repr((type(estimator).__name__, sorted(told.items()), _native.kernel())).encode())
        x = data.x
        parts = [x.indptr, x.indices, x.data] if hasattr(x, "indptr") else [x]
        parts += [data.targets, data.sample_weight, data.rows, data.validation]
        parts += [*estimator.coefs_, *estimator.intercepts_]
        for part in parts:
            if part is None:
                hashed.update(b"none")
                continue
            hashed.update(repr((part.shape, part.dtype.str)).encode())
            for start in range(0, len(part), 1024):
                hashed.update(np.ascontiguousarray(part[start : start + 1024]).tobytes())
        return hashed.hexdigest()


def _is_idle(name: str, value: Any) -> bool:
    return name in IDLE and (value is IDLE[name] or value == IDLE[name])


def _check_place(path: Path) -> None:
    """A fit that could not be written is found out before it begins."""
    if path.is_dir() or str(path) in ("", "."):
        raise ValueError(f"checkpoint={str(path)!r}: expected the name of a file, found a folder; name a file in it.")
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"checkpoint={str(path)!r}: there is no folder {str(folder)!r}; make it first.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"checkpoint={str(path)!r}: nothing can be written to the folder {str(folder)!r}.")


class _NotOurs(ValueError):
    """A checkpoint of another fit."""


def _named(name: str, coefs: list[Any], intercepts: list[Any]) -> dict[str, Any]:
    parts = {f"{name}.coefs.{layer}": part for layer, part in enumerate(coefs)}
    return parts | {f"{name}.intercepts.{layer}": part for layer, part in enumerate(intercepts)}


def _parts(arrays: Any, name: str, n_layers: int) -> tuple[list[Any], list[Any]]:
    coefs = [arrays[f"{name}.coefs.{layer}"] for layer in range(n_layers)]
    return coefs, [arrays[f"{name}.intercepts.{layer}"] for layer in range(n_layers)]
