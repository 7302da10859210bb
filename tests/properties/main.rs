//! Random programs of hostile tasks, wakers and destructors, for everything that runs tasks.
//!
//! A program is a number of [plans](plan::Plan), one a task, and a seed. What happens between two polls is drawn from
//! the seed, too: tasks are released, woken for no reason or long after their end, from this thread or another, by
//! themselves, by each other and by destructors; the waker of each poll may be another one, may wake tasks while it is
//! woken itself, and may panic.
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
//! | file | programs |
//! |---|---|
//! | `verbs.rs`, `sets.rs` | every verb over lists, streams and tuples; size hints that lie, sources that are pending |
//! | `streams.rs` | results and pages that are taken by fits and starts, and dropped |
//! | `hooks.rs` | hooks that panic |
//! | `stops.rs` | runs and groups that a signal stops; races of which several win |
//! | `shared.rs`, `watched.rs` | runs that share a limit, which changes, or a rate on a virtual clock; tasks that are tried again |
//! | `waits.rs` | timers that are tasks like the others: timeouts, staggered races, pauses |
//! | `times.rs` | races and timeouts on a virtual clock, to the millisecond |
//! | `group.rs`, `pool.rs` | task groups; pools whose jobs are submitted, fed and sent |
//! | `operation/` | streams of tokens on a virtual clock, against a model of all that comes of them |
//!
//! A fuzzer runs the same programs, drawn from its input: `fuzz/`.
//!
//! `ABREAST_PROGRAMS=100000 cargo test --release --test properties` runs more than the 2,000 of each kind, and
//! `ABREAST_SEED=7` those from another seed on. A failure says which seed to begin with to see it first. Not in a
//! browser, which has no threads.
#![cfg(all(
    panic = "unwind",
    feature = "async-channel",
    feature = "test-util",
    not(target_family = "wasm")
))]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "operation")]
#[path = "../script/mod.rs"]
mod script;

mod driver;
mod group;
mod hooks;
mod kinds;
#[cfg(feature = "operation")]
mod operation;
mod plan;
mod pool;
mod random;
mod seeds;
mod sets;
mod shared;
mod stops;
mod streams;
mod times;
mod verbs;
mod waits;
mod watched;
mod world;

use seeds::programs;
