"""How many threads a fit may take."""

from __future__ import annotations

import os
from functools import cache

from . import _native


@cache
def _available_threads() -> int:
    # It reads files: tens of microseconds.
    return _native.available_threads()


def resolve_threads(n_threads: int | None) -> int:
    """The number given, or the processors that this process may use.

    ``OMP_NUM_THREADS`` is respected, which joblib sets in its worker processes so that a search over candidates does not
    start more threads than there are processors. Fits that run at the same time in threads of one process share the
    number among themselves. No result depends on it.
    """
    if n_threads is not None:
        return int(n_threads)
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    available = _available_threads()
    if wanted.isdigit() and int(wanted) > 0:
        return min(int(wanted), available)
    return available
