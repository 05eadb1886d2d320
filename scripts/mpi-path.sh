#!/usr/bin/env bash
# Prints the directory of MPI that builds use, MPI_HOME if given, else where Debian has one; nothing if there is none.
# An MPI_HOME without MPI is printed as it is: builds then have none.
set -euo pipefail
for directory in "${MPI_HOME:-}" /usr/lib/*-linux-gnu/openmpi /usr/lib/*-linux-gnu/mpich; do
    if [ -f "$directory/include/mpi.h" ] && [ -e "$directory/lib/libmpi.so" ]; then
        (cd "$directory" && pwd)
        exit
    fi
    if [ -n "${MPI_HOME:-}" ]; then
        echo "MPI_HOME=$MPI_HOME has no include/mpi.h and lib/libmpi.so: building without MPI" >&2
        printf '%s\n' "$MPI_HOME"
        exit
    fi
done
