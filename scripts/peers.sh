#!/usr/bin/env bash
# The peers of Tests/Conformance/requirements.txt, in the virtual environment .deps/venv.
# Run again with the same requirements, it does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

requirements=Tests/Conformance/requirements.txt
installed=.deps/venv/installed-requirements.txt

if cmp -s "$requirements" "$installed"; then exit 0; fi
python=$(python_with_pip) || die "make conformance and make bench need python3 with pip"
if [ ! -x .deps/venv/bin/python ]; then
    say "a virtual environment for the peers, .deps/venv"
    "$python" -m venv .deps/venv >&2 || die "python3 -m venv failed; on Debian: apt-get install -y python3-venv"
fi
say "the peers of $requirements"
# The CPU build of torch first, if the index has it: the plain one brings gigabytes of CUDA along.
torch=$(sed -n 's/^torch==//p' "$requirements")
mkdir -p .deps/wheels
pip() { .deps/venv/bin/python -m pip --quiet --disable-pip-version-check "$@" >&2; }
pip install --find-links .deps/wheels "torch==$torch+cpu" 2>/dev/null \
    || { [ -n "${KUOCI_TORCH_INDEX:-}" ] && pip install --index-url "$KUOCI_TORCH_INDEX" "torch==$torch+cpu"; } \
    || say "no CPU build of torch $torch: taking the plain one, a large download"
pip install --requirement "$requirements" || die "pip could not install the peers"
cp "$requirements" "$installed"
