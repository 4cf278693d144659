#!/usr/bin/env bash
# scikit-learn 1.9.1, `MLPClassifier(warm_start=True)`: a `hidden_layer_sizes` that is changed between two calls of `fit` is passed
# over without a word where the number of layers stays. The network keeps the units of the first call, while `get_params()` tells
# the new ones, so a search over sizes with warm starts compares a network with itself. Where the number of layers grows, `fit`
# ends with "AttributeError: 'NoneType' object has no attribute 'dtype'". Seen: after set_params(hidden_layer_sizes=(9,)) and
# another fit the shapes of coefs_ are still those of (4,).
#
# Needs python3 with pip, and a network; a temporary folder is left clean. Fails if the behaviour changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$folder" \
    scikit-learn==1.9.1 numpy==2.4.6
PYTHONPATH="$folder" python3 -W ignore - <<'PYTHON'
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")
inputs = np.random.default_rng(0).normal(size=(60, 3))
labels = (inputs[:, 0] > 0).astype(int)
classifier = MLPClassifier((4,), max_iter=5, random_state=0, warm_start=True).fit(inputs, labels)
before = [weights.shape for weights in classifier.coefs_]
classifier.set_params(hidden_layer_sizes=(9,)).fit(inputs, labels)
after = [weights.shape for weights in classifier.coefs_]
print("asked for:", classifier.get_params()["hidden_layer_sizes"], "trained:", before, "and then", after)
assert classifier.get_params()["hidden_layer_sizes"] == (9,)
assert before == after == [(3, 4), (4, 1)], "the units of the first call"
try:
    classifier.set_params(hidden_layer_sizes=(9, 7)).fit(inputs, labels)
    raise SystemExit("another layer was taken")
except AttributeError as error:
    print("with another layer:", error)
print("scikit-learn 1.9.1: as described")
PYTHON
