"""The learning curve beside an estimator in Jupyter."""

from __future__ import annotations

import math
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 480, 160, 40


def learning_curve(estimator: Any) -> str:
    """The losses of the epochs, and the scores of early stopping, as SVG; nothing where there are none."""
    losses = getattr(estimator, "loss_curve_", None)
    if not losses or len(losses) < 2:
        return ""
    curves = [("loss", "#1f77b4", losses)]
    scores = getattr(estimator, "validation_scores_", None)
    if scores:
        curves.append(("validation score", "#d62728", scores))
    return "".join(_plot(name, colour, values) for name, colour, values in curves)


def _plot(name: str, colour: str, values: list[float]) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    span, steps = (high - low) or 1.0, max(len(values) - 1, 1)
    points = " ".join(
        f"{MARGIN + index * (WIDTH - 2 * MARGIN) / steps:.1f},{HEIGHT - 20 - (value - low) / span * (HEIGHT - 40):.1f}"
        for index, value in enumerate(values)
        if math.isfinite(value)
    )
    title = escape(f"{name}: {values[-1]:.4g} after {len(values)} epochs")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{title}" fill="currentColor">'
        f'<text x="{MARGIN}" y="12" font-size="11">{title}</text>'
        f'<text x="2" y="24" font-size="9">{high:.3g}</text><text x="2" y="{HEIGHT - 18}" font-size="9">{low:.3g}</text>'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/></svg>'
    )
