#!/usr/bin/env bash
# Breaks each rule of tests/mutations/*.tsv in a copy of the sources, and expects the loom model that is named there to fail.
# A word selects the rules that contain it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/mutations

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$copy"

# Runs a model in the copy. One that hangs in a lost wake has failed as well.
model() {
    (cd "$copy" && RUSTFLAGS='--cfg abreast_loom' timeout 300 cargo test --quiet --release --test loom \
        --target-dir "$target" -- --exact "ready_set_model::$1") &>"$copy/log"
}

survivors=0
while IFS=$'\t' read -r rule file from to model; do
    [[ $rule == '#'* || $rule != *"${1:-}"* ]] && continue
    source=$copy/src/engine/$file
    cp "$source" "$copy/original"
    FROM=$from TO=$to python3 - "$source" <<'PYTHON'
import os, sys

path, rule = sys.argv[1], os.environ
text = open(path).read()
if rule["FROM"] not in text:
    sys.exit(f"{path} does not say: {rule['FROM']}")
open(path, "w").write(text.replace(rule["FROM"], rule["TO"]))
PYTHON
    if model "$model"; then
        echo "SURVIVED: $rule ($model)"
        survivors=$((survivors + 1))
    elif grep -q 'could not compile' "$copy/log"; then
        echo "DOES NOT COMPILE: $rule"
        survivors=$((survivors + 1))
    else
        echo "caught: $rule"
    fi
    cp "$copy/original" "$source"
done <tests/mutations/ready_set.tsv

((survivors == 0))
