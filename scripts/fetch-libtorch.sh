#!/usr/bin/env bash
# libtorch: the `lib` and `include` of a torch wheel, into .deps/libtorch. LIBTORCH=path takes one that is there.
# KUOCI_TORCH_INDEX names the wheel index to ask when pip's own does not have the CPU build.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

version=2.13.0
wheels=.deps/wheels

# Joined by &&: `set -e` does not hold in what is called before ||.
unpack() {
    rm -rf .deps/libtorch.part \
        && extract "$1" torch/lib/ .deps/libtorch.part \
        && extract "$1" torch/include/ .deps/libtorch.part \
        && rm -rf .deps/libtorch \
        && mv .deps/libtorch.part/torch .deps/libtorch \
        && rmdir .deps/libtorch.part
}

# download LABEL ARGUMENT...: tries to fetch one CPU wheel and unpack it.
download() {
    local label=$1 wheel
    shift
    say "torch $version from $label"
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$wheels" "$@" >&2 || return 1
    wheel=$(find "$wheels" -name "torch-$version*.whl" | sort | head -n 1)
    [ -n "$wheel" ] && unpack "$wheel"
}

# Plain torch needs its dependencies beside it: its libraries look for them by paths relative to their own.
install_with_dependencies() {
    say "torch $version with its dependencies (this is a large download)"
    rm -rf .deps/torch-full
    "$python" -m pip install --quiet --target .deps/torch-full "torch==$version" >&2 || return 1
    ln -sfn torch-full/torch .deps/libtorch
}

lost() {
    shout "$1" \
        "Building without libtorch: corpus, train, encode, decode, merge, measure and resize work;" \
        "pretrain, evaluate and export do not exist. To have them, give a libtorch $version (2.10 or newer):" \
        "    make LIBTORCH=/path/to/libtorch            (the directory that holds lib and include)" \
        "    make KUOCI_TORCH_INDEX=<PyTorch's CPU wheel index>"
}

found=$(scripts/libtorch-path.sh)
if [ -n "${LIBTORCH:-}" ] && [ -z "$found" ]; then
    die "LIBTORCH=$LIBTORCH holds no include/torch/csrc/api/include/torch/torch.h: name the directory with lib and include"
fi
if [ -n "$found" ]; then exit 0; fi

if ! python=$(python_with_pip); then
    lost "no libtorch: there is no python3 with pip to fetch it."
    exit 0
fi
mkdir -p "$wheels"
download "pip's index" "torch==$version+cpu" \
    || { [ -n "${KUOCI_TORCH_INDEX:-}" ] \
        && download "KUOCI_TORCH_INDEX" --index-url "$KUOCI_TORCH_INDEX" "torch==$version+cpu"; } \
    || install_with_dependencies \
    || { lost "no libtorch: pip could not fetch torch $version."; exit 0; }
found=$(scripts/libtorch-path.sh)
[ -n "$found" ] || die ".deps/libtorch was unpacked but holds no torch.h: remove it and run make setup again"
say "libtorch $version is at .deps/libtorch"
