#!/usr/bin/env bash
# Breaks each rule of tests/mutations/*.tsv in a copy of the sources, and expects the loom model that is named there to fail.
# Words that are given select the rules that contain all of them; the name of a list, such as `oneshot`, is such a word.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/mutations

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$copy"

# Runs a model in the copy. One that hangs in a lost wake has failed as well. Most of the time is spent building.
model() {
    (cd "$copy" && RUSTFLAGS='--cfg abreast_loom' CARGO_INCREMENTAL=1 timeout 300 cargo test --quiet --release --test loom \
        --config profile.release.package.abreast.opt-level=0 --target-dir "$target" -- --exact "$1") &>"$copy/log"
}

# Whether all words are in the name of the list or in the rule.
is_selected() {
    local text=$1 word
    shift
    for word in "$@"; do
        [[ $text == *"$word"* ]] || return 1
    done
}

survivors=0
for list in tests/mutations/*.tsv; do
    name=$(basename "$list" .tsv)
    # Each list is of one folder.
    case $name in
        ready_set) folder=src/engine ;;
        task_group) folder=src/task_group ;;
        oneshot) folder=src/sync ;;
        pool | priorities) folder=src/pool/state ;;
        limit | rate) folder=src/$name ;;
        consumer) folder=src/run ;;
        *)
            echo "ci/mutations.sh does not know which folder $list is of"
            exit 1
            ;;
    esac
    while IFS=$'\t' read -r rule file from to model; do
        [[ $rule != '#'* ]] && is_selected "$name $rule" "$@" || continue
        source=$copy/$folder/$file
        cp "$source" "$copy/original"
        FROM=$from TO=$to python3 - "$source" <<'PYTHON'
import os, sys

path = sys.argv[1]
# A tab or an end of line cannot be in a column.
before, after = (os.environ[name].replace("\\n", "\n") for name in ("FROM", "TO"))
text = open(path).read()
if before not in text:
    sys.exit(f"{path} does not say: {before}")
open(path, "w").write(text.replace(before, after))
PYTHON
        if model "${name}_model::$model"; then
            echo "SURVIVED: $rule ($model)"
            survivors=$((survivors + 1))
        elif grep -q 'could not compile' "$copy/log"; then
            echo "DOES NOT COMPILE: $rule"
            survivors=$((survivors + 1))
        else
            echo "caught: $rule"
        fi
        cp "$copy/original" "$source"
    done <"$list"
done

((survivors == 0))
