"""This package beside scikit-learn, in turns, in one run.

    python side_by_side.py [--data FOLDER] [--epochs N] [--rounds N] [--only NAME ...]

FOLDER holds MNIST's four files (IDX, plain or gzip); without it, digits are made up. Each figure is a median over the rounds;
in each round one follows the other. A ratio above 1 says how many times faster this package is (for memory: how many times
less).
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

N_THREADS = "2"


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
    """The median seconds of both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, taken in zip((ours, theirs), seconds):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def fit_of(x, y, epochs: int, **settings):
    """A fit of so many epochs by each."""
    from mlp_lab import MLPClassifier
    from sklearn import neural_network

    settings = dict(max_iter=epochs, tol=0, n_iter_no_change=10_000, random_state=0) | settings
    return (lambda: MLPClassifier(**settings).fit(x, y)), (lambda: neural_network.MLPClassifier(**settings).fit(x, y))


def fits(options) -> None:
    pixels, y = digits(options.data)
    x = pixels / np.float32(255)
    for dtype in (np.float64, np.float32):
        given = x.astype(dtype)
        for name, settings in (("(100,), batch 200", {}), ("(512, 256), batch 128", dict(hidden_layer_sizes=(512, 256), batch_size=128))):
            told(f"fit, {name}, {np.dtype(dtype)}, {options.epochs} epochs", in_turns(options.rounds, *fit_of(given, y, options.epochs, **settings)))


def small(options) -> None:
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    told("fit, iris, (10,), 200 epochs", in_turns(5 * options.rounds, *fit_of(x, y, 200, hidden_layer_sizes=(10,))))


def answers(options) -> None:
    pixels, y = digits(options.data)
    x = pixels[:10_000] / 255.0
    ours, theirs = (fit() for fit in fit_of(x, y[:10_000], 1))
    told("predict, 10,000 digits", in_turns(5 * options.rounds, lambda: ours.predict(x), lambda: theirs.predict(x)))
    many = range(200)
    one = x[:1].copy()
    seconds = in_turns(
        options.rounds, lambda: [ours.predict(one) for _ in many], lambda: [theirs.predict(one) for _ in many]
    )
    told("predict, one digit", (seconds[0] / 200, seconds[1] / 200))


def searches(options) -> None:
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
    told("GridSearchCV, 8 candidates, 3 folds, n_jobs=2", in_turns(options.rounds, *(lambda search=search: search.fit(x, y) for search in searches)))


def imports(options) -> None:
    def importing(module: str):
        return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)

    told("import", in_turns(3 * options.rounds, importing("mlp_lab"), importing("sklearn.neural_network")))


def memory(options) -> None:
    """What a fit takes beside the interpreter and its data, in processes of their own."""
    script = "import sys; sys.argv[0:0] = []; from side_by_side import peak; peak(*sys.argv[1:])"
    for given in ("float32", "uint8"):
        taken = []
        for module in ("mlp_lab", "sklearn.neural_network"):
            command = [sys.executable, "-c", script, module, given, options.data or ""]
            done = subprocess.run(command, cwd=Path(__file__).parent, check=True, capture_output=True, text=True)
            taken.append([float(number) for number in done.stdout.split()])
        (ours, ours_whole), (theirs, theirs_whole) = taken
        print(f"| memory of fit beside the data, {given} | {ours:.0f} MiB | {theirs:.0f} MiB | {theirs / max(ours, 1):.1f} |")
        print(f"| peak memory of the process, {given} | {ours_whole:.0f} MiB | {theirs_whole:.0f} MiB | {theirs_whole / ours_whole:.1f} |")


def peak(module: str, given: str, data: str) -> None:
    """Prints the MiB that a fit adds to the peak of this process, and that peak."""
    import importlib

    estimator = importlib.import_module(module).MLPClassifier
    pixels, y = digits(data or None)
    x = pixels if given == "uint8" else np.divide(pixels, np.float32(255), dtype=np.float32)
    settings = dict(dtype="float32") if module == "mlp_lab" else {}
    warnings.simplefilter("ignore")
    estimator(max_iter=1, **settings).fit(np.concatenate([x[:500]]), y[:500])  # what is imported later
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    estimator(max_iter=1, random_state=0, **settings).fit(x, y)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print((after - before) / 1024, after / 1024)


def told(name: str, seconds: tuple[float, float]) -> None:
    ours, theirs = seconds
    print(f"| {name} | {ours:.4g} s | {theirs:.4g} s | {theirs / ours:.1f} |", flush=True)


MEASURES = {"fits": fits, "small": small, "answers": answers, "searches": searches, "imports": imports, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="the folder of MNIST's files")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| what | mlp_lab | scikit-learn | ratio |\n|---|---|---|---|", flush=True)
    for name in options.only:
        MEASURES[name](options)


if __name__ == "__main__":
    # Both take two threads: before NumPy's libraries are loaded in processes that this one starts, and here.
    if os.environ.get("OMP_NUM_THREADS") != N_THREADS:
        threads = {name: N_THREADS for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | threads | {"PYTHONWARNINGS": "ignore"})
    main()
