"""Prints which of some numbers `Dropout::masks` leaves out, from the definition in its documentation.

Run as `python3 dropout.py`. With `--statistics`, and NumPy installed, it shows how far the masks are from independent draws.
"""

import sys

MASK32, MASK64 = 2**32 - 1, 2**64 - 1


def splitmix(seed, n):
    z = (seed + (n + 1) * 0x9E3779B97F4A7C15) & MASK64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK64
    return z ^ z >> 31


def lowbias(unit, key):
    x = (key + unit * 0x9E3779B9) & MASK32
    x = (x ^ x >> 16) * 0x7FEB352D & MASK32
    x = (x ^ x >> 15 ^ key >> 32) * 0x846CA68B & MASK32
    return x ^ x >> 16


def word(key, layer, row, unit):
    return lowbias(unit, splitmix(splitmix(key, layer), row))


def left_out(key, layer, row, rate, n_units):
    return [unit for unit in range(n_units) if word(key, layer, row, unit) < round(rate * 2**32)]


def statistics():
    import numpy as np

    def masks(key, layer, n_rows, n_units, rate):
        units = np.arange(n_units, dtype=np.uint32)
        rows = []
        for row in range(n_rows):
            r = splitmix(splitmix(key, layer), row)
            x = units * np.uint32(0x9E3779B9) + np.uint32(r & MASK32)
            x = (x ^ x >> np.uint32(16)) * np.uint32(0x7FEB352D)
            x = (x ^ x >> np.uint32(15) ^ np.uint32(r >> 32)) * np.uint32(0x846CA68B)
            rows.append((x ^ x >> np.uint32(16)) < np.uint32(round(rate * 2**32)))
        return np.array(rows)

    for rate in (0.2, 0.5):
        out = np.concatenate([masks(key, 1, 128, 1024, rate) for key in range(200)]).astype(float)
        n, deviation = out.shape[0], np.sqrt(rate * (1 - rate))
        z = (out - rate) / deviation
        print(f"rate {rate}: mean {out.mean():.6f}, standard errors off: {z.sum() / np.sqrt(z.size):.2f}")
        # Of independent draws, each of these variances is 1.
        print(f"  counts of rows {z.sum(1).var() / 1024:.4f}, of units {z.sum(0).var() / n:.4f}")
        correlation = z.T @ z / np.sqrt(n)
        pairs = correlation[np.triu_indices(1024, 1)]
        print(f"  pairs of units {pairs.var():.4f}, largest {np.abs(pairs).max():.2f} standard errors of {pairs.size}")
        for distance in (1, 2, 16, 128):
            rows = (z[:-distance] * z[distance:]).sum(1) / 32
            print(f"  rows {distance} apart {rows.var():.4f}, largest {np.abs(rows).max():.2f} of {rows.size}")


def examples():
    for key, layer, row, rate in ((7, 0, 0, 0.2), (7, 1, 0, 0.5), (7, 1, 1, 0.5), (8, 1, 0, 0.5), (2**64 - 1, 3, 99, 0.1)):
        print(f"key {key}, layer {layer}, row {row}, rate {rate}:", left_out(key, layer, row, rate, 40))


if __name__ == "__main__":
    statistics() if sys.argv[1:] == ["--statistics"] else examples()
