from typing import Any, TypedDict

from numpy import float64, int64
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = list[Array]

class Settings(TypedDict):
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
    batch_size: int
    learning_rate: float
    alpha: float

class Trainer:
    def __new__(cls, coefs: Arrays, intercepts: Arrays, settings: Settings) -> Trainer: ...
    def epoch(
        self,
        x: Any,
        targets: Array,
        order: NDArray[int64],
        rates: Rates,
        sample_weight: NDArray[float64] | None,
    ) -> float: ...
    def outputs(self, x: Any, rows: NDArray[int64] | None) -> Array: ...
    def parameters(self) -> tuple[Arrays, Arrays]: ...
    def state(self) -> list[tuple[Arrays, Arrays]]: ...
    def set_state(self, state: list[tuple[Arrays, Arrays]], learning_rate: float) -> None: ...
    def set_progress(self, samples_done: int, loss_sum: float, n_steps: int) -> None: ...
    @property
    def samples_done(self) -> int: ...
    @property
    def loss_sum(self) -> float: ...
    @property
    def n_steps(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...

class Objective:
    def __new__(
        cls,
        coefs: Arrays,
        intercepts: Arrays,
        activation: str,
        out_activation: str,
        loss: str,
        loss_factor: float,
        n_samples: int,
        n_threads: int,
    ) -> Objective: ...
    def __call__(
        self,
        parameters: NDArray[float64],
        x: Any,
        targets: NDArray[float64],
        sample_weight: NDArray[float64] | None,
        alpha: float,
    ) -> tuple[float, NDArray[float64]]: ...

def outputs(
    x: Any,
    coefs: Arrays,
    intercepts: Arrays,
    activation: str,
    out_activation: str,
    n_threads: int,
    check: bool = False,
) -> Array: ...
def available_threads() -> int: ...
