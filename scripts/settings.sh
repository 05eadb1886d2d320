#!/usr/bin/env bash
# settings.sh FILE TEXT: makes FILE hold TEXT, and leaves its time as it is if it does already.
set -euo pipefail
if [ "$(cat "$1" 2>/dev/null)" = "$2" ]; then exit 0; fi
mkdir -p "$(dirname "$1")"
printf '%s\n' "$2" >"$1"
