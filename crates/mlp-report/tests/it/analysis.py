"""The golden numbers of analysis.rs, computed with NumPy's pseudo-inverse and SciPy's Student distribution:

    python3 analysis.py        (NumPy 2, SciPy 1.17)
"""

import itertools

import numpy as np
from scipy import stats

SIZES = (3, 2, 3)


def score(a, b, c, seed):
    return 0.5 + (a * 37 + b * 53 + c * 29 + seed * 17 + a * b * 11 + b * c * 7 + a * seed * 5) % 100 / 250


def trials():
    every = itertools.product(range(3), range(2), range(3), range(4))
    return [(a, b, c, s) for a, b, c, s in every if (a * 5 + b * 3 + c * 7 + s * 2) % 4 and (a + 2 * b + c) % 5]


def means(chosen):
    cells = {}
    for a, b, c, s in chosen:
        cells.setdefault((a, b, c), []).append(score(a, b, c, s))
    return {cell: np.mean(scores) for cell, scores in cells.items()}


def columns(cell):
    row = np.zeros(1 + sum(SIZES))
    row[0] = 1
    for key, level in enumerate(cell):
        row[1 + sum(SIZES[:key]) + level] = 1
    return row


def degrees(key, level):
    """Of as many seeds as count alike (Kish), less one; none where a configuration has one seed alone."""
    seeds = {}
    for a, b, c, s in all_trials:
        if (a, b, c)[key] == level:
            seeds.setdefault((a, b, c), []).append(s)
    shares = np.zeros(4)
    for own in seeds.values():
        if len(own) < 2:
            return None
        shares[own] += 1 / (len(seeds) * len(own))
    return int(1 / np.sum(shares**2) + 1e-6) - 1


def adjusted(chosen, key, level):
    cells = means(chosen)
    unknowns = np.linalg.pinv(np.array([columns(c) for c in cells])) @ np.array(list(cells.values()))
    weights = np.concatenate([[1.0]] + [np.full(size, 1 / size) for size in SIZES])
    start = 1 + sum(SIZES[:key])
    weights[start : start + SIZES[key]] = np.arange(SIZES[key]) == level
    return weights @ unknowns


all_trials = trials()
cells = means(all_trials)
print(len(all_trials), "trials,", len(cells), "configurations")
for key, size in enumerate(SIZES):
    for level in range(size):
        theta = adjusted(all_trials, key, level)
        pseudo = [4 * theta - 3 * adjusted([t for t in all_trials if t[3] != s], key, level) for s in range(4)]
        free = degrees(key, level)
        half = stats.t.ppf(0.975, free) * np.std(pseudo, ddof=1) / 2 if free else float("nan")
        plain = np.mean([mean for cell, mean in cells.items() if cell[key] == level])
        print(f"({key}, {level}, {theta:.10f}, {half:.10f}, {plain:.10f}),")
design = np.array([columns(c) for c in cells])
y = np.array(list(cells.values()))
left = y - design @ (np.linalg.pinv(design) @ y)
print(f"explained {1 - left @ left / np.sum((y - y.mean()) ** 2):.10f}")
