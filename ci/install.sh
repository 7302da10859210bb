#!/usr/bin/env bash
# Installs a program from crates.io into the cache, unless it is there already, and prints the folder that it is in.
#
#   PATH=$(ci/install.sh cargo-deny 0.20.2):$PATH
#
# XDG_CACHE_HOME                    where to keep it, in a folder `abreast`; ~/.cache by default
# CARGO_PROFILE_RELEASE_OPT_LEVEL   how far to optimise it; 0 by default, as it runs for seconds only
set -euo pipefail

name=$1 version=$2
root=${XDG_CACHE_HOME:-$HOME/.cache}/abreast/$name-$version
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() {
    env -u RUSTC_WRAPPER -u RUSTFLAGS CARGO_TARGET_DIR="$root/target" \
        CARGO_PROFILE_RELEASE_OPT_LEVEL="${CARGO_PROFILE_RELEASE_OPT_LEVEL:-0}" CARGO_PROFILE_RELEASE_DEBUG=0 \
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet "$name" --version "$version" --root "$root" "$@" >"$log" 2>&1
}

# Programs are put there last, so one that is there is whole.
if ! compgen -G "$root/bin/*" >/dev/null; then
    echo "   installing $name $version, which takes a moment" >&2
    # What its lock file names may be newer than what a mirror has, and a network may fail once.
    install --locked || install || install || {
        tail -n 20 "$log" >&2
        echo "ci/install.sh: $name $version cannot be installed" >&2
        exit 1
    }
    rm -rf "$root/target"
fi
echo "$root/bin"
