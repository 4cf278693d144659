"""What samples count by their class."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ._classifier import MLPClassifier


def is_class_weight(value: Any) -> bool:
    """Whether these are weights of classes, besides 'balanced'."""
    if isinstance(value, dict):
        return True
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(part, dict) for part in value)


def _check_numbers(wanted: Any) -> None:
    """Each weight must be a number that a loss can be multiplied by."""
    for part in [wanted] if isinstance(wanted, dict) else wanted if isinstance(wanted, (list, tuple)) else []:
        for label, weight in part.items():
            if not isinstance(weight, Real) or not 0 <= float(weight) < float("inf"):
                raise ValueError(f"class_weight: expected a finite number of at least 0 for {label!r}, found {weight!r}.")


def weights_of_samples(estimator: MLPClassifier, targets: Any, incremental: bool) -> Any:
    """One weight for each row of targets, by the estimator's ``class_weight``."""
    from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

    wanted = estimator.class_weight
    if incremental and wanted == "balanced":
        raise ValueError(
            "class_weight='balanced' is not supported for partial_fit, which sees a part of the samples; give the weights that"
            " sklearn.utils.class_weight.compute_class_weight('balanced', classes=classes, y=y) has for all of them."
        )
    _check_numbers(wanted)
    if estimator._is_multilabel():
        return compute_sample_weight(wanted, targets.astype(int))
    if not isinstance(wanted, (dict, str)):
        raise ValueError("class_weight is a list of dict where samples have several labels; here it is one dict.")
    indices = estimator._answers(targets)
    seen, labels = np.unique(indices), estimator.classes_
    if isinstance(wanted, dict):
        # A batch of ``partial_fit`` need not have all classes.
        unknown = [label for label in wanted if label not in labels]
        if unknown:
            raise ValueError(f"class_weight names {unknown}, which are none of the classes {labels.tolist()}.")
        wanted = {label: weight for label, weight in wanted.items() if label in labels[seen]}
    each = np.ones(len(labels))
    each[seen] = compute_class_weight(wanted, classes=labels[seen], y=labels[indices])
    return each[indices]
