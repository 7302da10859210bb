//! What runs programs: many from seeds, or those of a fuzzer's corpus.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::str::FromStr;

use crate::random::Random;

/// The number of programs of each kind, unless the environment says otherwise.
const PROGRAMS: u64 = 2000;

/// Runs programs, each with random numbers of its own.
pub(crate) fn programs(run: impl Fn(&mut Random)) {
    let first = setting("ABREAST_SEED", 1);
    for seed in first..first + setting("ABREAST_PROGRAMS", PROGRAMS) {
        let mut random = Random::from_seed(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&mut random))) {
            eprintln!("this was ABREAST_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| {
        let number = value.parse().ok();
        number.unwrap_or_else(|| panic!("{name} has to be a number"))
    })
}

/// Runs what the fuzzer has found to be worth keeping. It is not in the package.
pub(crate) fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let Ok(files) = std::fs::read_dir(folder.join(target)) else {
        return;
    };
    for file in files {
        let path = file.expect("it can be listed").path();
        let input = std::fs::read(&path).expect("it can be read");
        if let Err(panic) = catch_unwind(|| run(&input)) {
            eprintln!("this was {}", path.display());
            resume_unwind(panic);
        }
    }
}
