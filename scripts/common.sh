# Shared by the scripts beside it: source it from the repository's root.
# shellcheck shell=bash

say() { printf 'kuoci setup: %s\n' "$*" >&2; }

# A warning that nobody overlooks: one line per argument, framed.
shout() {
    printf '\n' >&2
    printf '  !! %s\n' "$@" >&2
    printf '\n' >&2
}

die() {
    say "$*"
    exit 1
}

# A Python 3 that has pip, or nothing. Python fetches and unpacks wheels; Kuoci itself never runs it.
python_with_pip() {
    local candidate
    for candidate in python3 python; do
        if command -v "$candidate" >/dev/null && "$candidate" -m pip --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# extract WHEEL PREFIX DIRECTORY: the wheel's members below PREFIX, into DIRECTORY.
extract() {
    "$(python_with_pip)" -c '
import sys, zipfile
wheel, prefix, directory = sys.argv[1:]
archive = zipfile.ZipFile(wheel)
members = [name for name in archive.namelist() if name.startswith(prefix)]
if not members:
    sys.exit(f"{wheel}: holds nothing below {prefix}")
archive.extractall(directory, members)
' "$1" "$2" "$3"
}
