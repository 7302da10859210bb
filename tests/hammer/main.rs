//! Many threads at once, and the memory that is left in the end.

#[path = "../support/mod.rs"]
mod support;

mod pool;
mod soak;
