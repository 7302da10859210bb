//! The same work under every runtime: a package of its own, so that other tests are not built with all of them.

#[path = "../support/mod.rs"]
mod support;

mod budget;
mod coop;
mod pool;
mod send;
mod verbs;
