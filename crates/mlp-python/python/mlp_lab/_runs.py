"""Results of the project's runs as tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PARTS = ("train", "validation", "test")


def read_runs(
    folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, curves: bool = False, library: str = "pandas"
) -> Any:
    """The trials of a folder of results, as ``cargo xtask train`` and ``sweep`` write it.

    Parameters
    ----------
    folders : path-like or iterable of path-like
        A folder of results, or several.
    curves : bool, default=False
        Whether to read the epochs instead: a long table with the columns ``trial``, ``epoch``, ``part``, ``metric`` and
        ``value``; epoch 0 is before training.
    library : {'pandas', 'polars'}, default='pandas'
        What kind of table to return.

    Returns
    -------
    table : pandas.DataFrame or polars.DataFrame
        One row a trial: ``folder``, ``trial``, ``status`` (finished, diverged, failed, or stopped by successive halving), the
        keys of its configuration (``learning_rate``, ``optimizer``, ``optimizer.momentum``, ...; lists as text), the metrics of
        the weights that were kept, or that a stopped trial had reached (``test.accuracy``, ...), ``seconds``, ``parameters``
        and others. Integers, numbers, truth values and texts have types of their own; what a trial has not is missing.
    """
    if library not in ("pandas", "polars"):
        raise ValueError(f"library must be 'pandas' or 'polars', not {library!r}")
    listed = [folders] if isinstance(folders, (str, os.PathLike)) else list(folders)
    if not listed:
        raise ValueError("folders: expected a folder of results, or several, found an empty list")
    rows: list[dict[str, Any]] = []
    for folder in map(Path, listed):
        for record in _records(folder):
            rows.extend(_curves(record) if curves else [{"folder": str(folder), **_trial(record)}])
    return _table(rows, library)


def _records(folder: Path) -> list[dict[str, Any]]:
    trials = folder / "trials"
    if not trials.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of results with trials/ in it")
    found = {path.stem: _json(path) for path in sorted(trials.glob("*.json"))}
    # A copy under another name is no second trial.
    records = {name: record for name, record in found.items() if record["trial"] == name}
    records |= {record["trial"]: record for record in _stopped(folder) if record["trial"] not in records}
    return [records[trial] for trial in sorted(records)]


def _stopped(folder: Path) -> Iterator[dict[str, Any]]:
    """What the trials had reached that successive halving stopped: records as far as they had come."""
    path = folder / "halving.json"
    for comparison in _json(path) if path.exists() else []:
        for stopped in comparison["stopped"]:
            rung = folder / "rungs" / f"{stopped['trial']}.{stopped['epoch']}.json"
            record = _json(rung) if rung.exists() else {}
            # Earlier versions kept nothing of the settings.
            if "config" in record and record["trial"] == stopped["trial"]:
                yield record


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected a record of the project as JSON, found what is none ({error})") from error


def _trial(record: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {name: record.get(name) for name in ("trial", "status")}
    for key, value in record["config"].items():
        if isinstance(value, dict):
            # A choice with numbers of its own: its name, and theirs.
            row[key] = value.get("name")
            row |= {f"{key}.{name}": _plain(number) for name, number in value.items() if name != "name"}
        else:
            row[key] = _plain(value)
    kept = [epoch for epoch in record["epochs"] if epoch["epoch"] == record["best_epoch"]]
    for part in PARTS:
        metrics = (kept[0].get(part) if kept else None) or {}
        row |= {f"{part}.{metric}": value for metric, value in metrics.items()}
    seconds = {name: sum(record["runtime"].get(name, [])) for name in ("seconds_train", "seconds_evaluate")}
    row |= {"best_epoch": record["best_epoch"], "epochs_run": max(len(record["epochs"]) - 1, 0)}
    row |= {"parameters": record["parameters"], "seconds": sum(seconds.values()), **seconds}
    return row | {"data_sha256": record["data"]["sha256"], "kernel": record["kernel"], "error": record.get("error")}


def _curves(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"trial": record["trial"], "epoch": epoch["epoch"], "part": part, "metric": metric, "value": value}
        for epoch in record["epochs"]
        for part in PARTS
        for metric, value in (epoch.get(part) or {}).items()
        if value is not None
    ]


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def _table(rows: list[dict[str, Any]], library: str) -> Any:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    if library == "polars":
        import polars

        kinds = {"boolean": polars.Boolean, "Int64": polars.Int64, "float64": polars.Float64, "string": polars.String}
        schema = {name: kinds[kind] for name, (kind, _) in columns.items()}
        return polars.DataFrame({name: values for name, (_, values) in columns.items()}, schema=schema)
    import pandas

    return pandas.DataFrame({name: pandas.Series(values, dtype=kind) for name, (kind, values) in columns.items()})


def _column(values: list[Any]) -> tuple[str, list[Any]]:
    """The type of a column, and its values in that type."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return "boolean", values
    # ``false`` is how a key is written that is off; beside numbers it is a missing one.
    known = [value for value in known if value is not False]
    values = [None if value is False else value for value in values]
    if known and all(isinstance(value, int) for value in known):
        return "Int64", values
    if known and all(isinstance(value, (int, float)) for value in known):
        return "float64", [None if value is None else float(value) for value in values]
    return "string", [None if value is None else str(value) for value in values]
