"""Writes opencv_blur.json: Gaussian blur by OpenCV, for the test `blur_is_opencvs`.

    python3 opencv_blur.py > opencv_blur.json

Each case is an input (of a fixed linear congruential generator, blocky enough to have edges and flat parts), sigma and
kernel size (0: from sigma), and the output of cv2.GaussianBlur with BORDER_REFLECT_101 on 8 bits.
"""

import json

import cv2
import numpy as np


def picture(height, width, state):
    values = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            noise = state >> 56
            values[y, x] = noise if (x // 5 + y // 4) % 2 else (255 if noise > 250 else 0)
    return values


cases = []
for height, width in [(28, 28), (5, 9), (1, 7)]:
    for sigma, size in [(0.3, 0), (0.5, 0), (0.75, 0), (1, 0), (1.5, 0), (2, 0), (3, 0), (4, 0), (6, 0), (12, 0),
                        (40, 0), (1, 5), (2, 3), (0, 1), (0, 3), (0, 5), (0, 7), (0, 9), (0, 11), (0, 31), (9, 27)]:
        if height != 28 and (sigma, size) not in [(0.5, 0), (2, 0), (6, 0), (40, 0), (0, 7)]:
            continue
        values = picture(height, width, int(1000 * sigma) + size + height)
        blurred = cv2.GaussianBlur(values, (size, size), sigma, sigmaY=sigma, borderType=cv2.BORDER_REFLECT_101)
        cases.append({"sigma": sigma, "kernel_size": size, "height": height, "width": width,
                      "input": values.tobytes().hex(), "output": blurred.tobytes().hex()})
print(json.dumps({"opencv": cv2.__version__, "cases": cases}, indent=0))
