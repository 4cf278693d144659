#!/usr/bin/env bash
# statrs 0.19.1, `StudentsT::inverse_cdf`: full double precision for few degrees of freedom (below 1e-12, relatively, at 1
# to 100), but only about half the digits at some larger ones. Seen: at 1988 degrees and p = 0.75 the quantile is off by
# 3.3e-8, at 9999 degrees and p = 0.9 by 1.1e-8, while p = 0.975 at 9999 degrees is right to 1e-11. So a table of quantiles
# from it may be trusted to seven digits in general, and to twelve only where this was checked.
#
# Reference: the regularised incomplete beta function of mpmath 1.3.0 with 40 digits.
# Needs cargo and python3 with pip, and a network; a temporary folder is left clean. Fails if the behaviour changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "quantiles"
version = "0.0.0"
edition = "2021"

[dependencies]
statrs = { version = "=0.19.1", default-features = false }

[workspace]
TOML
cat >"$folder/src/main.rs" <<'RUST'
use statrs::distribution::{ContinuousCDF, StudentsT};

fn main() {
    for degrees in [1.0, 4.0, 9.0, 29.0, 99.0, 1988.0, 9999.0] {
        let student = StudentsT::new(0.0, 1.0, degrees).unwrap();
        for p in [0.75, 0.9, 0.975] {
            println!("{degrees} {p} {:.17e}", student.inverse_cdf(p));
        }
    }
}
RUST
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$folder/python" mpmath==1.3.0
cargo run --quiet --manifest-path "$folder/Cargo.toml" >"$folder/quantiles.txt"
PYTHONPATH="$folder/python" python3 - "$folder/quantiles.txt" <<'PYTHON'
import sys

from mpmath import betainc, findroot, mp, mpf

mp.dps = 40


def probability(t, degrees):
    return 1 - betainc(degrees / 2, mpf(1) / 2, 0, degrees / (degrees + t * t), regularized=True) / 2


errors = {}
for line in open(sys.argv[1]):
    degrees, p, found = line.split()
    exact = findroot(lambda t: probability(t, mpf(degrees)) - mpf(float(p)), mpf(float(found)))
    errors[int(degrees), float(p)] = float(abs(mpf(float(found)) / exact - 1))
    print(f"{degrees:>5} degrees, p = {p}: {found}, off by {errors[int(degrees), float(p)]:.1e}")

assert all(error < 1e-12 for (degrees, _), error in errors.items() if degrees < 100), "few degrees are exact"
assert 1e-8 < errors[1988, 0.75] < 1e-7, "half the digits at 1988 degrees"
assert 5e-9 < errors[9999, 0.9] < 5e-8, "half the digits at 9999 degrees"
assert errors[9999, 0.975] < 1e-11, "and yet most of them at another p"
print("statrs 0.19.1: as described")
PYTHON
