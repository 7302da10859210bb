//! Random programs of hostile tasks, wakers and destructors, for everything that runs tasks.
//!
//! A program is a number of [plans](world::Plan), one a task, and a seed. What happens between two polls is drawn from the seed,
//! too: tasks are released, woken for no reason or long after their end, from this thread or another; the waker of each poll
//! may be another one, may wake other tasks while it is woken itself, and may panic.
//!
//! Whatever the program, for everything:
//!
//! | promise | checked in |
//! |---|---|
//! | each task is created at most once, and dropped once | `World::assert_over` |
//! | nothing is polled after it has ended, or within its own poll | `Scripted::poll` |
//! | each poll but the first follows a wake | `World::assert_over` |
//! | each wake is followed by a poll | `World::assert_at_rest` |
//! | never more tasks exist than may | `World::assert_over` |
//! | each panic passes through once | `driver::drive` |
//! | no result is lost or made up | the file of the verb |
//!
//! `ABREAST_PROGRAMS=100000 cargo test --release --test properties` runs more than the 2,000 of each kind, and
//! `ABREAST_SEED=7` those from another seed on. A failure says which seed to begin with to see it first. Not in a browser, which
//! has no threads.
#![cfg(all(panic = "unwind", not(target_family = "wasm")))]

#[path = "../support/mod.rs"]
mod support;

#[cfg(all(feature = "operation", feature = "test-util"))]
#[path = "../script/mod.rs"]
mod script;

mod driver;
mod group;
#[cfg(all(feature = "operation", feature = "test-util"))]
mod operation;
mod pool;
mod verbs;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::str::FromStr;

use support::Random;

/// The number of programs of each kind, unless the environment says otherwise.
const PROGRAMS: u64 = 2000;

/// Runs programs, each with random numbers of its own.
fn programs(run: impl Fn(&mut Random)) {
    let first = setting("ABREAST_SEED", 1);
    for seed in first..first + setting("ABREAST_PROGRAMS", PROGRAMS) {
        // Seeds that differ in one bit only would begin alike.
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
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
