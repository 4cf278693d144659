"""A grid of networks in scikit-learn's GridSearchCV: what `cargo xtask bench --full` compares its sweep with.

Two processes, MLPClassifier, one split, no refit: the least that it can be asked for. Prints one line of JSON with the
seconds of the search; importing and reading the data are not counted.
"""

import argparse
import gzip
import json
import os
import sys
import time
import warnings
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, required=True, help="folder with the four files of MNIST")
parser.add_argument("--samples", type=int, default=10000)
parser.add_argument("--test-samples", type=int, default=2000)
parser.add_argument("--hidden", default="256,128", help="units of the hidden layers")
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--trials", type=int, default=16)
options = parser.parse_args()

# One thread in each of the two processes.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["PYTHONWARNINGS"] = "ignore"
warnings.simplefilter("ignore")

try:
    import numpy as np
    import sklearn
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier
except ModuleNotFoundError as error:
    print(json.dumps({"missing": error.name}))
    sys.exit()


def bytes_of(name):
    path = options.data / name
    data = path.read_bytes() if path.exists() else gzip.decompress((options.data / (name + ".gz")).read_bytes())
    return np.frombuffer(data, np.uint8)


n_samples = options.samples + options.test_samples
inputs = bytes_of("train-images-idx3-ubyte")[16:].reshape(-1, 784)[:n_samples].astype(np.float32) / 255
labels = bytes_of("train-labels-idx1-ubyte")[8:][:n_samples]
rows = np.arange(n_samples)
model = MLPClassifier(
    hidden_layer_sizes=[int(size) for size in options.hidden.split(",")],
    activation="logistic",
    solver="adam",
    alpha=0.0,
    batch_size=options.batch,
    max_iter=options.epochs,
    n_iter_no_change=options.epochs + 1,
    tol=0.0,
    random_state=0,
)
search = GridSearchCV(
    model,
    {"learning_rate_init": list(np.geomspace(1e-4, 1e-2, options.trials))},
    cv=[(rows[: options.samples], rows[options.samples :])],
    refit=False,
    n_jobs=2,
)
# The processes are started, and their libraries imported, before the clock is.
warm_up = GridSearchCV(model, {"learning_rate_init": [1e-3] * 4}, cv=[(rows[:200], rows[200:300])], refit=False, n_jobs=2)
warm_up.fit(inputs[:300], labels[:300])
started = time.perf_counter()
search.fit(inputs, labels)
print(json.dumps({"version": sklearn.__version__, "seconds": time.perf_counter() - started}))
