//! What spans of operations, runs and tasks promise. Needs the feature `tracing`.
//!
//! A program of its own, in which every test has a subscriber: `tracing` asks whoever comes to a span first whether it is
//! of interest, for everybody, and a test without a subscriber would say that it never is.
#![cfg(feature = "tracing")]

#[cfg(all(feature = "operation", feature = "test-util"))]
#[path = "../script/mod.rs"]
mod script;
#[path = "../support/mod.rs"]
mod support;

mod jobs;
#[cfg(all(feature = "operation", feature = "test-util"))]
mod operations;
mod runs;
