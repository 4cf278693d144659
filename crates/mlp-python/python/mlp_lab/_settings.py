"""What the compiled half is told, as types."""

from __future__ import annotations

from typing import Any, TypedDict

from numpy.typing import NDArray

from ._options import Options

Array = NDArray[Any]
Arrays = list[Array]
Described = tuple[Arrays, Arrays, str, list[str], str]
"""A network: weights, biases, its configuration (JSON), the texts of its classes, and other entries (JSON)."""


class Settings(Options):
    """What stays for all epochs."""

    activation: str
    out_activation: str
    loss: str
    reduction: str
    loss_factor: float
    optimizer: str
    momentum: float
    beta_1: float
    beta_2: float
    epsilon: float
    decay: float
    max_batch: int
    n_threads: int


class Rates(TypedDict):
    """What an epoch is told."""

    batch_size: int
    learning_rate: float
    alpha: float
    epoch: int
    mean_rate: float | None
