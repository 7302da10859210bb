#!/usr/bin/env bash
# Builds for WebAssembly and for machines without a standard library, and tests in a browser. Needs nothing but rustup,
# Debian's or Ubuntu's package manager and a network: fetches what is missing, and says so.
#
#   ci/wasm.sh [targets] [tests] [page] [size]     these steps, or all of them
#
# ABREAST_WASM_TOOLCHAIN  where the standard library of a target comes from:
#                         rustup   an installed target, or one that `rustup target add` gets
#                         debian   Debian's compiler, which builds the library from its sources
#                         (unset)  the first if possible, the second otherwise
# XDG_CACHE_HOME          where to keep what is fetched, in a folder `abreast`; ~/.cache by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

wasm=wasm32-unknown-unknown
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/abreast
unset RUSTFLAGS RUSTDOCFLAGS

log=$(mktemp)
trap 'rm -f "$log"' EXIT

heading() {
    printf '\n\033[1m-- %s\033[0m (after %ds)\n' "$1" "$SECONDS"
}

fail() {
    printf 'ci/wasm.sh: %s\n' "$@" >&2
    exit 1
}

# Runs what may fail for want of luck with the network: up to three times, and shows what it said if none succeeds.
try() {
    local attempt
    for attempt in 1 2 3; do
        if "$@" >"$log" 2>&1; then
            return
        fi
        echo "   attempt $attempt failed: $*"
        if ((attempt < 3)); then sleep $((attempt * 5)); fi
    done
    tail -n 20 "$log" | sed 's/^/   | /'
    return 1
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

update_packages() {
    if [[ -z ${packages_updated:-} ]]; then
        try as_root apt-get -o DPkg::Lock::Timeout=300 update || fail 'the package lists cannot be fetched'
        packages_updated=yes
    fi
}

# A command, and the packages that have it.
need() {
    local command=$1
    shift
    if command -v "$command" >/dev/null; then
        return
    fi
    command -v apt-get >/dev/null || fail "$command is missing, and so is apt-get to install it: install $*"
    echo "   installing $*"
    update_packages
    install_packages "$@" || fail "$* cannot be installed"
}

install_packages() {
    try as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@"
}

# --- The compilers

# Whether rustup has the target, now.
rustup_has() {
    case ${ABREAST_WASM_TOOLCHAIN:-} in
        debian) return 1 ;;
        '' | rustup) ;;
        *) fail "ABREAST_WASM_TOOLCHAIN is $ABREAST_WASM_TOOLCHAIN: it may be rustup or debian" ;;
    esac
    if ! command -v rustup >/dev/null; then
        [[ -d $(rustc --print sysroot)/lib/rustlib/$1 ]]
    elif ! rustup target list --installed | grep -x "$1" >/dev/null; then
        echo "   adding the target $1 to the installed toolchain"
        if ! timeout 300 rustup target add "$1" >"$log" 2>&1; then
            echo '   it cannot be added'
            return 1
        fi
    fi
}

# Debian has the compiler and the sources of its library in packages that cannot be installed beside rustup's. They are
# unpacked instead, all of one version.
unpack_debian() {
    command -v apt-get >/dev/null || fail 'without rustup, this needs Debian'
    update_packages
    local version series library llvm folder
    version=$(apt-cache policy rustc-web | sed -n 's/^ *Candidate: //p')
    [[ -n $version && $version != '(none)' ]] || fail 'this Debian has no package rustc-web'
    series=$(cut -d. -f1-2 <<<"$version")
    library=libstd-rust-web-$series
    llvm=$(apt-cache show "$library=$version" | sed -n 's/^Depends:.*\(libllvm[0-9]*\).*/\1/p')
    debian=$cache/rustc-web-$version
    if [[ ! -x $debian/rustc ]]; then
        echo "   fetching Debian's rustc-web $version"
        mkdir -p "$cache"
        folder=$(mktemp -d "$cache/unpack.XXXXXX")
        mkdir "$folder/packages" "$folder/root"
        chmod 755 "$folder"
        (
            cd "$folder/packages"
            local package packages=("$llvm")
            for package in rustc-web rust-web-src "$library" libstd-rust-web-dev; do
                packages+=("$package=$version")
            done
            try apt-get -o APT::Sandbox::User=root download "${packages[@]}" || fail 'it cannot be fetched'
            for package in *.deb; do
                dpkg -x "$package" ../root
            done
        )
        rm -r "$folder/packages"
        cat >"$folder/rustc" <<'RUSTC'
#!/bin/sh
# Debian's compiler, with the libraries that it was unpacked with.
root=$(dirname "$(realpath "$0")")/root
LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec "$root/usr/bin/rustc" "$@"
RUSTC
        chmod +x "$folder/rustc"
        "$folder/rustc" --version >"$log" 2>&1 || fail 'it does not run:' "$(cat "$log")"
        # Two runs at once may both get here.
        mv -T "$folder" "$debian" 2>/dev/null || rm -rf "$folder"
    fi
}

# Runs a command with what it takes to build for a target; `parts` are the libraries that may have to be built for it.
with_target() {
    local name=$1 parts=$2
    shift 2
    if rustup_has "$name"; then
        "$@"
        return
    fi
    [[ ${ABREAST_WASM_TOOLCHAIN:-} != rustup ]] || fail "rustup has no $name"
    if [[ -z ${debian:-} ]]; then
        unpack_debian
        echo "   building with $("$debian/rustc" --version), and the library from source"
    fi
    # The linker for WebAssembly is the one of the installed toolchain.
    local host linkers
    host=$(rustc -vV | sed -n 's/^host: //p')
    linkers=$(rustc --print sysroot)/lib/rustlib/$host/bin
    PATH=$linkers:$PATH \
        RUSTC=$debian/rustc RUSTC_BOOTSTRAP=1 \
        CARGO_UNSTABLE_BUILD_STD=$parts \
        CARGO_TARGET_DIR=$target/rustc-web \
        "$@"
}

with_wasm() {
    with_target "$wasm" std,panic_abort "$@"
}

# --- The steps

targets() {
    heading "$wasm"
    with_wasm cargo build --locked --lib --target "$wasm"
    heading "$wasm, without default features"
    with_wasm cargo build --locked --lib --target "$wasm" --no-default-features
    heading "$wasm, the recipe of the cookbook for browsers"
    with_wasm cargo build --locked --target "$wasm" --package abreast-cookbook-web
    local name features
    for name in x86_64-unknown-none thumbv7m-none-eabi; do
        heading "$name, without default features, and with what works without std"
        for features in '' operation; do
            with_target "$name" core,alloc \
                cargo build --locked --lib --target "$name" --no-default-features --features "$features"
        done
    done
}

# The glue between tests and browser has to be of the version that the tests are linked with.
need_bindgen() {
    local version bin
    version=$(sed -n '/^name = "wasm-bindgen"$/ { n; s/^version = "\(.*\)"$/\1/p }' Cargo.lock)
    if [[ $(wasm-bindgen-test-runner --version 2>/dev/null) == "wasm-bindgen-test-runner $version"* ]]; then
        return
    fi
    bin=$(CARGO_PROFILE_RELEASE_OPT_LEVEL=1 ci/install.sh wasm-bindgen-cli "$version")
    PATH=$bin:$PATH
}

need_browser() {
    if [[ -z ${CHROMEDRIVER:-} ]]; then
        need chromedriver chromium chromium-driver
        CHROMEDRIVER=$(command -v chromedriver)
        export CHROMEDRIVER
    fi
}

# Builds first, for the browser has only so long.
tests() {
    heading 'the tools of a browser test'
    need_bindgen
    need_browser
    wasm-bindgen-test-runner --version
    "$CHROMEDRIVER" --version
    # Debian's compiler comes without its linter.
    if rustup_has "$wasm"; then
        heading 'clippy, for what is there in a browser only'
        cargo clippy --locked --target "$wasm" --all-features --tests -- -D warnings
        cargo clippy --locked --target "$wasm" --package abreast-browser --package abreast-cookbook-web --package abreast-size -- -D warnings
    fi
    heading 'tests in a browser'
    local run=(env CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner WASM_BINDGEN_TEST_TIMEOUT=120
        cargo test --locked --target "$wasm" --all-features --tests)
    with_wasm "${run[@]}" --no-run
    with_wasm "${run[@]}" --no-fail-fast 2>&1 | tee "$log" | grep -vE '^(Try find|Ok$|Loading Wasm|$)'
    awk '/^test result: ok/ { passed += $4; failed += $6 } END { printf "%d passed, %d failed, in a browser\n", passed, failed }' "$log"
}

# The page that shows the verbs is built, served, and driven by a program of its own.
page() {
    heading 'the page in examples/browser'
    need_browser
    install_fonts
    with_wasm cargo build --locked --release --target "$wasm" --package abreast-browser
    local module
    module=$(built "$wasm/release/abreast_browser.wasm")
    ABREAST_BROWSER_WASM=$module ABREAST_SCREENSHOTS=$target/screenshots \
        cargo test --locked --package abreast-browser-serve --test page -- --ignored
    echo "   pictures of it are in $target/screenshots"
}

# So that pictures look the same on every machine.
install_fonts() {
    if command -v apt-get >/dev/null && ! fc-list 2>/dev/null | grep Inter >/dev/null; then
        echo '   installing fonts-inter'
        update_packages
        install_packages fonts-inter || echo '   without it, pictures have another font'
    fi
}

# Where a file is that was built last.
built() {
    if rustup_has "$wasm" >/dev/null; then echo "$target/$1"; else echo "$target/rustc-web/$1"; fi
}

size() {
    heading 'the size of a minimal program'
    need wasm-opt binaryen
    with_wasm cargo build --locked --profile size --target "$wasm" --package abreast-size
    local folder program bytes packed sizes=()
    local features=(bulk-memory multivalue mutable-globals nontrapping-float-to-int reference-types sign-ext)
    folder=$(dirname "$(built "$wasm/size/with.wasm")")
    for program in with without; do
        wasm-opt -Oz "${features[@]/#/--enable-}" -o "$folder/$program.opt.wasm" "$folder/$program.wasm"
        bytes=$(stat -c %s "$folder/$program.opt.wasm")
        packed=$(gzip -9 -n -c "$folder/$program.opt.wasm" | wc -c)
        printf '   %-8s abreast: %6d bytes, %6d with gzip\n' "$program" "$bytes" "$packed"
        sizes+=("$bytes" "$packed")
    done
    printf '   so it adds      : %6d bytes, %6d with gzip\n' \
        $((sizes[0] - sizes[2])) $((sizes[1] - sizes[3]))
}

steps=("$@")
((${#steps[@]})) || steps=(targets tests page size)
for step in "${steps[@]}"; do
    case $step in
        targets | tests | page | size) "$step" ;;
        *) fail "there is no step $step" ;;
    esac
done
