//! From one process to a fleet: many workers, each with its own window, over a queue that lives in an engine of its
//! own.
//!
//! abreast is not a queue. It bounds what one process does at a time, and that is what a worker of any queue needs: its
//! window asks for jobs when slots are free, and so never takes more than it can run. What an application adds is in
//! [`worker`], which knows neither engines nor runtimes; the rest of this crate is two engines and a demonstration.

pub mod args;
pub mod bench;
mod combined;
pub mod coordinator;
pub mod demo;
mod link;
pub mod plot;
mod postgres;
pub mod queue;
mod redis;
mod runtime;
pub mod servers;
pub mod simulation;
pub mod site;
pub mod view;
pub mod work;
pub mod worker;

pub use self::postgres::PostgresQueue;
pub use self::redis::RedisQueue;
pub use self::runtime::{Runtime, Socket};

/// Stands for a request in `docs/FLEET.md`.
///
/// # Errors
/// Never, as it asks nobody.
pub async fn fetch(url: String) -> std::io::Result<String> {
    Ok(url)
}

/// Compiles what that page shows.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/FLEET.md")]
pub struct FourSteps;
