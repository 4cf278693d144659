"""The golden numbers of interval.rs, computed with SciPy's Student distribution:

    python3 interval.py        (NumPy 2, SciPy 1.17)

and, where mpmath is at hand instead, quantiles to more digits than a double has:

    python3 interval.py exact  (mpmath 1.3)
"""

import sys


def exact():
    from mpmath import betainc, mp, mpf

    mp.dps = 40

    def within(t, degrees):
        n = mpf(degrees)
        return 1 - betainc(n / 2, mpf(1) / 2, 0, n / (n + t * t), regularized=True)

    for degrees in (1, 2, 3, 4, 9, 30, 120, 121, 999, 1000, 1988, 2000):
        for share in ("0.5", "0.6", "0.9", "0.95", "0.999", "0.9999"):
            # Of the share that a double holds, which is not quite the decimal one.
            low, high = mpf(0), mpf(10) ** 4
            for _ in range(120):
                middle = (low + high) / 2
                low, high = (middle, high) if within(middle, degrees) < mpf(float(share)) else (low, middle)
            print(f"({degrees}, {share}, {mp.nstr(low, 15)}),")


if sys.argv[1:] == ["exact"]:
    exact()
    sys.exit()

import numpy as np
from scipy import stats

for n in (1, 2, 3, 4, 9, 30, 120):
    print(f"({n}, {stats.t.ppf(0.975, n):.9f}),")
values = [0.97, 0.96, 0.981, 0.9555]
half = stats.t.ppf(0.975, 3) * stats.sem(values)
print(f"interval {np.mean(values):.10f} {half:.10f}")
others = [0.95, 0.955, 0.97, 0.9405]
d = np.subtract(others, values)
print(f"paired {d.mean():.10f} {stats.t.ppf(0.975, 3) * stats.sem(d):.10f}")
