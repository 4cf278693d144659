from typing import Any, final

from numpy import float64, int64
from numpy.typing import NDArray

from ._settings import Array, Arrays, Described, Rates, Settings

__all__ = [
    "Objective",
    "Trainer",
    "available_threads",
    "codes",
    "diagnose",
    "kernel",
    "load_model",
    "outputs",
    "save_model",
    "to_onnx",
    "version",
    "write_file",
]

@final
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
    def outputs(self, x: Any, rows: NDArray[int64] | None, of_mean: bool = False) -> Array: ...
    def parameters(self) -> tuple[Arrays, Arrays]: ...
    def mean(self) -> tuple[Arrays, Arrays]: ...
    def set_mean(self, coefs: Arrays, intercepts: Arrays) -> None: ...
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

@final
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
def kernel() -> str: ...
def diagnose(
    x: Any,
    targets: Array,
    coefs: Arrays,
    intercepts: Arrays,
    activations: tuple[str, str],
    loss: str,
    epoch: int,
) -> tuple[str, str]: ...
def codes(encoding: str, classes: list[str]) -> Array: ...
def load_model(path: str) -> tuple[Arrays, Arrays, str, list[str], str]: ...
def save_model(path: str, model: Described) -> None: ...
def to_onnx(
    model: Described, input: str, classes: bool, rates: bool, metadata: list[tuple[str, str]]
) -> bytes: ...
def write_file(path: str, content: bytes) -> None: ...
def version() -> str: ...
