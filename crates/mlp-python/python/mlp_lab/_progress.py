"""Progress that a person watches."""

from __future__ import annotations

import sys
import time
from typing import Any


def progress_bar(n_epochs: int, done: int) -> Any:
    """Tqdm's bar, in a terminal and in Jupyter; where tqdm is not installed, a line that looks like it."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line(n_epochs, done)
    return tqdm(total=n_epochs, initial=done, unit="epoch")


class _Line:
    """One line on standard error, written over again."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.done, self.began = total, done, time.monotonic()
        self.told = 0.0
        self.postfix = ""

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        """What stands behind the rate."""
        self.postfix = text

    def update(self, n: int) -> None:
        """So many more are done."""
        self.done += n
        if time.monotonic() - self.told > 0.1:
            self._write()

    def close(self) -> None:
        """The line stays as it is."""
        self._write()
        sys.stderr.write("\n")

    def _write(self) -> None:
        self.told = time.monotonic()
        seconds = self.told - self.began
        filled = 20 * self.done // self.total
        bar = "█" * filled + " " * (20 - filled)
        rate = self.done / seconds if seconds > 0 else 0.0
        share = 100 * self.done // self.total
        line = f"{share:3d}%|{bar}| {self.done}/{self.total} [{seconds:.0f}s, {rate:.2f}epoch/s, {self.postfix}]"
        sys.stderr.write(f"\r{line}")
        sys.stderr.flush()
