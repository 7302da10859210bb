//! Random programs and texts, shrunk where they go wrong. A member of its own, as what makes them takes as long to
//! build as the crate.

#[path = "../support/mod.rs"]
mod support;

mod guardrails;
mod keys;
mod limits;
mod rates;
mod windows;
