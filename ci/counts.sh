#!/usr/bin/env bash
# Counts instructions, polls and allocations of the programs in benches/counts, and compares them with benches/counts.tsv.
# Words are passed on: see the head of benches/counts/src/main.rs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v valgrind >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends valgrind
fi
cargo run --quiet --profile single-unit -p abreast-counts -- "$@"
