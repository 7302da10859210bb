#!/usr/bin/env bash
# Compares the public API, with all features, with the list of it in docs/api.txt.
#
#   ci/api.sh          shows the difference, and fails if there is one
#   ci/api.sh write    writes the list anew
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
listed=$(mktemp)
trap 'rm -f "$listed"' EXIT

# A stable compiler writes JSON only when it is told that it may.
RUSTC_BOOTSTRAP=1 RUSTDOCFLAGS='' cargo rustdoc --quiet --lib --all-features --target-dir "$target/api" -- \
    -Z unstable-options --output-format json --cap-lints allow
cargo run --quiet -p abreast-api -- "$target/api/doc/abreast.json" >"$listed"

case ${1:-} in
    write)
        cp "$listed" docs/api.txt
        echo "$(wc -l <docs/api.txt) items"
        ;;
    '')
        if ! diff --unified=0 --label docs/api.txt docs/api.txt --label now "$listed"; then
            echo 'The public API has changed. If it should, run `ci/api.sh write`, and say so in CHANGELOG.md.' >&2
            exit 1
        fi
        echo "$(wc -l <docs/api.txt) items, as listed"
        ;;
    *)
        echo "ci/api.sh: there is no step $1" >&2
        exit 2
        ;;
esac
