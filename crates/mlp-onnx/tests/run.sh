#!/usr/bin/env bash
# Five nets of different kinds, trained on MNIST for an epoch, exported, and run over all test images by onnxruntime, beside
# what this project computes; files that onnx.checker does not like, outputs that differ and answers that differ fail.
#
#   crates/mlp-onnx/tests/run.sh [DATA]            DATA is a folder with MNIST; datasets/mnist without it
#   crates/mlp-onnx/tests/run.sh DATA --tract      by tract as well, which is compiled for it: minutes
#   crates/mlp-onnx/tests/run.sh DATA --ort        through the crate ort as well, with the library of Python's onnxruntime
#
# Python gets a virtual environment of its own in a temporary folder, which is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/../../.."

data=$(realpath "${1:-datasets/mnist}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
target=${CARGO_TARGET_DIR:-$PWD/target}

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy onnx onnxruntime &
pip=$!

# As `cargo test` builds them, so that nothing is compiled twice.
cargo build --quiet --workspace --bin xtask --example outputs

net() {
    local name=$1
    shift
    local settings=()
    for setting in epochs=1 "$@"; do settings+=(--set "$setting"); done
    "$target/debug/xtask" train --quiet --data "$data" "${settings[@]}" --out "$folder/$name" >/dev/null
    "$target/debug/xtask" export "$folder/$name" --onnx "$folder/nets/$name.onnx" --classes >/dev/null
    "$target/debug/xtask" export "$folder/$name" --onnx "$folder/nets/$name-pixels.onnx" --input pixels --classes >/dev/null
    "$target/debug/examples/outputs" "$folder/$name"/models/*.safetensors "$data" "$folder/nets/$name" >/dev/null
}

mkdir "$folder/nets"
net sigmoid
net softmax hidden=[128] activation=relu encoding=one-hot output_activation=softmax loss=softmax-cross-entropy
net nearest hidden=[64] activation=tanh bias=false decoding=nearest
net double hidden=[64] activation=relu precision=f64
net linear hidden=[] encoding=binary output_activation=identity loss=squared learning_rate=0.001

wait "$pip"
"$folder/venv/bin/python" crates/mlp-onnx/tests/check_onnxruntime.py "$folder/nets" sigmoid softmax nearest double linear

# Neither is part of the project's workspace.
case "${2:-}" in
--tract)
    # Its sigmoid refuses double precision (seen in 0.23.9), so that net is left out.
    CARGO_TARGET_DIR="$target/tract" cargo run --quiet --manifest-path crates/mlp-onnx/tests/tract/Cargo.toml -- "$folder/nets" \
        sigmoid{,-pixels} softmax{,-pixels} nearest{,-pixels} linear{,-pixels}
    ;;
--ort)
    CARGO_TARGET_DIR="$target/ort" cargo run --quiet --manifest-path crates/mlp-onnx/tests/ort/Cargo.toml -- \
        "$folder"/venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.* "$folder/nets" \
        {sigmoid,softmax,nearest,double,linear}{,-pixels}
    ;;
esac
