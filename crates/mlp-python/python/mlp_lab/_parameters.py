"""What an estimator's parameters may be, and the errors that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions


class Check(NamedTuple):
    """One of the things that a parameter may be."""

    meaning: str
    is_right: Callable[[Any], bool]
    of_scikit_learn: Any
    """The nearest of scikit-learn's own constraints, which its tests ask an estimator for."""


def one_of(*names: str) -> Check:
    """Any of these texts."""
    listed = ", ".join(repr(name) for name in sorted(names))
    return Check(
        f"a str among {{{listed}}}", lambda value: isinstance(value, str) and value in names, StrOptions(set(names))
    )


def number(least: float | None, most: float | None, *, closed: str = "left") -> Check:
    """A real number in an interval, closed at 'left', 'right', 'both' or 'neither' of its ends."""
    return Check(
        f"a float in the range {_interval(least, most, closed)}",
        lambda value: _is(value, Real) and _lies_in(float(value), least, most, closed),
        Interval(Real, least, most, closed=closed),
    )


def count(least: int) -> Check:
    """An integer of at least this."""
    return Check(
        f"an int in the range [{least}, inf)",
        lambda value: _is(value, Integral) and int(value) >= least,
        Interval(Integral, least, None, closed="left"),
    )


def boolean() -> Check:
    """True or False."""
    return Check("an instance of 'bool'", lambda value: isinstance(value, (bool, np.bool_)), "boolean")


def nothing() -> Check:
    """None."""
    return Check("None", lambda value: value is None, None)


def that(meaning: str, is_right: Callable[[Any], bool], kind: Any) -> Check:
    """Whatever passes a test, of a kind that scikit-learn has a constraint for: a type, or a name such as 'array-like'."""
    return Check(meaning, is_right, kind)


def check_parameters(owner: str, constraints: Mapping[str, Iterable[Check]], parameters: Mapping[str, Any]) -> None:
    """Raise a ValueError that names the first parameter which is none of what it may be."""
    for name, checks in constraints.items():
        checks, value = list(checks), parameters[name]
        if not any(check.is_right(value) for check in checks):
            *others, last = [check.meaning for check in checks]
            expected = f"{', '.join(others)} or {last}" if others else last
            raise InvalidParameterError(f"The {name!r} parameter of {owner} must be {expected}. Got {value!r} instead.")


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_))


def _interval(least: float | None, most: float | None, closed: str) -> str:
    left = "[" if closed in ("left", "both") else "("
    right = "]" if closed in ("right", "both") else ")"
    low, high = ("-inf" if least is None else least), ("inf" if most is None else most)
    return f"{left}{low}, {high}{right}"


def _lies_in(value: float, least: float | None, most: float | None, closed: str) -> bool:
    if np.isnan(value):
        return False
    if least is not None and not (value >= least if closed in ("left", "both") else value > least):
        return False
    return most is None or (value <= most if closed in ("right", "both") else value < most)
