"""Fits the weights of the evidence for ways of seeing a picture (`Evidence` in mnist-io/src/prepare/reading.rs).

Reads what `cargo xtask bench --pictures MODEL --readings FILE` writes. Four fifths of what is maximised is how likely a way that is
right is to be chosen among those of its picture, one fifth how likely each way is to be right by itself, which calibrates.
Prints the weights, in the order of the evidence, and the share of pictures whose chosen way is right.
"""

import argparse

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("readings")
parser.add_argument("--penalty", type=float, default=1.0, help="of squared weights")
parser.add_argument("--choice", type=float, default=0.8, help="the share of the choice in what is maximised")
options = parser.parse_args()

rows = [line.strip().split(",") for line in open(options.readings)]
# Where everything is wrong, nothing is to be learned about the choice.
rows = [row for row in rows if row[0] not in ("cut-off", "blank")]
names, picture = np.unique([row[0] + "/" + row[1] for row in rows], return_inverse=True)
right = np.array([float(row[2]) for row in rows])
evidence = np.array([[float(value) for value in row[3:]] for row in rows])
mean, deviation = evidence.mean(0), evidence.std(0) + 1e-9
mean[0], deviation[0] = 0, 1
scaled = (evidence - mean) / deviation
n = len(names)
has_right = np.zeros(n)
np.maximum.at(has_right, picture, right)
weights = np.zeros(scaled.shape[1])
momentum = square = np.zeros_like(weights)
for step in range(1, 4001):
    score = scaled @ weights
    greatest = np.full(n, -np.inf)
    np.maximum.at(greatest, picture, score)
    share = np.exp(score - greatest[picture])
    of_all, of_right = np.bincount(picture, share, n), np.bincount(picture, share * right, n)
    choice = (share * right / np.maximum(of_right, 1e-12)[picture] - share / of_all[picture]) * has_right[picture]
    alone = right - 1 / (1 + np.exp(-score))
    penalty = options.penalty * weights * (np.arange(len(weights)) > 0)
    gradient = (scaled.T @ (options.choice * choice + (1 - options.choice) * alone) - penalty) / n
    momentum, square = 0.9 * momentum + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    weights = weights + 0.02 * momentum / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-9)
unscaled = weights / deviation
unscaled[0] = weights[0] - (weights[1:] * mean[1:] / deviation[1:]).sum()
order = np.lexsort((-(evidence @ unscaled), picture))
chosen = right[order][np.r_[True, np.diff(picture[order]) > 0]]
print(", ".join(f"{weight:.3f}" for weight in unscaled))
print(f"{chosen.mean():.3f} of {n} pictures are right as chosen, {has_right.mean():.3f} in some way")
