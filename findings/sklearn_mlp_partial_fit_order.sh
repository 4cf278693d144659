#!/usr/bin/env bash
# scikit-learn 1.9.1, `MLPClassifier(random_state=7).partial_fit(X, y)`, called once for each epoch as its documentation
# suggests for data that come in parts: from the second call on every call shuffles the samples into the same order, because
# each begins its random numbers anew from the integer. `fit` with max_iter = 3 has another order in each of its epochs.
# Whoever trains epoch by epoch with partial_fit and a fixed seed therefore sees the same batches again and again. Seen: with 12
# samples, the orders of calls 2, 3 and 4 are equal; with a RandomState object instead of the integer all four differ.
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

orders = []
shuffle = perceptron.shuffle


def watched(indices, random_state=None):
    order = shuffle(indices, random_state=random_state)
    orders.append(tuple(int(index) for index in order))
    return order


perceptron.shuffle = watched
inputs = np.random.default_rng(0).normal(size=(12, 3))
labels = np.tile([0, 1, 2], 4)


def orders_of(train):
    orders.clear()
    train()
    return list(orders)


def parts(random_state):
    classifier = MLPClassifier((4,), random_state=random_state, batch_size=4)
    for _ in range(4):
        classifier.partial_fit(inputs, labels, classes=[0, 1, 2])


by_integer = orders_of(lambda: parts(7))
by_object = orders_of(lambda: parts(np.random.RandomState(7)))
by_fit = orders_of(lambda: MLPClassifier((4,), random_state=7, batch_size=4, max_iter=4).fit(inputs, labels))
print("partial_fit, random_state=7:", *by_integer, sep="\n  ")
assert by_integer[1] == by_integer[2] == by_integer[3] != by_integer[0], "calls 2, 3 and 4 have one order"
assert len(set(by_object)) == 4, "a RandomState goes on"
assert len(set(by_fit)) == 4, "the epochs of fit differ"
print("scikit-learn 1.9.1: as described")
PYTHON
