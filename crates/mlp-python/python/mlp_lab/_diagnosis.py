"""The doctor's answer."""

from __future__ import annotations

import json
from html import escape
from typing import Any

COLUMNS = {
    "saturated": "saturated",
    "dead_units": "dead units",
    "spread": "spread",
    "activation_rms": "outputs",
    "weight_norm": "weights",
    "gradient_norm": "gradient",
}


class Diagnosis:
    """What each layer does with a few samples, and in a sentence where learning died.

    Attributes
    ----------
    sentence : str
        The finding in words.
    layers : list of dict
        The figures of each layer, that next to the inputs first: ``saturated``, ``dead_units`` and others, as fractions and
        root mean squares.
    n_samples : int
        The number of samples that were looked at.
    """

    def __init__(self, told: str, sentence: str) -> None:
        document = json.loads(told)
        # The project's name of the key; and that no epoch before was looked at, nobody has to be told.
        self.sentence = sentence.split(" (Not measured")[0].replace("learning_rate", "learning_rate_init")
        self.n_samples: int = document["n_samples"]
        epochs = document["epochs"]
        measured = epochs[-1]["layers"] if epochs else [{} for _ in document["layers"]]
        self.layers: list[dict[str, Any]] = [shape | figures for shape, figures in zip(document["layers"], measured)]

    def _rows(self) -> list[list[str]]:
        rows = [["layer", "units", "activation", *COLUMNS.values()]]
        for number, layer in enumerate(self.layers, start=1):
            figures = [f"{layer[name]:.3g}" if name in layer else "-" for name in COLUMNS]
            rows.append([str(number), str(layer["units"]), layer["activation"], *figures])
        return rows

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows]
        return "\n".join([*lines, "", self.sentence])

    def _repr_html_(self) -> str:
        head, *body = self._rows()
        table = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in body)
        names = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        return f"<table><thead><tr>{names}</tr></thead><tbody>{table}</tbody></table><p>{escape(self.sentence)}</p>"
