//! How tasks are run: polls, wakes, drops and panics, whatever the verb.

#[path = "../support/mod.rs"]
mod support;

mod budget;
mod cancel;
mod late_wake;
mod panic;
mod peers;
mod polls;
