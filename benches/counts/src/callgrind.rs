//! Counts instructions of another process.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::process::{self, Command, Stdio};

/// Instructions that a process has executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Instructions {
    /// In the executable itself.
    pub(crate) own: u64,
    /// In libraries.
    pub(crate) libraries: u64,
}

/// Runs this very program with `args` under callgrind.
///
/// # Panics
/// If it fails, or there is no valgrind.
pub(crate) fn count(args: &[&str]) -> Instructions {
    let executable = std::env::current_exe().expect("a running program has a file");
    let name = format!("abreast-counts-{}-{}", process::id(), args.join("-"));
    let out = std::env::temp_dir().join(name);
    let ran = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--dump-line=no")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(&executable)
        .args(args)
        // What is in the environment ends up on the stack, and is looked at when the process starts.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let ran = match ran {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            panic!("there is no valgrind; Debian has it in the package of that name")
        }
        ran => ran.expect("valgrind starts"),
    };
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "callgrind of {args:?}: {complaint}");
    let profile = std::fs::read_to_string(&out).expect("callgrind writes a profile");
    std::fs::remove_file(&out).expect("the profile can be removed");
    parse(&profile, &executable)
}

/// Adds up a profile. Lines of interest are
///
/// ```text
/// ob=(1) /path/of/an/object        the object of what follows; later only ob=(1)
/// cob=(2) /path/of/an/object       names an object, too, that of a function which is called
/// 0 1234                           instructions of the function itself
/// calls=5 0                        the next line has those of a function that it calls, which are listed there as well
/// ```
fn parse(profile: &str, executable: &Path) -> Instructions {
    let executable = executable.to_string_lossy();
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut is_own = false;
    let mut is_call = false;
    let mut counted = Instructions::default();
    for line in profile.lines() {
        if let Some((key @ ("ob" | "cob"), object)) = line.split_once('=') {
            // The name comes with the first mention of an object, in whichever of the two that is.
            let (id, name) = object.split_once(' ').unwrap_or((object, ""));
            if !name.is_empty() {
                names.insert(id, name);
            }
            if key == "ob" {
                is_own = names.get(id).is_some_and(|&name| name == executable);
            }
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let instructions = line.split(' ').nth(1).and_then(|count| count.parse().ok());
            let instructions: u64 = instructions.unwrap_or(0);
            match (std::mem::take(&mut is_call), is_own) {
                (true, _) => {}
                (false, true) => counted.own += instructions,
                (false, false) => counted.libraries += instructions,
            }
        }
    }
    counted
}
