#!/usr/bin/env bash
# Changes the code in small ways, one at a time, and lists the changes that no test has noticed. What is changed, which tests
# have to notice, and what is left out is in .cargo/mutants.toml.
#
#   ci/mutants.sh                        what has changed since the merge base with origin/main, or the parent commit
#   ci/mutants.sh src/engine src/run     all of these folders
#
# ABREAST_MUTANTS_SECONDS   when to stop, and say what was not reached; never if it is not set
#
# Ends with 2 if a change was not noticed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Thousands of builds of one crate: what is rebuilt counts, and nobody looks at a backtrace.
export CARGO_INCREMENTAL=1 CARGO_PROFILE_DEV_DEBUG=0 RUST_BACKTRACE=0
# A few random programs notice nearly all that many do.
export PROPTEST_CASES=${PROPTEST_CASES:-32} ABREAST_PROGRAMS=${ABREAST_PROGRAMS:-150}

# Where a small change can lose a wake or a result.
parts=(src/{engine,operation/future,pool,race,run,sync,task_group,time})

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
selected=()
if (($#)); then
    parts=("$@")
else
    base=$(git merge-base HEAD origin/main 2>/dev/null || true)
    # On the main branch itself, the last commit is what has changed.
    if [[ -z $base || $base == $(git rev-parse HEAD) ]]; then
        base=$(git rev-parse --quiet --verify HEAD^ || true)
    fi
    if [[ -z $base ]]; then
        echo 'there is no commit to compare with, so nothing is known to have changed'
        exit 0
    fi
    git diff --unified=0 "$base" -- src >"$scratch/diff"
    if [[ ! -s $scratch/diff ]]; then
        echo "src is as it was in $base"
        exit 0
    fi
    selected+=(--in-diff "$scratch/diff")
fi
for part in "${parts[@]}"; do
    selected+=(--file "${part%/}/**")
done

folder=$(ci/install.sh cargo-mutants 27.0.0)
run=(cargo mutants --package abreast --output "$scratch" --baseline skip --timeout 60 --build-timeout 600 --colors never)
PATH=$folder:$PATH
[[ -z ${ABREAST_MUTANTS_SECONDS:-} ]] || run=(timeout --signal INT --kill-after 30 "$ABREAST_MUTANTS_SECONDS" "${run[@]}")
status=0
"${run[@]}" "${selected[@]}" || status=$?

# None of the lines that changed is one that it can change.
[[ -e $scratch/mutants.out/mutants.json ]] || exit "$status"
count() {
    wc -l <"$scratch/mutants.out/$1.txt"
}
all=$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' "$scratch/mutants.out/mutants.json")
noticed=$(($(count caught) + $(count timeout)))
reached=$((noticed + $(count missed) + $(count unviable)))
echo "$all changes: $noticed noticed, $(count timeout) of them by a test that did not end; $(count unviable) do not compile;" \
    "$(count missed) not noticed; $((all - reached)) not reached"
if (($(count missed))); then
    cat "$scratch/mutants.out/missed.txt"
    exit 2
fi
# Whatever else went wrong, unless time was up.
((status == 0 || status == 3 || all > reached)) || exit "$status"
