#!/usr/bin/env bash
# Runs tests/shuttle on a copy of the crate whose locks and atomics are those of shuttle, so that it decides at each of them
# which thread goes on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/shuttle
copy=$target/copy
rm -rf "$copy"
mkdir -p "$copy/tests"
cp -r src "$copy/"
cp -r tests/shuttle "$copy/tests/"
sed -i 's/\(core\|std\)::sync::atomic::{/shuttle::sync::atomic::{/' "$copy"/src/engine/sync.rs "$copy"/src/sync/mod.rs
sed -i 's/use std::sync::{Mutex, PoisonError};/use shuttle::sync::Mutex; use std::sync::PoisonError;/' "$copy/src/sync/lock.rs"
# A place that has gone elsewhere would be tested without shuttle.
grep -q shuttle "$copy/src/engine/sync.rs"
grep -q shuttle "$copy/src/sync/mod.rs"
grep -q shuttle "$copy/src/sync/lock.rs"

python3 - "$copy/Cargo.toml" <<'PYTHON'
import re, sys

# The package alone: without the rest of the workspace, and with no tests but these.
tables = re.split(r"(?m)^(?=\[)", open("Cargo.toml").read())
kept = re.compile(r"\[(package|features|dependencies|target\..*\.dependencies)\]")
text = "".join(filter(kept.match, tables))
text = re.sub(r"(?m)^(\S+)\.workspace = true$", "", text)
text = text.replace("[package]", '[package]\nedition = "2024"')
text = text.replace("[dependencies]", '[dependencies]\nshuttle = "0.9.10"')
text += "[workspace]\n"
open(sys.argv[1], "w").write(text)
PYTHON
cp Cargo.lock "$copy/"
RUSTFLAGS='--cfg abreast_shuttle --check-cfg=cfg(abreast_shuttle)' cargo test --release --quiet --manifest-path "$copy/Cargo.toml" --test shuttle \
    --target-dir "$target" "$@"
