"""The document's programs run."""

import importlib.util
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```(python|sh|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)

OPTIONAL = ("torch", "onnxruntime")
"""Packages without which the lines that import them are left out."""

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not (ROOT / "docs/python.md").exists(), reason="the project is not around the package"),
]


def blocks(document):
    return BLOCK.findall((ROOT / document).read_text(encoding="utf-8"))


def program():
    """The project's program, where it has been built."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [path for path in (target / "release/xtask", target / "debug/xtask") if path.exists()]
    return built[0] if built else None


def test_the_document_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    found = blocks("docs/python.md")
    (specification,) = (text for kind, text in found if kind == "toml")
    Path("rates.toml").write_text(specification)
    names = {}
    for kind, text in found:
        if kind == "python":
            missing = [name for name in OPTIONAL if f"import {name}\n" in text and importlib.util.find_spec(name) is None]
            if missing:
                print(f"{missing[0]} is not installed: its lines were left out")
                continue
            if "read_runs" in text and not Path("runs").exists():
                pytest.skip("the project's program is not built: its lines were left out")
            exec(compile(text, "docs/python.md", "exec"), names)
        elif kind == "sh" and text.startswith("cargo xtask") and program() is not None:
            done = subprocess.run(
                [program(), *shlex.split(text)[2:]], stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
    assert Path("rates.png").stat().st_size > 1000
    check_tables(names["trials"], names["curves"])
    check_foreign_models(names["np"])


def check_tables(trials, curves):
    from mlp_lab import read_runs

    assert len(trials) == 6
    kinds = {name: str(kind) for name, kind in trials.dtypes.items()}
    expected = {"learning_rate": "float64", "seed": "Int64", "bias": "boolean", "initializer.gain": "float64"}
    assert expected.items() <= kinds.items()
    assert kinds["loss"].startswith("str")
    assert set(curves["epoch"]) == {0, 1, 2, 3, 4}
    as_polars = read_runs("runs/rates", library="polars")
    assert as_polars["test.accuracy"].to_list() == trials["test.accuracy"].to_list()
    assert read_runs("runs/rates", curves=True, library="polars").height == len(curves)
    assert len(read_runs(["runs/rates", "runs/rates"])) == 12


def check_foreign_models(np):
    """A model of the project's program answers in Python, and Python's in the program."""
    from mlp_lab import MLPClassifier, load

    for path in Path("runs/rates/models").iterdir():
        foreign = load(path)
        assert (foreign.classes_ == list("0123456789")).all()
        assert foreign.predict(np.zeros((3, 784), np.float32)).shape == (3,)
        assert foreign.encoding == "ascii"
    random = np.random.RandomState(0)
    net = MLPClassifier(max_iter=2, random_state=0).fit(random.rand(100, 784).astype(np.float32), random.randint(0, 10, 100))
    net.save("ours.safetensors")
    command = [program(), "evaluate", "ours.safetensors", "--data", "synthetic"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_lines_of_the_first_page_run():
    for document in ("README.md", "crates/mlp-python/README.md"):
        programs = [text for kind, text in blocks(document) if kind == "python"]
        assert programs, document
        for text in programs:
            exec(compile(text, document, "exec"), {})


def test_the_examples_of_the_documentation_run():
    import doctest

    import mlp_lab
    import mlp_lab._classifier
    import mlp_lab._regressor

    for module in (mlp_lab, mlp_lab._classifier, mlp_lab._regressor):
        tested = doctest.testmod(module)
        assert tested.attempted > 0 and tested.failed == 0


def test_an_error_says_what_is_no_folder_of_results(tmp_path):
    from mlp_lab import read_runs

    with pytest.raises(FileNotFoundError, match="trials/"):
        read_runs(tmp_path)
    with pytest.raises(ValueError, match="polars"):
        read_runs(tmp_path, library="numpy")
