//! What is allocated, counted.

#[cfg(all(feature = "operation", feature = "test-util"))]
#[path = "../script/mod.rs"]
mod script;
#[path = "../support/mod.rs"]
mod support;

mod counting;
mod operation;
mod pool;
mod verbs;
