//! What was measured on, and what.

use std::fmt::Write as _;
use std::process::Command;

/// Describes the machine, the compiler and the versions of the libraries, as a list in Markdown.
pub(crate) fn description() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpu, "model name").unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();

    let mut list = String::new();
    let mut line = |text: String| writeln!(list, "- {text}").expect("a string can be written to");
    line(format!(
        "processor: {model}, {cores} cores for this program{}",
        caches()
    ));
    line(format!(
        "memory: {}; system: {} {}",
        gibibytes(&memory),
        std::env::consts::OS,
        kernel()
    ));
    line(format!("compiler: {}", compiler()));
    line(format!("libraries: {}", libraries()));
    list
}

/// Names the processor and the compiler.
pub(crate) fn in_short() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpu, "model name").unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, {}", compiler())
}

/// Returns the first value of a `key : value` line.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim())
}

/// Returns the caches of the first core, such as `; L1 48K, L2 2048K`.
fn caches() -> String {
    let read = |index: usize, what: &str| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{what}");
        std::fs::read_to_string(path).map(|text| text.trim().to_owned())
    };
    let cache = |index: usize| {
        let (kind, level) = (read(index, "type").ok()?, read(index, "level").ok()?);
        let size = read(index, "size").ok()?;
        Some((kind != "Instruction").then(|| format!("L{level} {size}")))
    };
    let caches: Vec<String> = (0..).map_while(cache).flatten().collect();
    if caches.is_empty() {
        return String::new();
    }
    format!("; {}", caches.join(", "))
}

fn gibibytes(memory: &str) -> String {
    let total = field(memory, "MemTotal").and_then(|total| total.strip_suffix(" kB"));
    let kibibytes: Option<usize> = total.and_then(|total| total.parse().ok());
    kibibytes.map_or("unknown".to_owned(), |size| {
        format!("{} GiB", (size + (1 << 19)) >> 20)
    })
}

/// Returns the version of the kernel, without what whoever built it has added.
fn kernel() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let is_version = |letter: &char| letter.is_ascii_digit() || *letter == '.';
    kernel.chars().take_while(is_version).collect()
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    match Command::new(rustc).arg("--version").output() {
        Ok(ran) => String::from_utf8_lossy(&ran.stdout).trim().to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}

/// Returns the versions of all that is compared, which are in the lock file.
fn libraries() -> String {
    const NAMES: [&str; 8] = [
        "abreast",
        "async-executor",
        "futures",
        "futures-buffered",
        "futures-concurrency",
        "moro-local",
        "tokio",
        "unicycle",
    ];
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        Some(format!("{name} {}", rest.split_once('"')?.0))
    };
    NAMES
        .into_iter()
        .filter_map(version)
        .collect::<Vec<_>>()
        .join(", ")
}
