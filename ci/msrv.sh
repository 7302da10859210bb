#!/usr/bin/env bash
# Builds the crate with the oldest compiler that it is for, `rust-version` in Cargo.toml. A compiler that is not installed is
# fetched into the cache; exits with 75 if it cannot be.
#
# XDG_CACHE_HOME   where to keep it, in a folder `abreast`; ~/.cache by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

toolchain=$(rustup toolchain list 2>/dev/null | grep -oE "^${version//./\\.}(\.[0-9]+)?-[^ ]+" | head -n 1 || true)
if [[ -z $toolchain ]]; then
    # In a place of its own, so that nobody's toolchains are changed.
    export RUSTUP_HOME=${XDG_CACHE_HOME:-$HOME/.cache}/abreast/rustup
    toolchain=$version
    timeout 300 rustup --quiet toolchain install "$version" --profile minimal --no-self-update || exit 75
fi
unset RUSTC RUSTUP_TOOLCHAIN
cargo "+$toolchain" --version
for choice in --all-features --no-default-features; do
    cargo "+$toolchain" check --locked --lib "$choice" --target-dir "$target/msrv"
done
