#!/usr/bin/env bash
# Runs tests under the sanitizers of the compiler. They are unstable, so this is run by hand, and not by `.ci/run`.
# ThreadSanitizer has to be built into the standard library: exits with 75 if the toolchain does not have its source.
#
#   ci/sanitizers.sh                      both of these
#   ci/sanitizers.sh address [FILTER ..]  invalid accesses, and memory that nothing refers to at the end
#   ci/sanitizers.sh thread [FILTER ..]   data races
#
# Only tests whose names contain a FILTER are run, as in `ci/sanitizers.sh thread threads race`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

host=$(rustc -vV | sed -n 's/^host: //p')

# This has a stable compiler take unstable flags. What they build is kept apart from the rest.
export RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=${CARGO_PROFILE_DEV_DEBUG:-line-tables-only}
target=${CARGO_TARGET_DIR:-target}

address() {
    RUSTFLAGS=-Zsanitizer=address ASAN_OPTIONS=detect_leaks=1 cargo test --target "$host" --target-dir "$target/asan" \
        --all-features --test verbs --test pool -- "$@"
}

# Threads synchronize by the standard library, so that is built with the sanitizer, too.
thread() {
    if [[ ! -e $(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock ]]; then
        echo 'the toolchain has no source of the standard library: rustup component add rust-src' >&2
        exit 75
    fi
    RUSTFLAGS=-Zsanitizer=thread cargo test -Zbuild-std --target "$host" --target-dir "$target/tsan" \
        --test hammer --test pool -- "$@"
}

case ${1-} in
'')
    address
    thread
    ;;
address | thread) "$@" ;;
*)
    sed -n '2,/^set/s/^# \?//p' "$0" >&2
    exit 2
    ;;
esac
