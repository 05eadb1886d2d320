#!/usr/bin/env bash
# Prints the directory of MPI that builds use, MPI_HOME if given, else where Debian has one; nothing if there is none.
set -euo pipefail
for directory in "${MPI_HOME:-}" /usr/lib/*-linux-gnu/openmpi /usr/lib/*-linux-gnu/mpich; do
    if [ -f "$directory/include/mpi.h" ] && [ -e "$directory/lib/libmpi.so" ]; then
        (cd "$directory" && pwd)
        exit
    fi
done
