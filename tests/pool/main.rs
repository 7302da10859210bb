//! What pools promise.

#[path = "../support/mod.rs"]
mod support;

mod cancel;
mod capacity;
mod contract;
mod drain;
mod driver;
mod panic;
