#!/usr/bin/env bash
# Prints the directory of libtorch that builds use: LIBTORCH if given, else .deps/libtorch; nothing if there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=${LIBTORCH:-$PWD/.deps/libtorch}
if [ -f "$directory/include/torch/csrc/api/include/torch/torch.h" ]; then
    (cd "$directory" && pwd)
fi
