"""How hard are the digits of a folder of IDX files? A linear model against a net with one hidden layer.

    python3 difficulty.py FOLDER

The files are those that `cargo run --release -p mnist-io --example write_digits -- FOLDER` writes, or MNIST's, of which
the first 10,000 of either part are taken; scikit-learn is needed.
"""

import gzip
import sys
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")


def load(part):
    with gzip.open(f"{sys.argv[1]}/{part}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / np.float32(255)
    with gzip.open(f"{sys.argv[1]}/{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images[:10000], labels[:10000]


train_images, train_labels = load("train")
test_images, test_labels = load("t10k")
linear = LogisticRegression(C=0.1, max_iter=200).fit(train_images, train_labels)
net = MLPClassifier((128,), random_state=0, max_iter=40).fit(train_images, train_labels)
print(f"{len(train_images)} training and {len(test_images)} test digits")
print(f"logistic regression    {linear.score(test_images, test_labels):.4f}")
print(f"128 hidden units       {net.score(test_images, test_labels):.4f}")
