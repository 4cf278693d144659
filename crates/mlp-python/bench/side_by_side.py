"""This package beside scikit-learn, in turns, in one run.

    python side_by_side.py [--data FOLDER] [--epochs N] [--rounds N] [--only NAME ...] [--json]

FOLDER holds MNIST's four files (IDX, plain or gzip); without it, digits are made up. Each figure is the best of some rounds;
in each round one follows the other. A ratio says how many times faster this package is (for memory: how many times less).
Prints a table in Markdown, or with --json one line: a list of objects with `what`, `unit`, `ours`, `theirs`, `ratio` and
`target`, the ratio that is wanted, and the versions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

N_THREADS = "2"
THREADS = {name: N_THREADS for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

if __name__ == "__main__":
    # Both take two threads: before NumPy's libraries are loaded in processes that this one starts, and here.
    if any(os.environ.get(name) != number for name, number in THREADS.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | THREADS | {"PYTHONWARNINGS": "ignore"})

try:
    import mlp_lab
    import numpy as np
    import sklearn
except ModuleNotFoundError as error:
    print(json.dumps({"missing": error.name}))
    sys.exit()

ROWS: list[dict] = []
"""What has been measured so far."""


def idx(path: Path) -> np.ndarray:
    """The array in a file of the format IDX."""
    packed = path.with_suffix(path.suffix + ".gz")
    content = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(content[3])]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def digits(folder: str | None) -> tuple[np.ndarray, np.ndarray]:
    """60,000 digits as bytes, with their labels."""
    if folder is None:
        random = np.random.RandomState(0)
        labels = random.randint(0, 10, 60_000).astype(np.uint8)
        strokes = (random.rand(10, 784) < 0.2) * 255
        return (strokes[labels] * (random.rand(60_000, 784) < 0.8)).astype(np.uint8), labels
    images = idx(Path(folder) / "train-images-idx3-ubyte")
    return images.reshape(len(images), -1), idx(Path(folder) / "train-labels-idx1-ubyte")


def in_turns(rounds: int, ours, theirs) -> tuple[float, float]:
    """The best seconds of both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, taken in zip((ours, theirs), seconds):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return min(seconds[0]), min(seconds[1])


def fit_of(x, y, epochs: int, **settings):
    """A fit of so many epochs by each."""
    from mlp_lab import MLPClassifier
    from sklearn import neural_network

    settings = dict(max_iter=epochs, tol=0, n_iter_no_change=10_000, random_state=0) | settings
    return (lambda: MLPClassifier(**settings).fit(x, y)), (lambda: neural_network.MLPClassifier(**settings).fit(x, y))


def fits(options) -> None:
    """Whole fits of 60,000 digits."""
    pixels, y = digits(options.data)
    x = pixels / np.float32(255)
    shapes = {"(100,), batch 200": {}, "(512, 256), batch 128": dict(hidden_layer_sizes=(512, 256), batch_size=128)}
    for dtype in (np.float64, np.float32):
        given = x.astype(dtype)
        for name, settings in shapes.items():
            seconds = in_turns(options.rounds, *fit_of(given, y, options.epochs, **settings))
            told(f"fit, 60,000 digits, {name}, {options.epochs} epochs, {np.dtype(dtype)}", seconds, 4)


def small(options) -> None:
    """A user's first fit."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    told("fit, iris, (10,), 200 epochs", in_turns(5 * options.rounds, *fit_of(x, y, 200, hidden_layer_sizes=(10,))), 3)


def answers(options) -> None:
    """Many digits at once, and one."""
    pixels, y = digits(options.data)
    for dtype in (np.float64, np.float32):
        x = (pixels[:10_000] / 255.0).astype(dtype)
        ours, theirs = (fit() for fit in fit_of(x, y[:10_000], 1))
        seconds = in_turns(10 * options.rounds, lambda: ours.predict(x), lambda: theirs.predict(x))
        told(f"predict, 10,000 digits, {np.dtype(dtype)}", seconds, 3)
        one = x[:1].copy()
        many = range(200)
        seconds = in_turns(
            2 * options.rounds, lambda: [ours.predict(one) for _ in many], lambda: [theirs.predict(one) for _ in many]
        )
        told(f"predict, one digit, {np.dtype(dtype)}", (seconds[0] / 200, seconds[1] / 200), 5)


def searches(options) -> None:
    """A grid in two processes."""
    from mlp_lab import MLPClassifier
    from sklearn import neural_network
    from sklearn.model_selection import GridSearchCV

    pixels, y = digits(options.data)
    x, y = pixels[:6000] / 255.0, y[:6000]
    grid = {"alpha": [1e-5, 1e-3], "learning_rate_init": [1e-3, 1e-2], "hidden_layer_sizes": [(50,), (100,)]}
    searches = [
        GridSearchCV(kind(max_iter=10, random_state=0), grid, cv=3, n_jobs=2)
        for kind in (MLPClassifier, neural_network.MLPClassifier)
    ]
    for search in searches:
        search.fit(x[:100], y[:100])  # the worker processes are there
    seconds = in_turns(options.rounds, *(lambda search=search: search.fit(x, y) for search in searches))
    told("GridSearchCV, 8 candidates, 3 folds, n_jobs=2", seconds, 3)


def imports(options) -> None:
    """Whole processes."""

    def running(program: str):
        return lambda: subprocess.run([sys.executable, "-c", program], check=True)

    theirs = running("from sklearn.neural_network import MLPClassifier")
    told("import mlp_lab", in_turns(4 * options.rounds, running("import mlp_lab"), theirs), 1)
    told("import of MLPClassifier", in_turns(4 * options.rounds, running("from mlp_lab import MLPClassifier"), theirs), 1)


def memory(options) -> None:
    """What a fit takes, in processes of their own."""
    script = "import sys; from side_by_side import peak; peak(*sys.argv[1:])"
    for given, name in (
        ("float32", "float32 digits"),
        ("float32 held out", "float32 digits, early stopping"),
        ("uint8", "digits as bytes, computed in float32 here"),
    ):
        taken = []
        for module in ("mlp_lab", "sklearn.neural_network"):
            command = [sys.executable, "-c", script, module, given, options.data or ""]
            done = subprocess.run(command, cwd=Path(__file__).parent, check=True, capture_output=True, text=True)
            taken.append([float(number) for number in done.stdout.split()])
        for part, (ours, theirs) in zip(("what fit adds", "data and fit", "the whole process"), zip(*taken)):
            told(f"memory, {name}: {part}", (ours, theirs), 2 if part == "data and fit" else None, unit="MiB")


def peak(module: str, given: str, data: str) -> None:
    """Prints the MiB that a fit adds to the peak of this process, what data and fit add, and that peak."""
    import importlib

    estimator = importlib.import_module(module).MLPClassifier
    warnings.simplefilter("ignore")
    settings = dict(dtype="float32") if module == "mlp_lab" else {}
    settings |= dict(early_stopping=True) if given.endswith("held out") else {}
    few = np.random.RandomState(0).rand(500, 784).astype(np.float32)
    estimator(max_iter=1, **settings).fit(few, np.arange(500) % 10)  # what is imported later
    began = mib()
    pixels, y = digits(data or None)
    x = pixels if given == "uint8" else np.divide(pixels, np.float32(255), dtype=np.float32)
    del pixels
    before = mib()
    estimator(max_iter=1, random_state=0, **settings).fit(x, y)
    after = mib()
    print(after - before, after - began, after)


def mib() -> float:
    """The peak of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def told(what: str, figures: tuple[float, float], target: float | None, unit: str = "s") -> None:
    """Keeps a row, and shows it to who waits."""
    ours, theirs = figures
    # A fit that adds nothing measurable adds at most a page or two.
    ratio = theirs / max(ours, 0.1 if unit == "MiB" else 0.0)
    ROWS.append(dict(what=what, unit=unit, ours=ours, theirs=theirs, ratio=ratio, target=target))
    wanted = "" if target is None else f"{target:g}"
    print(f"| {what} | {ours:.3g} {unit} | {theirs:.3g} {unit} | {ratio:.2g} | {wanted} |", file=SHOWN, flush=True)


MEASURES = {"fits": fits, "small": small, "answers": answers, "searches": searches, "imports": imports, "memory": memory}
SHOWN = sys.stdout


def main() -> None:
    """All of them, or some."""
    global SHOWN
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="the folder of MNIST's files")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--json", action="store_true", help="one line of JSON; the table goes to standard error")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.json:
        SHOWN = sys.stderr
    print("| what | mlp_lab | scikit-learn | ratio | wanted |\n|---|---|---|---|---|", file=SHOWN, flush=True)
    for name in options.only:
        MEASURES[name](options)
    if options.json:
        versions = {package.__name__: package.__version__ for package in (mlp_lab, sklearn, np)}
        print(json.dumps({"versions": versions, "rows": ROWS}))


if __name__ == "__main__":
    main()
