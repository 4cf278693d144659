#!/usr/bin/env bash
# The Python package as a user gets it: built and installed by pip into a new environment, then its tests.
set -euo pipefail
package=$(cd "$(dirname "$0")/.." && pwd)

environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python3 -m venv "$environment"
pip() { "$environment/bin/python" -m pip --quiet --disable-pip-version-check --no-input "$@"; }

# The compiled crates of the project's own builds are used again.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$package/../../target}"
pip install "$package[test]"

# Not beside the sources: what is tested is what was installed.
cd "$environment"
"$environment/bin/python" -m pytest --quiet -p no:cacheprovider -c "$package/pyproject.toml" "$package/tests" "$@"
