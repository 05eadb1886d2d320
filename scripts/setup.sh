#!/usr/bin/env bash
# Everything that a build needs and a fresh Debian machine with Swift lacks: system libraries and libtorch.
# Run again, it finds everything there and is done in a fraction of a second.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

check_swift() {
    command -v swift >/dev/null || die "no swift in PATH: install Swift 6.1 or newer first"
}

# The Debian packages that are missing, one a line. pkg-config answers in milliseconds, dpkg does not.
missing_packages() {
    if ! command -v pkg-config >/dev/null; then echo pkg-config; fi
    local pair
    for pair in icu-uc=libicu-dev zlib=zlib1g-dev libzstd=libzstd-dev libxml-2.0=libxml2-dev libcrypto=libssl-dev; do
        pkg-config --exists "${pair%%=*}" 2>/dev/null || echo "${pair#*=}"
    done
    compgen -G '/usr/include/c++/*/vector' >/dev/null || echo g++
}

install_system_packages() {
    local packages
    packages=$(missing_packages | tr '\n' ' ')
    packages=${packages% }
    if [ -z "$packages" ]; then return; fi
    local run
    if [ "$(id -u)" = 0 ]; then
        run=env
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        run=sudo
    else
        shout "system packages are missing, and this user may not install them. Run, then make again:" \
            "sudo apt-get update && sudo apt-get install -y $packages"
        exit 1
    fi
    command -v apt-get >/dev/null || die "missing: $packages (Debian's names); install them by your system's means"
    say "installing $packages"
    # Package lists may be old or absent on a new machine: refresh them only when the first try fails.
    # shellcheck disable=SC2086
    $run apt-get install -y --no-install-recommends $packages >&2 \
        || { $run apt-get update >&2 && $run apt-get install -y --no-install-recommends $packages >&2; }
    packages=$(missing_packages | tr '\n' ' ')
    [ -z "$packages" ] || die "still missing after the installation: $packages"
}

# Training on several machines needs MPI; all else goes without it.
install_mpi() {
    if [ -n "$(scripts/mpi-path.sh)" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
    say "installing MPI, for pretraining by several processes"
    apt-get install -y --no-install-recommends libopenmpi-dev openmpi-bin >&2 \
        || say "there is no MPI: pretraining is by one process alone (Debian: libopenmpi-dev, openmpi-bin)"
}

check_swift
install_system_packages
install_mpi
scripts/fetch-libtorch.sh
