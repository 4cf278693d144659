"""A usual recipe with OpenCV for a picture of a digit: what `cargo xtask bench --pictures` compares itself with.

Grey levels; Otsu's threshold; the way round from the median of the border of one pixel; the box of the ink, scaled into 20 × 20
and placed in 28 × 28 with its centre of mass in the middle. A picture of 28 × 28 goes the same way. Writes each as a PNG of the
same name below the other folder; a picture that OpenCV cannot read, or without ink, has none. Prints one line of JSON.
"""

import argparse
import json
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, help="not used")
parser.add_argument("--pictures", type=Path, required=True, help="a folder of pictures for each kind")
parser.add_argument("--out", type=Path, required=True, help="where the prepared pictures are written")
options = parser.parse_args()

try:
    import cv2
    import numpy as np
except ModuleNotFoundError as error:
    print(json.dumps({"missing": error.name}))
    sys.exit()


def prepared(path):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        return None
    if image.ndim == 3 and image.shape[2] == 4:
        alpha = image[:, :, 3:].astype(np.float32) / 255
        image = (image[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    if np.median(border) > threshold:
        grey = 255 - grey
        threshold = 255 - threshold
    mask = grey > threshold
    ys, xs = np.nonzero(mask)
    if len(ys) == 0:
        return None
    top, bottom, left, right = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
    ink = np.where(mask, grey, 0)[top:bottom, left:right].astype(np.float32)
    ink = ink * (255 / ink.max())
    scale = 20 / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    field = np.zeros((28, 28), np.float32)
    y, x = (28 - size[1]) // 2, (28 - size[0]) // 2
    field[y : y + size[1], x : x + size[0]] = small
    moments = cv2.moments(field)
    shift = np.float32([[1, 0, 14 - moments["m10"] / moments["m00"]], [0, 1, 14 - moments["m01"] / moments["m00"]]])
    return np.clip(cv2.warpAffine(field, shift, (28, 28)), 0, 255).astype(np.uint8)


n_prepared = 0
for path in sorted(options.pictures.glob("*/*.*")):
    image = prepared(path)
    if image is not None:
        target = options.out / path.parent.name / (path.stem + ".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), image)
        n_prepared += 1
print(json.dumps({"version": cv2.__version__, "prepared": n_prepared}))
