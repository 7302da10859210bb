#!/usr/bin/env bash
# Runs tests under valgrind's memcheck, and expects no invalid access and no memory that nothing refers to at the end: tasks,
# wakers and the allocations that they share keep each other alive, and a circle of them would never be freed.
#
# The sanitizers of the compiler are unstable, so they are not run here, but by hand: `ci/sanitizers.sh`. Threads are
# what loom and shuttle explore, and `unsafe` is forbidden.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Memcheck is some fifty times as slow, so these are tests that take a moment, and of random programs there are few.
export PROPTEST_CASES=2 ABREAST_PROGRAMS=2 RUST_BACKTRACE=0
tests=(verbs pool)

# What the standard library and its test runner keep for the whole run is still reachable, or is referred to by the middle.
# Threads take turns: a thread that never waits would otherwise keep the others from running at all.
memcheck=(valgrind --quiet --fair-sched=yes --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=9)
programs=$(cargo test --all-features --no-run --message-format json "${tests[@]/#/--test=}" |
    python3 -c '
import json, sys

for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["profile"]["test"]:
        print(message["executable"])
')
for program in $programs; do
    echo "-- $(basename "$program")"
    timeout 600 "${memcheck[@]}" "$program" --quiet --test-threads 1
done
