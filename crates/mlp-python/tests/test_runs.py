"""Folders of results as tables."""

import json
import subprocess

import numpy as np
import pytest
from mlp_lab import read_runs
from test_documents import program

pd = pytest.importorskip("pandas")


def write_record(path, trial, rate, status, losses, **more):
    epochs = [{"epoch": epoch, "train": {"loss": loss}, "test": {"loss": 2 * loss}} for epoch, loss in enumerate(losses)]
    record = {
        "trial": trial, "status": status, "epochs": epochs, "best_epoch": len(losses) - 1, "parameters": 9, "kernel": "avx2",
        "config": {"learning_rate": rate, "seed": 0, "clip_norm": False, "optimizer": {"name": "sgd"}, "hidden": [4]},
        "data": {"sha256": "ab"}, "runtime": {"seconds_train": [0.5] * (len(losses) - 1), "seconds_evaluate": [0.1] * len(losses)},
    }  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record | more))


@pytest.fixture
def halved(tmp_path):
    """Three trials, of which halving stopped two; of one of these an earlier version kept no settings."""
    write_record(tmp_path / "trials/a1.json", "a1", 0.1, "finished", [1.0, 0.5, 0.25])
    write_record(tmp_path / "trials/copy.json", "a1", 0.1, "finished", [1.0, 0.5, 0.25])
    write_record(tmp_path / "rungs/a1.1.json", "a1", 0.1, "stopped", [1.0, 0.5])
    write_record(tmp_path / "rungs/b2.1.json", "b2", 1, "stopped", [1.0, 0.75])
    (tmp_path / "rungs/c3.1.json").write_text(json.dumps({"trial": "c3", "kernel": "avx2", "reached": {}}))
    stopped = [{"trial": trial, "epoch": 1, "label": "", "value": None, "rank": 2} for trial in ("a1", "b2", "c3", "d4")]
    (tmp_path / "halving.json").write_text(json.dumps([{"epoch": 1, "metric": "validation.loss", "stopped": stopped}]))
    return tmp_path


def test_trials_that_halving_stopped_have_a_row_with_what_they_had_reached(halved):
    table = read_runs(halved)
    assert table["trial"].tolist() == ["a1", "b2"]
    assert table["status"].tolist() == ["finished", "stopped"]
    assert table["test.loss"].tolist() == [0.5, 1.5]
    assert table["epochs_run"].tolist() == [2, 1]
    assert table["learning_rate"].dtype == np.float64
    assert table["seconds"].tolist() == pytest.approx([1.3, 0.7])
    curves = read_runs(halved, curves=True)
    assert curves.groupby("trial")["epoch"].max().to_dict() == {"a1": 2, "b2": 1}
    polars = pytest.importorskip("polars")
    assert read_runs(halved, library="polars")["status"].dtype == polars.String


def test_a_record_that_is_none_is_named(halved):
    (halved / "trials/e5.json").write_text("{")
    with pytest.raises(ValueError, match="e5.json: expected a record"):
        read_runs(halved)
    with pytest.raises(ValueError, match="found an empty list"):
        read_runs([])


@pytest.mark.skipif(program() is None, reason="the project's program is not built")
def test_the_table_has_the_trials_and_endings_of_results_csv(tmp_path):
    (tmp_path / "rates.toml").write_text(
        'hidden = [8]\nepochs = 4\ntrain_size = 400\ntest_size = 100\nvalidation = 100\n[sweep]\n'
        'learning_rate = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0]\nseed = [0, 1]\n'
        'halving = { metric = "validation.loss", first = 1, factor = 3 }\n'
    )
    command = [program(), "sweep", "rates.toml", "--data", "synthetic", "--out", "runs", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    table, expected = read_runs(tmp_path / "runs"), pd.read_csv(tmp_path / "runs/results.csv")
    assert table["status"].value_counts()["stopped"] == 10
    for column in ("trial", "status", "learning_rate", "validation.loss", "test.accuracy"):
        np.testing.assert_array_equal(table[column].to_numpy(), expected[column].to_numpy())
    epochs = pd.read_csv(tmp_path / "runs/epochs.csv")
    curves = read_runs(tmp_path / "runs", curves=True)
    assert len(curves.groupby(["trial", "epoch"])) == len(epochs)
