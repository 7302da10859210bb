#!/usr/bin/env bash
# Builds the crate with the oldest versions of its dependencies that Cargo.toml allows. What those are built of in turn is
# new: it is for them to ask for what they need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The crate as others get it, without the rest of the workspace, and without what its tests use.
rm -rf "$target/minimal/package"
cargo package --quiet --no-verify --allow-dirty --target-dir "$target/minimal"
tar --extract --gzip --strip-components=1 --directory="$folder" <"$(echo "$target"/minimal/package/*.crate)"
awk '/^\[/ { dev = /dev-dependencies/ } !dev' "$folder/Cargo.toml" >"$folder/Cargo.toml.new"
mv "$folder/Cargo.toml.new" "$folder/Cargo.toml"
rm "$folder/Cargo.lock"

cd "$folder"
# Cargo's resolver for this is unstable, the build is not.
RUSTC_BOOTSTRAP=1 cargo update --quiet -Z direct-minimal-versions
cargo tree --all-features --depth 1 --edges normal
for choice in --all-features --no-default-features; do
    cargo check --locked --lib "$choice" --target-dir "$target/minimal"
done
