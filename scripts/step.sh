#!/usr/bin/env bash
# step.sh OUT NAME [--to FILE] COMMAND...: runs one step of the main job and keeps its seconds in OUT/times.tsv.
# --to FILE: the command's standard output goes there, whole or not at all.
set -euo pipefail
out=$1 name=$2
shift 2
target=
if [ "$1" = --to ]; then
    target=$2
    shift 2
fi

printf '\n== %s\n%s\n' "$name" "$*" >&2
start=$(date +%s.%N)
if [ -n "$target" ]; then
    mkdir -p "$(dirname "$target")"
    "$@" >"$target.part" || { rm -f "$target.part"; exit 1; }
    mv "$target.part" "$target"
else
    "$@"
fi
seconds=$(awk -v start="$start" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f", end - start }')

# A step that ran again moves to the end, with its new time.
mkdir -p "$out"
times=$out/times.tsv
{ grep -v "^$name	" "$times" 2>/dev/null || true; printf '%s\t%s\n' "$name" "$seconds"; } >"$times.part"
mv "$times.part" "$times"
