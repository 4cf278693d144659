"""The types are those that are written."""

import shutil
import subprocess
import sys
from pathlib import Path

import mlp_lab
import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(shutil.which("mypy", path=Path(sys.executable).parent) is None, reason="mypy is not installed")
def test_mypy_finds_nothing():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("mypy", path=Path(sys.executable).parent) is None, reason="mypy is not installed")
def test_the_stub_is_that_of_the_compiled_module():
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "mlp_lab._native"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_package_says_that_it_is_typed():
    assert (Path(mlp_lab.__file__).parent / "py.typed").exists()
