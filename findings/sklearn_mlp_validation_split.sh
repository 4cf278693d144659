#!/usr/bin/env bash
# scikit-learn 1.9.1, `MLPClassifier(early_stopping=True)`: the validation samples are drawn class by class (stratified) for two
# classes, and for three or more they are not, although no sample has more than one label: the number of outputs, by which
# several labels a sample are told, is also the number of classes. Seen, with 200 samples and validation_fraction = 0.1: of two
# classes of 190 and 10, each of 20 seeds validates with one sample of the rare one; of three classes of 190, 5 and 5, most
# seeds validate without one of the rare ones, and early stopping is then blind to it.
#
# Needs python3 with pip, and a network; a temporary folder is left clean. Fails if the behaviour changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$folder" \
    scikit-learn==1.9.1 numpy==2.4.6
PYTHONPATH="$folder" python3 -W ignore - <<'PYTHON'
import numpy as np
import sklearn.neural_network._multilayer_perceptron as perceptron
from sklearn.neural_network import MLPClassifier

splits = []
split = perceptron.train_test_split


def watched(*arrays, **options):
    parts = split(*arrays, **options)
    splits.append(np.asarray(parts[3]))
    return parts


perceptron.train_test_split = watched


def rare_in_validation(sizes):
    """How many validation samples each seed has of the rarest class."""
    splits.clear()
    labels = np.repeat(np.arange(len(sizes)), sizes)
    inputs = np.random.default_rng(0).normal(size=(len(labels), 4)) + labels[:, None]
    for seed in range(20):
        MLPClassifier((4,), early_stopping=True, max_iter=2, random_state=seed).fit(inputs, labels)
    # The targets of two classes are one column, those of more a column each.
    return [int(part.sum(axis=0)[1:].min()) if part.shape[1] > 1 else int(part.sum()) for part in splits]


two, three = rare_in_validation([190, 10]), rare_in_validation([190, 5, 5])
print("two classes, 190 and 10: of the rare one,", two)
print("three classes, 190, 5 and 5: of the rarer one,", three)
assert two == [1] * 20, "two classes are stratified"
assert three.count(0) >= 10, "three classes are not"
print("scikit-learn 1.9.1: as described")
PYTHON
