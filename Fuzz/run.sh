#!/usr/bin/env bash
# run.sh [SECONDS [TARGET...]]: builds the fuzz targets and runs each for so many seconds (60), one after the other.
# What they found grows in Fuzz/Corpus; an input that ends a target goes to Fuzz/Findings, and run.sh then fails.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(model json gguf gguf-model text corpus safetensors checkpoint adapter)

# lld, since gold cannot link AddressSanitizer's runtime; -enable-testing, since the readers of pages are internal.
swift build -c release -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing -Xswiftc -use-ld=lld
# The runtime's own report of a crash would wait for a debugger. Swift marks pointers in ways that hide them from the
# leak check.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
failed=0
for target in "${targets[@]}"; do
    mkdir -p "Corpus/$target" "Findings/$target"
    printf '\n== fuzz %s, %s s\n' "$target" "$seconds"
    .build/release/kuoci-fuzz "$target" -max_total_time="$seconds" -print_final_stats=1 -max_len=20000 -timeout=30 \
        -rss_limit_mb=4000 -verbosity=0 -artifact_prefix="Findings/$target/" "Corpus/$target" "Seeds/$target" \
        || { failed=1; echo "fuzz $target: an input in Fuzz/Findings/$target ends it" >&2; }
done
exit "$failed"
